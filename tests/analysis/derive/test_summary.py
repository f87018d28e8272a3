"""The cohort table: who counts once, in which group, on which visit."""

import numpy as np
import polars as pl
import pytest

from analysis.derive.summary import (
    SCHEMA,
    summarize,
    summarize_peaks,
    summary_rule,
    with_cv_in_reason,
)


def series(*rows):
    """rows: (patient, day, nominal day, value)."""
    return pl.DataFrame(
        [
            {
                "usubjid": usubjid, "rel_day": day, "nominal_day": nominal, "value": value,
                "lower": None, "upper": None, "censored": "none", "delivered": value,
                "limit_source": None, "unit": "cells/uL",
            }
            for usubjid, day, nominal, value in rows
        ],
        schema_overrides={
            "lower": pl.Float64, "upper": pl.Float64, "nominal_day": pl.Float64,
            "limit_source": pl.String, "rel_day": pl.Float64, "value": pl.Float64,
        },
    )  # fmt: skip


def test_groups_and_visits():
    rows = [(f"P{i}", 14.0, 14.0, 10.0**i) for i in range(4)]
    groups = pl.DataFrame({"usubjid": ["P1", "P2", "P3"], "group": ["a", "a", "a"]})
    found = summarize(series(*rows), groups)
    assert found.select("group", "n").rows() == [("a", 3), ("not known", 1)]
    assert found["geometric_mean"][0] == pytest.approx(100.0)
    assert found.schema == pl.Schema(SCHEMA)


def test_a_patient_counts_once_per_visit_with_the_nearest_sample():
    found = summarize(
        series(("P1", 13.0, 14.0, 1.0), ("P1", 14.2, 14.0, 5.0), ("P1", 16.0, 14.0, 9.0))
    )
    assert found.select("n", "median").rows() == [(1, 5.0)]


def test_without_nominal_days_the_whole_day_is_the_visit():
    found = summarize(
        series(("P1", 13.2, None, 1.0), ("P2", 13.9, None, 3.0), ("P3", 14.1, None, 5.0))
    )
    assert found.select("nominal_day", "n").rows() == [(13.0, 2), (14.0, 1)]


def test_geometric_cv():
    values = [1.0, 10.0, 100.0]
    found = summarize(series(*((f"P{i}", 1.0, 1.0, v) for i, v in enumerate(values))))
    s = np.std(np.log(values), ddof=1)
    assert found["geometric_cv_percent"][0] == pytest.approx(100 * np.sqrt(np.exp(s**2) - 1))


def test_a_geometric_cv_beyond_any_use_is_said_in_words():
    """1, 10 and 100,000 vary by some 10^10 %; 1, 10 and 100 by 1,413 %, 1, 3 and 9 by 153 %."""
    rows = [(f"P{i}", day, day, value) for day, values in
            ((1.0, (1.0, 3.0, 9.0)), (2.0, (1.0, 10.0, 100.0)), (3.0, (1.0, 10.0, 1e5)))
            for i, value in enumerate(values)]  # fmt: skip
    found = with_cv_in_reason(summarize(series(*rows)))
    assert found["geometric_cv_percent"][0] == pytest.approx(153.08, abs=0.01)
    assert found["geometric_cv_percent"].to_list()[1:] == [None, None]
    assert found["note"].to_list() == [None, *["geometric CV above 1,000 %"] * 2]


def test_negative_values_have_no_geometric_mean():
    found = summarize(series(*((f"P{i}", 1.0, 1.0, v) for i, v in enumerate([-1.0, 2.0, 3.0]))))
    assert found.select("geometric_mean", "median", "note").rows() == [
        (None, 2.0, "not on a log scale")
    ]


@pytest.mark.parametrize("rule", ["censored", "half_lloq", "drop"])
def test_every_rule_has_words(rule):
    assert "limit" in summary_rule(rule)


def test_no_rows():
    assert summarize(series(("P1", 1.0, 1.0, 1.0)).clear()).is_empty()


def bounded(*rows):
    """rows: (value, lower, upper, censored), a patient each, on day 14."""
    frame = series(*((f"P{i}", 14.0, 14.0, row[0]) for i, row in enumerate(rows)))
    names = ("lower", "upper", "censored")
    return frame.with_columns(
        pl.Series(name, [row[place] for row in rows], strict=False)
        for place, name in enumerate(names, start=1)
    )


EXACT = [(100.0, None, None, "none"), (400.0, None, None, "none")]
BELOW = (None, 0.0, 50.0, "left")


@pytest.mark.parametrize("rule", ["censored", "half_lloq"])
def test_no_mean_when_more_than_half_lie_below_the_limit(rule):
    (row,) = summarize(bounded(*EXACT, *[BELOW] * 6), blq=rule).to_dicts()
    assert (row["n"], row["n_below_limit"]) == (8, 6)
    assert row["geometric_mean"] is None
    assert row["conf_low"] is None
    assert row["note"] == "more than half below the limit"


def test_half_below_the_limit_still_has_a_mean():
    two = [(1000.0, None, None, "none"), (250.0, None, None, "none")]
    (row,) = summarize(bounded(*EXACT, *two, *[BELOW] * 4), blq="censored").to_dicts()
    assert row["geometric_mean"] is not None
    assert row["note"] is None


def test_left_out_values_do_not_stand_in_the_way_of_a_mean():
    third = (200.0, None, None, "none")
    (row,) = summarize(bounded(*EXACT, third, *[BELOW] * 5), blq="drop").to_dicts()
    assert row["geometric_mean"] == pytest.approx(200.0)


HALF_LIMIT = [
    # the bounded value and what stands for it beside 10 and 1000: the mean is the cube root
    ((None, 0.0, 50.0, "left"), 25.0),
    ((None, 100.0, None, "right"), 100.0),
    ((None, 4.0, 25.0, "interval"), 10.0),
    ((None, 0.0, 8.0, "interval"), 4.0),
]


@pytest.mark.parametrize(("row", "stands_for"), HALF_LIMIT)
def test_half_the_limit_keeps_every_patient(row, stands_for):
    known = [(10.0, None, None, "none"), (1000.0, None, None, "none")]
    (found,) = summarize(bounded(*known, row), blq="half_lloq").to_dicts()
    assert found["n"] == 3
    assert found["geometric_mean"] == pytest.approx((10.0 * 1000.0 * stands_for) ** (1 / 3))


PEAK_MEANS = [
    # maximum likelihood of four normal logarithms and one above log 160 (scipy, Nelder-Mead)
    ("censored", 45.182936),
    ("half_lloq", (10.0 * 20 * 40 * 80 * 160) ** (1 / 5)),
    ("drop", (10.0 * 20 * 40 * 80) ** (1 / 4)),
]


@pytest.mark.parametrize(("rule", "mean"), PEAK_MEANS)
def test_a_peak_above_the_upper_limit_counts_by_the_rule(rule, mean):
    peaks = pl.DataFrame({
        "usubjid": list("abcde"), "group": ["g"] * 5, "peak": [10.0, 20.0, 40.0, 80.0, 160.0],
        "at_limit": [False] * 5, "above_limit": [False] * 4 + [True],
    })  # fmt: skip
    (found,) = summarize_peaks(peaks, "x", blq=rule).to_dicts()
    assert (found["n"], found["n_below_limit"]) == (5, 0)
    assert found["geometric_mean"] == pytest.approx(mean, rel=1e-6)
    assert found["maximum"] == 80.0
