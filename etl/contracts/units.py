"""Units: the spellings of exports, their dimension, and the one unit each quantity is stored in.

Nothing is converted between dimensions: copies per ug DNA are never copies per mL, %ID/g is never
a fraction. `number_in_base = number * factor + offset`.
"""

from typing import NamedTuple

from etl.profiles.headers import squash


class Unit(NamedTuple):
    """One unit: how it is spelled when stored, what it measures, and its size in that dimension."""

    spelling: str
    dimension: str
    factor: float
    offset: float = 0.0


_TABLE: tuple[tuple[str, str, float, str], ...] = (
    ("g/L", "mass concentration", 1.0, "g/l"),
    ("g/dL", "mass concentration", 10.0, "g/dl"),
    ("mg/mL", "mass concentration", 1.0, "mg/ml"),
    ("mg/L", "mass concentration", 1e-3, "mg/l"),
    ("mg/dL", "mass concentration", 1e-2, "mg/dl"),
    ("ug/mL", "mass concentration", 1e-3, "ug/ml mcg/ml"),
    ("ug/L", "mass concentration", 1e-6, "ug/l mcg/l"),
    ("ug/dL", "mass concentration", 1e-5, "ug/dl mcg/dl"),
    ("ng/mL", "mass concentration", 1e-6, "ng/ml"),
    ("ng/L", "mass concentration", 1e-9, "ng/l"),
    ("ng/dL", "mass concentration", 1e-8, "ng/dl"),
    ("pg/mL", "mass concentration", 1e-9, "pg/ml"),
    ("pg/L", "mass concentration", 1e-12, "pg/l"),
    ("mol/L", "molar concentration", 1.0, "mol/l"),
    ("mmol/L", "molar concentration", 1e-3, "mmol/l mm/l"),
    ("umol/L", "molar concentration", 1e-6, "umol/l"),
    ("nmol/L", "molar concentration", 1e-9, "nmol/l"),
    ("pmol/L", "molar concentration", 1e-12, "pmol/l"),
    ("mEq/L", "equivalents", 1.0, "meq/l"),
    ("U/L", "catalytic concentration", 1.0, "u/l iu/l ui/l"),
    ("mU/L", "catalytic concentration", 1e-3, "mu/l miu/l uiu/ml uu/ml"),
    ("U/mL", "catalytic concentration", 1e3, "u/ml iu/ml"),
    ("ukat/L", "catalytic concentration", 60.0, "ukat/l"),
    ("cells/uL", "cell concentration", 1.0,
     "cells/ul /ul cells/mm3 /mm3 10^6/l 10*6/l x10^6/l 10e6/l 1e6/l cell/ul n/ul"),
    ("10^3/uL", "cell concentration", 1e3, "10^3/ul 10*3/ul x10^3/ul 10e3/ul k/ul thou/ul 1000/ul"),
    ("10^9/L", "cell concentration", 1e3, "10^9/l 10*9/l x10^9/l 10e9/l 1e9/l x10e9/l gi/l"),
    ("10^6/uL", "cell concentration", 1e6, "10^6/ul 10*6/ul x10^6/ul 10e6/ul"),
    ("10^12/L", "cell concentration", 1e6, "10^12/l 10*12/l x10^12/l 10e12/l 1e12/l ti/l"),
    ("cells/mL", "cell concentration", 1e-3, "cells/ml /ml"),
    ("copies/ug", "copies per DNA mass", 1.0,
     "copies/ug copies/ugdna dnacopies/ug copies/uggdna copies/mcg copies/microgram"),
    ("copies/ng", "copies per DNA mass", 1e3, "copies/ng copies/ngdna"),
    ("copies/100 ng", "copies per DNA mass", 10.0, "copies/100ng copies/100ngdna"),
    ("copies/mL", "copies per volume", 1.0, "copies/ml"),
    ("copies/uL", "copies per volume", 1e3, "copies/ul"),
    ("copies/cell", "copies per cell", 1.0, "copies/cell vcn"),
    ("%", "fraction", 1.0, "% percent pct"),
    ("fraction", "fraction", 100.0, "fraction proportion"),
    ("%ID", "percent injected", 1.0, "%id %ia %idose %injecteddose"),
    ("%ID/g", "percent injected per mass", 1.0, "%id/g %ia/g"),
    ("1", "ratio", 1.0, "1 ratio {ratio} unitless none index score"),
    ("mm", "length", 1.0, "mm"),
    ("cm", "length", 10.0, "cm"),
    ("m", "length", 1000.0, "m"),
    ("mm2", "area", 1.0, "mm2 mm^2"),
    ("cm2", "area", 100.0, "cm2 cm^2"),
    ("mL", "volume", 1.0, "ml cm3 cm^3 cc ccm"),
    ("L", "volume", 1000.0, "l"),
    ("mm3", "volume", 1e-3, "mm3 mm^3"),
    ("g", "mass", 1.0, "g"),
    ("kg", "mass", 1000.0, "kg"),
    ("mg", "mass", 1e-3, "mg"),
    ("MBq", "activity", 1.0, "mbq"),
    ("kBq", "activity", 1e-3, "kbq"),
    ("Bq", "activity", 1e-6, "bq"),
    ("GBq", "activity", 1e3, "gbq"),
    ("mCi", "activity", 37.0, "mci"),
    ("uCi", "activity", 0.037, "uci"),
    ("kBq/mL", "activity concentration", 1.0, "kbq/ml kbq/cc"),
    ("Bq/mL", "activity concentration", 1e-3, "bq/ml bq/cc"),
    ("MBq/mL", "activity concentration", 1e3, "mbq/ml"),
    ("g/mL", "standardized uptake", 1.0, "g/ml suv suvbw {suvbw}g/ml suvlbm {suvlbm}g/ml g/cc"),
    ("fL", "cell volume", 1.0, "fl"),
    ("pg", "cell mass", 1.0, "pg"),
    ("fmol", "cell amount", 1.0, "fmol fmol(fe)"),
    ("s", "time", 1.0, "s sec seconds"),
    ("min", "time", 60.0, "min minutes"),
    ("h", "time", 3600.0, "h hr hours"),
    ("mm/h", "sedimentation", 1.0, "mm/h mm/hr"),
    ("mL/min", "clearance", 1.0, "ml/min"),
    ("mL/min/1.73m2", "clearance by surface", 1.0, "ml/min/1.73m2 ml/min/1.73m^2"),
    ("mosm/kg", "osmolality", 1.0, "mosm/kg"),
    ("mmHg", "pressure", 1.0, "mmhg"),
    ("beats/min", "rate", 1.0, "beats/min bpm"),
    ("/HPF", "count per field", 1.0, "/hpf"),
    ("/LPF", "count per field low", 1.0, "/lpf"),
)  # fmt: skip

