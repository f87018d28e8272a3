"""Signals: identity, catalog, series, and what is left out by name."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.derive.signal import (
    Signal,
    find_signal,
    signal_catalog,
    signal_excluded,
    signal_series,
)
from analysis.errors import UserError

BASE = {"usubjid": "P1", "censored": "none", "rel_day": 14.0, "nominal_day": 14.0}


def uptake(**changes):
    return {
        **BASE, "scan_code": "S1", "tracer_id": "f18_fhbg", "region_kind": "lesion",
        "region_code": "L1", "metric": "suv_mean", "value": 2.0, "unit": "g/mL",
        "evaluable": True, **changes,
    }  # fmt: skip


def blood(**changes):
    return {
        **BASE, "analyte": "CARTG", "assay": "qPCR", "matrix": "BLOOD", "value": 100.0,
        "lower": None, "upper": None, "unit": "copies/ug", "lloq": 50.0, **changes,
    }  # fmt: skip


def frame(*rows):
    return pl.DataFrame(list(rows), infer_schema_length=None)


KEYS = [
    # key, label, axis title
    ("kinetics:CARTG:qPCR:BLOOD", "Blood transgene, qPCR", "Blood transgene, qPCR"),
    ("kinetics:CARFLOW:flow:BLOOD", "Blood CAR+ cells, flow", "Blood CAR+ cells, flow"),
    ("uptake:f18_fhbg:suv_mean:lesion", "HSV1-tk reporter signal, SUVmean, lesions",
     "HSV1-tk reporter signal, SUVmean, lesions (g/mL)"),
    ("uptake:f18_fhbg:suv_mean:organ:SPLEEN", "HSV1-tk reporter signal, SUVmean, spleen",
     "HSV1-tk reporter signal, SUVmean, spleen (g/mL)"),
    ("uptake:zr89_oxine_cells:percent_injected_activity:organ:LIVER",
     "89Zr label of the infused product, % injected activity, liver",
     "89Zr label of the infused product, % injected activity, liver"),
    ("laboratory:INTLK6:PLASMA", "IL-6", "IL-6"),
    ("laboratory:CRP", "C-reactive protein", "C-reactive protein"),
    ("burden:SUMDIAM", "Sum of target diameters", "Sum of target diameters"),
    ("kinetics:CARTG:qPCR:BLOOD@unit=copies/mL", "Blood transgene, qPCR (copies/mL)",
     "Blood transgene, qPCR (copies/mL)"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "label", "title"), KEYS)
def test_key_round_trip_and_words(key, label, title):
    signal = Signal.parse(key)
    assert signal.key == key
    assert signal.label == label
    assert signal.axis_title == title


def test_the_unit_stands_on_the_axis():
    signal = Signal.parse("kinetics:CARTG:qPCR:BLOOD").replace(unit="copies/ug")
    assert signal.axis_title == "Blood transgene, qPCR (copies/µg DNA)"
    assert signal.key == "kinetics:CARTG:qPCR:BLOOD"


def test_tracer_class():
    assert Signal.parse("uptake:f18_fhbg:suv_mean:lesion").tracer_class == "reporter_gene"
    assert Signal.parse("uptake:mystery:suv_mean:lesion").tracer_class is None
    assert Signal.parse("laboratory:CRP").tracer_class is None


@pytest.mark.parametrize(
    "key", ["", "kinetics", "blood:CARTG", "uptake:a:b:c:d:e", "laboratory:X@color=red"]
)
def test_not_a_signal(key):
    with pytest.raises(UserError, match="is not a signal"):
        Signal.parse(key)


text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda value: value != "-"
)


@given(text, text, st.none() | text, st.none() | text)
def test_any_code_survives_the_key(code, tracer, region, unit):
    signal = Signal(
        "uptake", code, tracer_id=tracer, region_kind="organ", region_code=region, unit=unit,
        qualified_by=("unit",) if unit else (),
    )  # fmt: skip
    assert Signal.parse(signal.key) == signal


def test_catalog_lists_what_is_there_most_useful_first():
    quantifications = frame(
        uptake(),
        uptake(region_code="L2"),
        uptake(region_kind="organ", region_code="SPLEEN"),
        uptake(region_kind="organ", region_code="LIVER"),
        uptake(tracer_id="zr89_oxine_cells", metric="percent_injected_activity", unit="%",
               region_kind="organ", region_code="LIVER", rel_day=1.0),
    )  # fmt: skip
    labs = frame(
        {**BASE, "testcd": "CRP", "test": "CRP", "matrix": "SERUM", "value": 3.0, "unit": "mg/L"}
    )
    keys = [s.key for s in signal_catalog(frame(blood()), quantifications, labs)]
    assert keys == [
        "kinetics:CARTG:qPCR:BLOOD",
        "uptake:f18_fhbg:suv_mean:lesion",
        "uptake:f18_fhbg:suv_mean:organ:LIVER",
        "uptake:f18_fhbg:suv_mean:organ:SPLEEN",
        "uptake:zr89_oxine_cells:percent_injected_activity:organ:LIVER",
        "laboratory:CRP:SERUM",
    ]


def test_catalog_of_nothing():
    assert signal_catalog() == ()
    assert signal_catalog(frame(blood()).clear()) == ()


def test_unknown_test_takes_the_label_of_the_data():
    labs = frame(
        {**BASE, "testcd": "ZZ9", "test": "Odd marker", "matrix": None, "value": 3.0, "unit": "U"}
    )
    (signal,) = signal_catalog(labs=labs)
    assert signal.label == "Odd marker"
    assert find_signal("laboratory:ZZ9", [signal]) is signal
    assert find_signal("laboratory:ZZ8", [signal]) is None


@pytest.mark.parametrize(
    ("item", "one", "other"),
    [
        ("unit", "kBq/mL", "%"),
        ("method", "41%", "SUV4.0"),
        ("reader", "R1", "R2"),
        ("reader", None, "R2"),
    ],
)
def test_units_methods_and_readers_are_never_pooled(item, one, other):
    quantifications = frame(uptake(**{item: one}), uptake(usubjid="P2", **{item: other}))
    plain = Signal.parse("uptake:f18_fhbg:suv_mean:lesion")
    with pytest.raises(UserError, match=f"mixes the {item}s"):
        signal_series(plain, quantifications=quantifications)
    signals = signal_catalog(quantifications=quantifications)
    assert [s.qualified_by for s in signals] == [(item,), (item,)]
    for signal in signals:
        series = signal_series(signal, quantifications=quantifications)
        assert series.height == 1
        again = signal_series(Signal.parse(signal.key), quantifications=quantifications)
        assert again.equals(series)


def test_the_canonical_unit_keeps_the_plain_key():
    rows = frame(blood(unit="copies/mL", value=7.0), blood(), blood(usubjid="P2", unit=None))
    catalog = signal_catalog(rows)
    assert [(s.key, s.unit) for s in catalog] == [
        ("kinetics:CARTG:qPCR:BLOOD", "copies/ug"),
        ("kinetics:CARTG:qPCR:BLOOD@unit=copies/mL", "copies/mL"),
    ]
    values = {
        key: signal_series(Signal.parse(key), kinetics=rows)["value"].to_list()
        for key in (catalog[0].key, catalog[1].key, "kinetics:CARTG:qPCR:BLOOD@unit=copies/ug")
    }
    assert list(values.values()) == [[100.0], [7.0], [100.0]]
    assert find_signal("kinetics:CARTG:qPCR:BLOOD@unit=copies/ug", catalog) == catalog[0]
    assert find_signal("kinetics:CARTG:qPCR:BLOOD@unit=copies/mL", catalog) == catalog[1]
    assert signal_excluded(catalog[0], kinetics=rows)["reason"].to_list() == ["no unit"]


def test_two_tracers_are_two_signals():
    quantifications = frame(uptake(), uptake(tracer_id="ga68_dotatate_sstr2", value=9.0))
    for tracer, value in (("f18_fhbg", 2.0), ("ga68_dotatate_sstr2", 9.0)):
        signal = Signal.parse(f"uptake:{tracer}:suv_mean:lesion")
        assert signal_series(signal, quantifications=quantifications)["value"].to_list() == [value]


def test_organs_have_no_common_mean():
    signal = Signal.parse("uptake:f18_fhbg:suv_mean:organ")
    rows = frame(
        uptake(region_kind="organ", region_code="LIVER"),
        uptake(region_kind="organ", region_code="LUNG"),
    )
    with pytest.raises(UserError, match="pools organs"):
        signal_series(signal, quantifications=rows)
    assert signal_series(signal, quantifications=rows, per="region").height == 2


def test_lesions_of_a_scan_become_their_geometric_mean():
    rows = frame(uptake(value=2.0), uptake(region_code="L2", value=8.0))
    series = signal_series(Signal.parse("uptake:f18_fhbg:suv_mean:lesion"), quantifications=rows)
    assert series.select("usubjid", "value", "censored", "n_regions").rows() == [
        ("P1", pytest.approx(4.0), "none", 2)
    ]


def test_a_censored_lesion_makes_the_mean_an_interval():
    rows = frame(
        uptake(value=2.0, lower=None, upper=None),
        uptake(region_code="L2", value=None, lower=0.0, upper=0.5, censored="left"),
    )
    (row,) = signal_series(
        Signal.parse("uptake:f18_fhbg:suv_mean:lesion"), quantifications=rows
    ).to_dicts()
    assert (row["value"], row["lower"], row["censored"]) == (None, 0.0, "left")
    assert row["upper"] == pytest.approx(1.0)


def test_replicates_of_a_sample_are_one_value():
    rows = frame(blood(value=100.0, replicate=1), blood(value=400.0, replicate=2))
    series = signal_series(Signal.parse("kinetics:CARTG:qPCR:BLOOD"), kinetics=rows)
    assert series["value"].to_list() == [pytest.approx(200.0)]


def test_exact_single_values_are_not_touched():
    rows = frame(blood(value=0.1 + 0.2), blood(usubjid="P2", value=1e-300))
    series = signal_series(Signal.parse("kinetics:CARTG:qPCR:BLOOD"), kinetics=rows)
    assert series["value"].to_list() == [0.1 + 0.2, 1e-300]


def test_negative_values_are_not_taken_for_limits():
    rows = [
        {
            **BASE,
            "testcd": "BE",
            "matrix": "BLOOD",
            "unit": "mmol/L",
            "value": value,
            "rel_day": day,
        }
        for value, day in ((-2.0, 1.0), (0.0, 2.0), (3.0, 3.0))
    ]
    series = signal_series(Signal.parse("laboratory:BE:BLOOD"), labs=frame(*rows))
    assert series["value"].to_list() == [-2.0, 0.0, 3.0]


EXCLUDED = [
    ({"evaluable": False, "not_evaluable_reason": "motion"}, "scan not evaluable: motion"),
    ({"evaluable": False, "not_evaluable_reason": None}, "scan not evaluable"),
    ({"value": None}, "no value"),
    ({"rel_day": None, "nominal_day": None}, "no day"),
]


@pytest.mark.parametrize(("change", "reason"), EXCLUDED)
def test_rows_left_out_are_named(change, reason):
    rows = frame(uptake(), uptake(usubjid="P2", not_evaluable_reason=None) | change)
    signal = Signal.parse("uptake:f18_fhbg:suv_mean:lesion")
    assert signal_series(signal, quantifications=rows)["usubjid"].to_list() == ["P1"]
    excluded = signal_excluded(signal, quantifications=rows)
    assert excluded.select("usubjid", "reason").rows() == [("P2", reason)]


def test_a_value_without_a_unit_is_left_out_beside_values_with_one():
    rows = frame(blood(), blood(usubjid="P2", unit=None))
    (signal,) = signal_catalog(rows)
    assert signal.unit == "copies/ug"
    assert signal_excluded(signal, kinetics=rows)["reason"].to_list() == ["no unit"]


def test_a_direct_label_is_hidden_after_its_window():
    liver = {"tracer_id": "zr89_oxine_cells", "region_kind": "organ", "region_code": "LIVER"}
    rows = frame(
        *(uptake(**liver, rel_day=day, nominal_day=day) for day in (1.0, 7.0, 7.1)),
        uptake(rel_day=90.0),
    )
    label = Signal.parse("uptake:zr89_oxine_cells:suv_mean:organ:LIVER")
    assert signal_series(label, quantifications=rows)["rel_day"].to_list() == [1.0, 7.0]
    (reason,) = signal_excluded(label, quantifications=rows)["reason"]
    assert reason == "after the usable window of the label (168 h from infusion)"
    reporter = Signal.parse("uptake:f18_fhbg:suv_mean:lesion")
    assert signal_series(reporter, quantifications=rows)["rel_day"].to_list() == [90.0]


def test_a_nominal_day_stands_in_and_says_so():
    rows = frame(blood(rel_day=None, nominal_day=28.0), blood(rel_day=13.6))
    series = signal_series(Signal.parse("kinetics:CARTG:qPCR:BLOOD"), kinetics=rows)
    assert series.select("rel_day", "day_source").rows() == [(13.6, "rel_day"), (28.0, "nominal")]


def test_lineage_comes_along():
    rows = frame(blood(source_file="a.csv", source_sheet=None, source_row=7))
    series = signal_series(Signal.parse("kinetics:CARTG:qPCR:BLOOD"), kinetics=rows)
    assert series.select("source_file", "source_row").rows() == [("a.csv", 7)]


def test_series_of_no_rows_has_the_columns():
    empty = signal_series(Signal.parse("kinetics:CARTG:qPCR:BLOOD"))
    full = signal_series(Signal.parse("kinetics:CARTG:qPCR:BLOOD"), kinetics=frame(blood()))
    assert empty.columns == full.columns
    assert empty.is_empty()
