"""Kinetics parameters per patient: values, reasons, persistence as an interval."""

import polars as pl
import pytest

from analysis.derive.kinetics import SCHEMA, parameters
from analysis.derive.signal import Signal
from analysis.errors import UserError


def series(values, limit=50.0, usubjid="P1"):
    """values: day -> value, None for below the limit."""
    return pl.DataFrame(
        [
            {
                "usubjid": usubjid, "rel_day": float(day), "value": value,
                "censored": "none" if value is not None else "left",
                "lower": None if value is not None else 0.0,
                "upper": None if value is not None else limit,
            }
            for day, value in values.items()
        ],
        schema_overrides={"value": pl.Float64, "lower": pl.Float64, "upper": pl.Float64},
    )  # fmt: skip


CURVE = {
    0: None,
    3: 100.0,
    7: 4000.0,
    10: 20000.0,
    14: 8000.0,
    21: 3000.0,
    28: 1000.0,
    60: 200.0,
    90: None,
}


def test_one_row_per_patient_with_the_declared_columns():
    found = parameters(pl.concat([series(CURVE), series({7: 10.0}, usubjid="P2")]))
    assert found["usubjid"].to_list() == ["P1", "P2"]
    assert found.schema == pl.Schema(SCHEMA)


def test_values():
    (row,) = parameters(series(CURVE)).to_dicts()
    assert (row["cmax"], row["tmax_day"]) == (20000.0, 10.0)
    assert (row["clast"], row["tlast_day"]) == (200.0, 60.0)
    assert row["fold_expansion"] == 200.0
    assert (row["n_samples"], row["n_below_lloq"]) == (9, 2)
    assert row["contraction_to_day"] == 28.0


PERSISTENCE = [
    # samples -> last quantifiable day, first day below after it
    (CURVE, 60.0, 90.0),
    ({7: 10.0, 14: 20.0, 28: 15.0}, 28.0, None),
    ({7: 10.0, 14: None, 28: 15.0, 60: None, 90: None}, 28.0, 60.0),
    ({7: None, 14: None}, 0.0, 7.0),
    ({-5: None, -1: 10.0}, None, None),
]


@pytest.mark.parametrize(("values", "lower", "upper"), PERSISTENCE)
def test_persistence_is_interval_censored(values, lower, upper):
    (row,) = parameters(series(values)).to_dicts()
    assert (row["persistence_lower_day"], row["persistence_upper_day"]) == (lower, upper)


def test_all_below_the_limit():
    (row,) = parameters(series({0: None, 7: None, 28: None})).to_dicts()
    assert row["cmax"] is None
    assert row["cmax_reason"] == "all samples below the limit"
    assert row["n_below_lloq"] == 3


def test_value_above_the_upper_limit_has_no_peak():
    above = series({7: 100.0, 28: 10.0}).with_columns(
        pl.when(pl.col("rel_day") == 7).then(None).otherwise("value").alias("value"),
        lower=pl.when(pl.col("rel_day") == 7).then(100.0),
        censored=pl.when(pl.col("rel_day") == 7).then(pl.lit("right")).otherwise("censored"),
    )
    (row,) = parameters(above).to_dicts()
    assert row["cmax"] is None
    assert "bounds" in row["cmax_reason"]
    assert (row["persistence_lower_day"], row["persistence_upper_day"]) == (28.0, None)


def test_a_failed_half_life_is_not_shown():
    (row,) = parameters(series({7: 10.0, 14: 100.0, 21: 90.0, 28: 95.0, 60: 91.0})).to_dicts()
    assert row["terminal_half_life_day"] is None
    assert row["terminal_half_life_day_reason"]


def test_a_direct_label_has_no_kinetics_of_growth():
    signal = Signal.parse("uptake:zr89_oxine_cells:percent_injected_activity:organ:LIVER")
    with pytest.raises(UserError, match="Choose a blood assay or a reporter gene"):
        parameters(series(CURVE), signal=signal)
    reporter = Signal.parse("uptake:f18_fhbg:suv_mean:lesion")
    assert parameters(series(CURVE), signal=reporter).height == 1


def test_no_rows():
    assert parameters(series(CURVE).clear()).is_empty()
