"""Values below the limit and zeros without one: kept as what they are, in series and summaries."""

import polars as pl
import pytest

from analysis.derive.signal import Signal, signal_series
from analysis.derive.summary import summarize

SIGNAL = Signal.parse("kinetics:CARFLOW:flow:BLOOD")


def sample(usubjid, value, limit=None, day=14.0):
    return {
        "usubjid": usubjid, "analyte": "CARFLOW", "assay": "flow", "matrix": "BLOOD",
        "unit": "cells/uL", "rel_day": day, "nominal_day": day, "value": value,
        "lower": None if value is not None else 0.0, "upper": limit,
        "censored": "none" if value is not None else "left", "lloq": limit,
    }  # fmt: skip


def series(*samples):
    schema = {"value": pl.Float64, "lower": pl.Float64, "upper": pl.Float64, "lloq": pl.Float64}
    return signal_series(SIGNAL, kinetics=pl.DataFrame(list(samples), schema_overrides=schema))


TABLE = [
    # value, limit of the sample -> value, lower, upper, censored, delivered, limit_source
    (5.0, None, (5.0, None, None, "none", 5.0, None)),
    (None, 0.5, (None, 0.0, 0.5, "left", None, "sample")),
    (0.0, None, (None, 0.0, 2.0, "left", 0.0, "assumed")),
]


@pytest.mark.parametrize(("value", "limit", "expected"), TABLE)
def test_one_value(value, limit, expected):
    found = series(sample("P1", value, limit), sample("P2", 2.0), sample("P3", 900.0))
    row = found.filter(pl.col("usubjid") == "P1").row(0, named=True)
    names = ("value", "lower", "upper", "censored", "delivered", "limit_source")
    assert tuple(row[name] for name in names) == expected


def test_each_sample_keeps_its_own_limit():
    found = series(sample("P1", None, 0.5), sample("P2", None, 4.0), sample("P3", 9.0))
    assert found["upper"].to_list() == [0.5, 4.0, None]


def test_zero_with_nothing_positive_has_no_limit():
    found = series(sample("P1", 0.0), sample("P2", 0.0))
    assert found["upper"].to_list() == [None, None]
    assert found["value"].to_list() == [None, None]
    assert found["censored"].to_list() == ["left", "left"]
    (row,) = summarize(found).to_dicts()
    assert (row["n"], row["n_below_limit"], row["median"]) == (2, 2, 0.0)
    assert row["geometric_mean"] is None


SUMMARY = [
    # values (None, limit = below it), rule -> n, n below, median, median below
    ([1.0, 10.0, 100.0], 3, 0, 10.0, None),
    ([(None, 0.5), 10.0, 100.0], 3, 1, 10.0, None),
    ([(None, 0.5), (None, 4.0), 100.0], 3, 2, None, 4.0),
    ([(None, 0.5), (None, 4.0), 10.0, 100.0], 4, 2, None, 10.0),
    ([0.0, 0.0, 8.0], 3, 2, 0.0, None),
    ([0.0, 10.0, 100.0], 3, 1, 10.0, None),
    ([7.0, 9.0], 2, 0, 8.0, None),
]


@pytest.mark.parametrize(("values", "n", "below", "median", "median_below"), SUMMARY)
def test_counts_and_median(values, n, below, median, median_below):
    samples = [
        sample(f"P{i}", *(value if isinstance(value, tuple) else (value, None)))
        for i, value in enumerate(values)
    ]
    (row,) = summarize(series(*samples)).to_dicts()
    assert (row["n"], row["n_below_limit"]) == (n, below)
    assert (row["median"], row["median_below"]) == (median, median_below)


def below_and_above():
    values = [(None, 50.0), (None, 50.0), 60.0, 200.0, 800.0, 1500.0]
    return series(
        *(
            sample(f"P{i}", *(v if isinstance(v, tuple) else (v, None)))
            for i, v in enumerate(values)
        )
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("drop", (60 * 200 * 800 * 1500) ** (1 / 4)),
        ("half_lloq", (25 * 25 * 60 * 200 * 800 * 1500) ** (1 / 6)),
    ],
)
def test_named_substitutions(rule, expected):
    (row,) = summarize(below_and_above(), blq=rule).to_dicts()
    assert row["geometric_mean"] == pytest.approx(expected)
    assert row["blq_rule"] == rule


def test_default_is_the_censored_likelihood():
    (censored,) = summarize(below_and_above()).to_dicts()
    (dropped,) = summarize(below_and_above(), blq="drop").to_dicts()
    assert censored["blq_rule"] == "censored"
    assert censored["geometric_mean"] < dropped["geometric_mean"]
    assert censored["n"] == dropped["n"] == 6


def test_zeros_without_a_limit_are_said():
    (row,) = summarize(
        series(*(sample(f"P{i}", v) for i, v in enumerate([0.0, 5.0, 9.0])))
    ).to_dicts()
    assert "without a limit" in row["note"]


def test_no_mean_below_three_patients_but_the_values():
    (row,) = summarize(series(sample("P1", 7.0), sample("P2", 9.0))).to_dicts()
    assert row["geometric_mean"] is None
    assert row["values"] == [7.0, 9.0]
    assert "fewer than 3" in row["note"]
