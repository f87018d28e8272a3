"""Firth's penalized likelihood is that of the data's units, and says how it was used."""

import polars as pl
import pytest

from analysis import fit_cox, fit_fine_gray, fit_logistic, restricted_mean
from analysis.errors import UserError
from tests.analysis.fits.survival_trial import TRIAL


def test_cox_with_firth_as_r():
    # R 4.2.2, survival 3.5-3: coxph(init, iter.max = 0) plus half the log determinant of its
    # information, maximized by optim.
    fit = fit_cox(TRIAL, "x + g", "t", "e", penalty="firth")
    assert fit.estimates[0].estimate == pytest.approx(1.2428941, rel=1e-6)
    assert fit.estimates[1].estimate == pytest.approx(-0.1424023, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(-10.6886485, rel=1e-8)


def test_units_move_the_penalized_likelihood_by_their_logarithm():
    tenfold = TRIAL.with_columns(x=pl.col("x") * 10 + 3)
    one, other = (fit_cox(d, "x + g", "t", "e", penalty="firth") for d in (TRIAL, tenfold))
    assert other.log_likelihood - one.log_likelihood == pytest.approx(2.302585092994, rel=1e-9)
    one, other = (fit_logistic(d, "e ~ x", penalty="firth") for d in (TRIAL, tenfold))
    assert other.log_likelihood - one.log_likelihood == pytest.approx(2.302585092994, rel=1e-9)


def test_robust_intervals_say_so():
    grouped = fit_cox(TRIAL, "x", "t", "e", cluster="id")
    assert grouped.inference_note == "Normal intervals from the robust variance."


def test_a_steep_slope_that_overlaps_keeps_its_penalized_estimate():
    x = [i / 10 for i in range(30)] + [3.001, 2.999] + [3.1 + i / 10 for i in range(30)]
    frame = pl.DataFrame({"x": x, "y": [0] * 31 + [1] * 31})
    fit = fit_logistic(frame, "y ~ x", penalty="firth")
    assert fit.status != "not_estimable"
    assert fit.check("separation") is None
    apart = pl.DataFrame({"x": [i / 10 for i in range(60)], "y": [0] * 30 + [1] * 30})
    refused = fit_logistic(apart, "y ~ x", penalty="firth")
    assert (refused.status, refused.reason) == ("not_estimable", "separation")
    assert "firth" not in refused.advice


def test_the_incidence_of_a_rare_category_has_no_end():
    # The two with the marker have the event first: as separation, for a subdistribution hazard.
    frame = pl.DataFrame(
        {
            "t": [float(i) for i in range(1, 41)],
            "e": [1, 1] + [1, 1, 0, 1] * 9 + [1, 0],
            "cause": ["crs", "crs"] + ["crs", "death", "none", "death"] * 9 + ["crs", "none"],
            "x": [1, 1] + [0] * 38,
        }
    )
    fit = fit_fine_gray(frame, "x", "t", "e", "cause", "crs")
    assert (fit.status, fit.reason) == ("not_estimable", "monotone_likelihood")
    assert "rare category" in fit.advice


def test_a_day_of_a_covariate_that_is_not_there_is_a_mistake():
    with pytest.raises(UserError, match="known_on_day: there is no column 'peak'"):
        fit_cox(TRIAL, "x", "t", "e", known_on_day={"peak": 0.0})


def test_the_largest_horizon_of_all_groups_is_named():
    frame = pl.DataFrame({"t": [2.0, 6, 3, 5], "e": [1, 0, 1, 0], "g": ["a", "a", "b", "b"]})
    found = restricted_mean(frame, "t", "e", 9, "g")
    assert "of a ends on day 6 and of b ends on day 5" in found.sentence
    assert found.advice == "Take a horizon of 5 days or less."
    assert restricted_mean(frame, "t", "e", 5, "g").status == "ok"
    for wrong in (float("inf"), float("nan"), -1.0):
        with pytest.raises(UserError, match="positive number of days"):
            restricted_mean(frame, "t", "e", wrong)
