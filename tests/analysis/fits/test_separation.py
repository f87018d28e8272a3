"""Separated responses: found however rare the category is, and never without need."""

import numpy as np
import polars as pl
import pytest

from analysis import fit_gee, fit_logistic, fit_ordinal, response_by_exposure
from analysis.fits.response.separation import grades_separated, separated


def rare() -> pl.DataFrame:
    """A marker in two of 100 patients, both of whom responded."""
    draw = np.random.default_rng(1)
    z = draw.normal(size=100)
    x = np.zeros(100)
    x[:2] = 1
    y = np.where(x == 1, 1, draw.random(100) < 1 / (1 + np.exp(-z)))
    return pl.DataFrame({"id": np.arange(100), "x": x, "z": z, "y": y.astype(int)})


def test_a_rare_marker_of_responders_only_takes_the_penalty():
    fit = fit_logistic(rare(), "y ~ x + z")
    assert (fit.status, fit.reason) == ("warning", "separation")
    row = next(row for row in fit.estimates if row.term == "x")
    assert 0 < row.estimate < 4
    assert row.std_error > 1
    assert row.conf_high is None or row.conf_high > 5
    plain = fit_logistic(rare(), "y ~ x + z", penalty="none")
    assert (plain.status, plain.reason) == ("not_estimable", "separation")


def test_two_responders_in_a_marker_have_firths_odds_ratio():
    """One binary covariate: Firth's estimate is that of the table with one half in each cell."""
    frame = pl.DataFrame({"x": [1] * 3 + [0] * 20, "y": [1] * 3 + [1] * 8 + [0] * 12})
    fit = fit_logistic(frame, "y ~ x")
    expected = np.log(3.5 * 12.5 / (0.5 * 8.5))
    assert fit.estimates[1].estimate == pytest.approx(expected, rel=1e-6)


def test_the_other_regressions_have_no_number_there():
    frame = rare().with_columns(grade=pl.col("y") * 2 + (pl.col("z") > 0.3).cast(pl.Int64))
    for fit in (fit_ordinal(rare(), "y ~ x + z"), fit_gee(rare(), "y ~ x + z", "id")):
        assert (fit.status, fit.reason, fit.estimates) == ("not_estimable", "separation", ())
    assert fit_ordinal(frame, "grade ~ z").estimates
    stepped = pl.DataFrame({"y": [0] * 10 + [1] * 10, "x": np.arange(20.0)})
    found = response_by_exposure(stepped, "y", "x")
    assert (found.status, found.reason, found.p_value) == ("not_estimable", "separation", None)


@pytest.mark.parametrize(
    ("x", "y", "answer"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], True),
        ([1, 2, 2, 3], [0, 0, 1, 1], True),
        ([1, 2, 3, 4], [0, 1, 0, 1], False),
        ([1, 3, 2, 4], [0, 0, 1, 1], False),
        ([0, 0, 0, 1], [0, 1, 0, 1], True),
        ([0, 0, 1, 1], [0, 1, 0, 1], False),
    ],
)
def test_small_tables(x, y, answer):
    design = np.column_stack([np.ones(4), x])
    assert separated(design, np.array(y, dtype=bool)) is answer
    assert grades_separated(design[:, 1:], np.array(y, dtype=float), 1) is answer


def test_only_one_of_several_cuts_need_not_be_crossed():
    """Grades 0 and 1 overlap in x, grade 2 lies above: the slope still has an end."""
    x = np.array([1.0, 3, 2, 4, 5, 6])[:, None]
    assert not grades_separated(x, np.array([0.0, 0, 1, 1, 2, 2]), 2)
    assert grades_separated(x, np.array([0.0, 1, 0, 1, 2, 2]), 2)


def test_hardly_overlapping_responses_stay_estimable():
    x = np.linspace(-2, 2, 60)
    y = x > 0
    y[29], y[30] = True, False
    fit = fit_logistic(pl.DataFrame({"x": x, "y": y.astype(int)}), "y ~ x", penalty="none")
    assert fit.status != "not_estimable"
