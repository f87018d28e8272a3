"""Separation in a rare category: Firth or a refusal in every regression of a response.

Firth's numbers: R 4.2.2, Newton's method on the modified score X'(y - p + h (1/2 - p)) and
uniroot on the penalized profile, written for this test; logistf solves the same equations.
"""

import numpy as np
import polars as pl
import pytest

from analysis import fit_gee, fit_logistic, fit_ordinal, response_by_exposure
from analysis.fits.response.ordinal import brant_check

Z = [0.3, -1.1, 0.8, 1.9, -0.4, 0.5, -2.0, 1.2, 0.1, -0.7, 1.4, -0.2, 0.6, -1.5, 2.1, 0.9, -0.6,
     0.2, -1.3, 0.7]  # fmt: skip
Y = [1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1]
RARE = pl.DataFrame({"id": range(20), "x": [1, 1] + [0] * 18, "z": Z, "y": Y})
LINE = pl.DataFrame({"x": range(1, 9), "y": [0] * 4 + [1] * 4})
TIED = pl.DataFrame({"x": [1, 2, 3, 4, 4, 5, 6, 7, 8], "y": [0] * 4 + [1] * 5})

# term: estimate, standard error, penalized likelihood ratio, interval
FIRTH = {
    "rare": (RARE, "y ~ x + z", -9.31372788218, -0.499652383994, {
        "x": (2.783925758699, 2.169753301733, 3.16208200031, -0.253720055245, 7.99944339636),
        "z": (1.048981814449, 0.579738830716, 4.89105591508, 0.104999068809, 2.50478294599)}),
    "complete": (LINE, "y ~ x", -1.15507520936, -4.64734976998, {
        "x": (1.03274439333, 0.672664781062, 5.73568203251, 0.134140562563, 5.74649614226)}),
    "quasi-complete": (TIED, "y ~ x", -1.86398775178, -4.05812352715, {
        "x": (1.00919637886, 0.661477226881, 5.49005649021, 0.118565151975, 4.81284219444)}),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRTH)
def test_firth_as_r(name):
    frame, formula, log_likelihood, intercept, expected = FIRTH[name]
    fit = fit_logistic(frame, formula)
    assert fit.status == "warning"
    assert fit.check("separation").status == "warning"
    rows = {row.term: row for row in fit.estimates}
    assert rows["Intercept"].estimate == pytest.approx(intercept, rel=1e-7)
    for term, (value, error, statistic, low, high) in expected.items():
        row = rows[term]
        assert row.estimate == pytest.approx(value, rel=1e-7)
        assert row.std_error == pytest.approx(error, rel=1e-7)
        assert row.statistic == pytest.approx(statistic, rel=1e-7)
        assert (row.conf_low, row.conf_high) == pytest.approx((low, high), rel=1e-6)
    # The penalty holds the information on the scale of the data, whatever the units.
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-9)