UNITS: dict[str, Unit] = {
    alias: Unit(spelling, dimension, factor)
    for spelling, dimension, factor, aliases in _TABLE
    for alias in aliases.split()
}
UNITS |= {
    "c": Unit("C", "temperature", 1.0),
    "°c": Unit("C", "temperature", 1.0),
    "degc": Unit("C", "temperature", 1.0),
    "f": Unit("F", "temperature", 5 / 9, -160 / 9),
    "°f": Unit("F", "temperature", 5 / 9, -160 / 9),
    "degf": Unit("F", "temperature", 5 / 9, -160 / 9),
}
EXACT_CASE = {"G/L": UNITS["10^9/l"], "T/L": UNITS["10^12/l"]}
"""Giga and tera per liter of European hematology: the capital is what tells them from gram."""

CYTOKINES = frozenset(
    "IFNG INTLK1B INTLK2 INTLK4 INTLK5 INTLK6 INTLK7 INTLK8 INTLK10 INTLK12 INTLK12P70 INTLK13 "
    "INTLK15 INTLK17A INTLK18 TNF GMCSF MCP1 MIP1A MIP1B CXCL9 CXCL10 IL2R IL2RA GRANZB".split()
)
TEST_UNITS = {
    "CRP": "mg/L", "FERRITIN": "ug/L", "LDH": "U/L", "AST": "U/L", "ALT": "U/L", "ALP": "U/L",
    "GGT": "U/L", "CK": "U/L", "BILI": "umol/L", "CREAT": "umol/L", "ALB": "g/L", "HGB": "g/L",
    "FIBRINO": "g/L", "WBC": "10^9/L", "PLAT": "10^9/L", "LYM": "10^9/L", "NEUT": "10^9/L",
    "MONO": "10^9/L", "EOS": "10^9/L", "BASO": "10^9/L", "RBC": "10^12/L", "TEMP": "C",
    "CD3": "cells/uL", "CD4": "cells/uL", "CD8": "cells/uL", "CD19": "cells/uL",
    "CD56": "cells/uL", "NK": "cells/uL",
}  # fmt: skip
MOLAR_MASS = {("BILI", "mass concentration"): 584.66, ("CREAT", "mass concentration"): 113.12}
"""g/mol, for tests that laboratories report both by mass and by amount of substance."""

