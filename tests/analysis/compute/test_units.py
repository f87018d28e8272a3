import pytest

from analysis.compute.units import (
    CANONICAL,
    FAMILIES,
    canonical_unit,
    conversion,
    convert,
    normalize_unit,
)

CONVERTS = [
    # code, unit as delivered, factor, canonical unit
    ("FERRITIN", "ng/mL", 1.0, "ug/L"),
    ("FERRITIN", "ug/L", 1.0, "ug/L"),
    ("FERRITIN", "\u00b5g/L", 1.0, "ug/L"),
    ("FERRITIN", "\u03bcg/L", 1.0, "ug/L"),
    ("FERRITIN", "mcg/L", 1.0, "ug/L"),
    ("CRP", "mg/dL", 10.0, "mg/L"),
    ("CRP", "MG/L", 1.0, "mg/L"),
    ("INTLK6", "ng/L", 1.0, "pg/mL"),
    ("INTLK6", "ng/mL", 1000.0, "pg/mL"),
    ("LDH", "IU/L", 1.0, "U/L"),
    ("LDH", "ukat/L", 60.0, "U/L"),
    ("CARTG", "copies/\u00b5g gDNA", 1.0, "copies/ug"),
    ("CARTG", "copies/ng", 1000.0, "copies/ug"),
    ("CARTG", "copies/uL", 1000.0, "copies/mL"),
    ("CARFLOW", "cells/\u03bcL", 1.0, "cells/uL"),
    ("CARFLOW", "cells/mL", 0.001, "cells/uL"),
    ("CARFLOW", "%", 1.0, "%"),
    ("WBC", "10^3/uL", 1.0, "10^9/L"),
    ("WBC", "K/uL", 1.0, "10^9/L"),
    ("injected_activity_mbq", "mCi", 37.0, "MBq"),
    ("injected_activity_mbq", "uCi", 0.037, "MBq"),
    ("injected_activity_mbq", "kBq", 0.001, "MBq"),
    ("mtv_ml", "cm3", 1.0, "mL"),
    ("mtv_ml", "mm3", 0.001, "mL"),
    ("LDIAM", "cm", 10.0, "mm"),
    ("suv_mean", "{SUVbw}g/ml", 1.0, "g/mL"),
    ("percent_injected_activity", "fraction", 100.0, "%"),
    ("dose_cells", "10^6 Therapeutic Cells", 1e6, "cells"),
    ("tumor_to_blood_ratio", None, 1.0, "1"),
]  # fmt: skip

REFUSED = [
    ("CARTG", "cells/uL", "not copies"),
    ("CARFLOW", "copies/ug", "not cells"),
    ("INTLK6", "IU/mL", "exact factor"),
    ("INTLK6", None, "no unit"),
    ("injected_activity_mbq", "mBq", "exact factor"),
    ("percent_injected_activity", "%ID/g", "exact factor"),
    ("suv_mean", "cm2/mL", "exact factor"),
]


@pytest.mark.parametrize(("code", "unit", "factor", "canonical"), CONVERTS)
def test_conversion(code, unit, factor, canonical):
    found = conversion(code, unit)
    assert found.factor == pytest.approx(factor, rel=1e-12)
    assert found.unit == canonical
    assert found.reason == ""


@pytest.mark.parametrize(("code", "unit", "reason"), REFUSED)
def test_forbidden_bridges_have_no_factor(code, unit, reason):
    found = conversion(code, unit)
    assert found.factor is None
    assert reason in found.reason


def test_a_code_without_a_canonical_unit_keeps_its_own():
    found = conversion("ODDTEST", "\u00b5g/mL")
    assert (found.factor, found.unit) == (1.0, "ug/mL")
    assert "no canonical unit" in found.reason


@pytest.mark.parametrize(
    ("value", "start", "end", "expected"),
    [(98.6, "F", "C", 37.0), (37.0, "C", "F", 98.6), (10.0, "mCi", "MBq", 370.0),
     (1.0, "lb", "kg", 0.45359237), (1.0, "copies/ug", "cells/uL", None), (2.0, "d", "h", 48.0)],
)  # fmt: skip
def test_convert(value, start, end, expected):
    found = convert(value, start, end)
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-12))


def test_temperature_has_an_offset():
    found = conversion("TEMP", "F")
    assert 98.6 * found.factor + found.offset == pytest.approx(37.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, None), ("  ", None), ("[ml]", "mL"), ("pg / ml", "pg/mL"), ("furlong", "furlong"),
     ("mBq", "mBq"), ("MBq", "MBq"), ("10\u00b3/\u00b5L", "10^3/uL"), ("10\u2079/L", "10^9/L")],
)  # fmt: skip
def test_normalize_unit(text, expected):
    assert normalize_unit(text) == expected


def test_every_canonical_unit_is_in_its_family():
    for code, families in CANONICAL.items():
        for family, unit in families:
            assert unit in FAMILIES[family], code
        assert canonical_unit(code) == families[0][1]