def hundred() -> pl.DataFrame:
    """Two of a hundred patients have x = 1; both respond, and have the highest grade."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=100), (rng.random(100) < 0.4).astype(int)
    x = np.append([1, 1], np.zeros(98, dtype=int))
    y[:2] = 1
    grade = y + (rng.random(100) < 0.3) * y
    grade[:2] = 2
    return pl.DataFrame({"id": range(100), "x": x, "z": z, "y": y, "grade": grade})


def test_two_patients_of_a_category_are_no_odds_ratio_of_e_to_the_38():
    fit = fit_logistic(hundred(), "y ~ x + z")
    assert fit.check("separation") is not None
    assert abs(fit.estimates[1].estimate) < 4
    assert fit.estimates[1].std_error > 1


@pytest.mark.parametrize(
    "fit",
    [
        lambda d: fit_logistic(d, "y ~ x + z", penalty="none"),
        lambda d: fit_ordinal(d, "grade ~ x + z"),
        lambda d: fit_gee(d, "y ~ x + z", "id"),
        lambda d: fit_gee(pl.concat([d, d]), "y ~ x + z", "id"),
    ],
)
@pytest.mark.parametrize("flip", [False, True])
def test_without_a_penalty_it_is_refused(fit, flip):
    frame = hundred()
    if flip:
        frame = frame.with_columns(y=1 - pl.col("y"), grade=2 - pl.col("grade"))
    found = fit(frame)
    assert (found.status, found.reason) == ("not_estimable", "separation")
    assert found.estimates == ()
    assert "fit_logistic" in found.advice or "firth" in found.advice


def test_firth_does_not_make_a_number_of_what_is_far_apart():
    # 60 patients on either side of a narrow gap: Firth's odds ratio would be beyond e to the 20.
    x = np.concatenate([np.arange(30) / 10, 3 + np.arange(30) / 10])
    frame = pl.DataFrame({"x": x, "y": np.repeat([0, 1], 30)})
    for penalty in ("auto", "firth", "none"):
        found = fit_logistic(frame, "y ~ x", penalty=penalty)
        assert (found.status, found.reason) == ("not_estimable", "separation")
        assert found.advice
    asked = fit_logistic(LINE, "y ~ x", penalty="firth")
    assert asked.check("separation").status == "warning"


def test_one_answer_the_other_way_is_a_maximum_for_all():
    frame = hundred().with_columns(
        y=pl.when(pl.col("id") == 0).then(0).otherwise("y"),
        grade=pl.when(pl.col("id") == 0).then(0).otherwise("grade"),
    )
    for found in (
        fit_logistic(frame, "y ~ x + z"),
        fit_ordinal(frame, "grade ~ x + z"),
        fit_gee(frame, "y ~ x + z", "id"),
    ):
        assert found.status != "not_estimable"
        assert found.check("separation") is None
        assert all(abs(row.estimate) < 4 for row in found.estimates)


def test_a_steep_slope_that_has_a_maximum_is_not_called_separated():
    # One patient of either answer beyond the other's edge: steep, and estimable.
    x = np.concatenate([np.arange(30) / 10, [3.001, 2.999], 3.1 + np.arange(30) / 10])
    y = np.concatenate([np.zeros(31), np.ones(31)])
    fit = fit_logistic(pl.DataFrame({"x": x, "y": y}), "y ~ x", penalty="none")
    assert fit.status != "not_estimable"
    assert fit.estimates[1].estimate > 20
    assert fit.estimates[1].p_value < 1e-6


def test_brants_test_leaves_a_separated_cut_alone():
    # Above the second cut all have x = 1: the joint fit has a maximum, the cut alone has not.
    frame = pl.DataFrame(
        {"x": [0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1], "g": [0, 0, 1, 1, 0, 1, 1, 0, 1, 2, 2, 2, 1]}
    )
    fit = fit_ordinal(frame, "g ~ x")
    assert fit.status != "not_estimable"
    assert brant_check(fit.design).status == "note"


def test_an_exposure_that_separates_gets_its_thirds_only():
    x = np.arange(30.0)
    frame = pl.DataFrame({"id": range(30), "x": x, "y": (x > 14).astype(int)})
    found = response_by_exposure(frame, "y", "x")
    assert (found.status, found.reason) == ("not_estimable", "separation")
    assert found.p_value is None
    assert [third.rate.successes for third in found.thirds] == [0, 5, 10]
    # A curve may separate what a line does not: the responders in the middle.
    middle = frame.with_columns(y=((pl.col("x") > 9) & (pl.col("x") < 20)).cast(int))
    assert response_by_exposure(middle, "y", "x").reason == "separation"
    near = frame.with_columns(y=pl.when(pl.col("id").is_in([3, 25])).then(1 - pl.col("y"))
                              .otherwise("y"))  # fmt: skip
    assert response_by_exposure(near, "y", "x").status == "ok"