METRIC_UNITS = (
    ("suv", "g/mL"), ("sul", "g/mL"), ("mtv", "mL"), ("volume", "mL"), ("tlg", "g"),
    ("percent_injected_activity_per_g", "%ID/g"), ("percent_id_per_g", "%ID/g"),
    ("percent_injected", "%ID"), ("percent_", "%"), ("tumor_to", "1"),
    ("activity_concentration", "kBq/mL"),
)  # fmt: skip
LENGTHS = frozenset("LDIAM SAXIS LPERP PERP SUMDIAM DIAMETER LMAXSP SUMLDIAM SUMNDIAM".split())
LESION_UNITS = {
    **dict.fromkeys(LENGTHS, "mm"), "SUMPPD": "mm2", "PPD": "mm2", "AREA": "mm2",
    "VOLUME": "mL", "SUVMAX": "g/mL", "SUVPEAK": "g/mL", "SUVMEAN": "g/mL", "SULPEAK": "g/mL",
    "PCBSD": "%", "PCNSD": "%", "ACNSD": "mm", "ACBSD": "mm",
}  # fmt: skip
KINETICS_UNITS = {
    "copies per DNA mass": "copies/ug", "copies per volume": "copies/mL",
    "cell concentration": "cells/uL", "fraction": "%", "copies per cell": "copies/cell",
}  # fmt: skip


def find_unit(text: str | None) -> Unit | None:
    """The unit a text spells; None when it is empty or unknown."""
    if text is None:
        return None
    plain = squash(text).replace("μ", "u").replace("µ", "u").replace(" ", "").replace("³", "3")
    if plain in EXACT_CASE:
        return EXACT_CASE[plain]
    return UNITS.get(plain.lower())


def stored_unit(contract: str, code: str, delivered: Unit | None) -> Unit | None:
    """The unit in which this quantity is stored; None when it is kept as delivered."""
    if contract == "laboratory_result":
        if code in CYTOKINES:
            return UNITS["pg/ml"]
        return find_unit(TEST_UNITS.get(code))
    if contract == "kinetics_sample":
        known = KINETICS_UNITS.get(delivered.dimension) if delivered else None
        return find_unit(known)
    if contract == "lesion_measurement" and code in LESION_UNITS:
        return find_unit(LESION_UNITS[code])
    for prefix, unit in METRIC_UNITS:
        if code.startswith(prefix):
            return find_unit(unit)
    return None


class Conversion(NamedTuple):
    """`stored = delivered * factor + offset` in `unit`, or the rule that refuses the row."""

    unit: str
    factor: float
    offset: float
    rule: str | None


def conversion(contract: str, code: str, text: str | None) -> Conversion:
    """How a delivered unit becomes the stored one for this quantity."""
    delivered = find_unit(text)
    if text is not None and delivered is None:
        return Conversion("", 1.0, 0.0, "unit_unknown")
    stored = stored_unit(contract, code, delivered)
    if delivered is None:
        return _without_unit(contract, code, stored)
    if contract == "kinetics_sample" and stored is None:
        return Conversion("", 1.0, 0.0, "unit_of_another_quantity")
    if stored is None:
        return Conversion(delivered.spelling, 1.0, 0.0, None)
    return _convert(code, delivered, stored)


def _without_unit(contract: str, code: str, stored: Unit | None) -> Conversion:
    """A metric whose name states its unit needs none; a count or concentration does."""
    if contract in {"quantification", "lesion_measurement"} and stored is not None:
        if code in LENGTHS:
            return Conversion("", 1.0, 0.0, "unit_missing")
        return Conversion(stored.spelling, 1.0, 0.0, None)
    if contract == "laboratory_result" and stored is None:
        return Conversion("", 1.0, 0.0, None)
    return Conversion("", 1.0, 0.0, "unit_missing")


def _convert(code: str, delivered: Unit, stored: Unit) -> Conversion:
    if delivered.spelling == stored.spelling:
        return Conversion(stored.spelling, 1.0, 0.0, None)
    factor, offset = delivered.factor, delivered.offset
    if delivered.dimension != stored.dimension:
        dimensions = {delivered.dimension, stored.dimension}
        molar = MOLAR_MASS.get((code, delivered.dimension))
        if molar is not None and stored.dimension == "molar concentration":
            factor = factor / molar
        elif dimensions != {"fraction", "percent injected"}:
            return Conversion("", 1.0, 0.0, "unit_of_another_quantity")
    return Conversion(
        stored.spelling,
        _clean(factor / stored.factor),
        _clean((offset - stored.offset) / stored.factor),
        None,
    )


def _clean(number: float) -> float:
    """Without the last binary digits of the division: 1e-2 / 1e-3 is 10."""
    return float(f"{number:.14g}")
