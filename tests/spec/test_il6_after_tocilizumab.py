"""Tocilizumab raises IL-6 by itself: such a value is flagged and never a peak."""

import polars as pl
import pytest

from analysis.derive.laboratory import TOCILIZUMAB_DAYS, after_tocilizumab, peaks

TABLE = [
    # samples (day, IL-6), doses -> peak, day of peak, values not counted
    ([(1, 10.0), (3, 300.0), (5, 5000.0)], [4.0], (300.0, 3.0, 1)),
    ([(1, 10.0), (3, 300.0), (5, 5000.0)], [], (5000.0, 5.0, 0)),
    ([(1, 10.0), (3, 300.0), (40, 900.0)], [4.0], (900.0, 40.0, 0)),
    ([(1, 10.0), (25, 900.0)], [4.0], (10.0, 1.0, 1)),
    ([(1, 10.0), (26, 900.0)], [4.0], (900.0, 26.0, 0)),
    ([(4, 900.0), (2, 30.0)], [4.0], (30.0, 2.0, 1)),
    ([(3.9, 900.0)], [4.0], (900.0, 3.9, 0)),
    ([(5, 900.0)], [4.0], (None, None, 1)),
    ([(-3, 900.0), (2, 30.0)], [], (30.0, 2.0, 0)),
    ([(10, 50.0), (2, 50.0)], [], (50.0, 2.0, 0)),
]


def frames(samples, doses, testcd="INTLK6"):
    labs = pl.DataFrame(
        {
            "usubjid": ["P1"] * len(samples), "testcd": [testcd] * len(samples),
            "unit": ["pg/mL"] * len(samples), "rel_day": [float(day) for day, _ in samples],
            "value": [value for _, value in samples],
        }
    ).sort("rel_day")  # fmt: skip
    columns = {"usubjid": pl.String, "intervention_class": pl.String, "rel_day": pl.Float64}
    given = pl.DataFrame(
        [("P1", "tocilizumab", day) for day in doses], schema=columns, orient="row"
    )
    return labs, given


@pytest.mark.parametrize(("samples", "doses", "expected"), TABLE)
def test_peak(samples, doses, expected):
    (row,) = peaks(*frames(samples, doses)).to_dicts() or [None]
    assert (row["peak"], row["peak_day"], row["n_not_counted"]) == expected


def test_other_tests_are_not_touched():
    (row,) = peaks(*frames([(1, 10.0), (5, 900.0)], [4.0], testcd="CRP")).to_dicts()
    assert (row["peak"], row["n_not_counted"]) == (900.0, 0)


def test_nearest_dose_counts():
    flagged = after_tocilizumab(*frames([(10, 5.0)], [2.0, 9.0]))
    assert flagged["days_after"].to_list() == [1.0]
    assert TOCILIZUMAB_DAYS == 21.0


def test_no_labs():
    assert peaks(None).is_empty()
