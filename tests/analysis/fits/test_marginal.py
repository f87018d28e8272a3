"""Means and contrasts at chosen values, and statsmodels' results object of a fit."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import (
    Fit,
    fit_mixed,
    marginal_means,
    patient_influence,
    predict_patients,
    variance_shares,
)
from analysis.errors import UserError


def trial() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    patient = np.repeat(np.arange(16), 5)
    day = np.tile(np.arange(5.0), 16)
    arm = np.where(patient % 2, "b", "a")
    effects = rng.normal(size=(16, 2)) * [0.8, 0.3]
    y = 1 + 0.2 * day + effects[patient, 0] + effects[patient, 1] * day
    y = y + 0.7 * (arm == "b") + rng.normal(0, 0.5, len(day))
    age = (40 + 2 * patient).astype(int)
    return pl.DataFrame({"p": patient, "day": day, "arm": arm, "age": age, "y": y})


@pytest.fixture(scope="module")
def fit() -> Fit:
    return fit_mixed(trial(), "y ~ day * arm + age", "p", "1 + day")


def test_contrast_of_groups_on_a_day(fit):
    found = fit.contrast({"arm": "b", "day": 3.0}, {"arm": "a", "day": 3.0})
    values = {estimate.term: estimate.estimate for estimate in fit.estimates}
    assert found.estimate == pytest.approx(values["arm[T.b]"] + 3 * values["day:arm[T.b]"])
    assert found.term == "arm = b, day = 3.0 - arm = a, day = 3.0"
    assert 8 < found.df < 20
    assert found.conf_low < found.estimate < found.conf_high
    assert found.statistic == pytest.approx(found.estimate / found.std_error)


def test_a_contrast_of_one_coefficient_is_its_row_of_the_table(fit):
    found = fit.contrast({"arm": "b", "day": 0.0}, {"arm": "a", "day": 0.0})
    row = next(estimate for estimate in fit.estimates if estimate.term == "arm[T.b]")
    for name in ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high"):
        assert getattr(found, name) == pytest.approx(getattr(row, name), rel=1e-8)


def test_a_mean_is_averaged_over_what_is_not_named(fit):
    found = fit.contrast({"arm": "a", "day": 2.0})
    values = {estimate.term: estimate.estimate for estimate in fit.estimates}
    age = 40 + 2 * 7.5
    expected = values["Intercept"] + 2 * values["day"] + age * values["age"]
    assert found.estimate == pytest.approx(expected)


def test_whole_numbers_take_values_between(fit):
    one = fit.contrast({"age": 50.5}, {"age": 50})
    values = {estimate.term: estimate.estimate for estimate in fit.estimates}
    assert one.estimate == pytest.approx(0.5 * values["age"])


def test_restored_fits_take_their_data_again(fit):
    restored = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    at, against = {"arm": "b"}, {"arm": "a"}
    again = restored.contrast(at, against, frame=trial())
    assert again.p_value == pytest.approx(fit.contrast(at, against).p_value)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ({"dose": 1}, "'dose' is not in the model's fixed part; it holds age, arm, day"),
        ({"arm": "c"}, "'arm' has no level 'c'; it has a, b"),
    ],
)
def test_what_cannot_be_set(fit, at, said):
    with pytest.raises(UserError, match=said):
        fit.contrast(at)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), np.float64("nan"), "x", None, [1.0], "3"]
)
def test_a_value_that_is_no_number_is_refused_in_one_line(fit, value):
    for ask in (
        lambda: fit.contrast({"day": value}),
        lambda: fit.contrast({"day": 1.0}, {"day": value}),
        lambda: marginal_means(fit, {"day": [value]}),
        lambda: predict_patients(fit, [{"day": value}], ["3"]),
        lambda: variance_shares(fit, [{"day": value}]),
        lambda: patient_influence(fit, {"day": value}),
    ):
        with pytest.raises(UserError, match="'day' must be a finite number, such as 0") as raised:
            ask()
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("value", [None, float("nan"), 3, "c"])
def test_a_level_that_is_not_there_is_refused(fit, value):
    with pytest.raises(UserError, match=r"'arm' has no level .*; it has a, b"):
        fit.contrast({"arm": value})
    with pytest.raises(UserError, match=r"'arm' has no level .*; it has a, b"):
        marginal_means(fit, {"arm": [value]})


def test_a_number_taken_as_a_factor_has_levels():
    fit = fit_mixed(trial(), "y ~ C(day)", "p")
    assert fit.contrast({"day": 2}).estimate == pytest.approx(
        fit.estimates[0].estimate + fit.estimates[2].estimate
    )
    with pytest.raises(UserError, match=r"'day' has no level 2.5; it has 0.0, 1.0"):
        fit.contrast({"day": 2.5})


def test_a_number_of_numpy_is_a_number(fit):
    assert fit.contrast({"day": np.int64(3)}).estimate == fit.contrast({"day": 3.0}).estimate


def test_beyond_what_was_observed_the_answer_is_a_warning(fit):
    inside, far = fit.contrast({"day": 4.0}), fit.contrast({"day": 500.0})
    assert (inside.status, inside.caution) == ("ok", "")
    assert far.status == "warning"
    assert far.caution == (
        "Extrapolated: day = 500 lies outside what was observed (0 to 4), so the answer rests on "
        "the shape of the model alone."
    )
    values = {estimate.term: estimate.estimate for estimate in fit.estimates}
    slope = fit.contrast({"arm": "a", "day": 500.0}, {"arm": "a", "day": 0.0})
    assert slope.estimate == pytest.approx(500 * values["day"])
    assert slope.status == "warning"
    rows = marginal_means(fit, {"day": [1.0, 500.0]}, contrast="day").rows
    assert [bool(row.caution) for row in rows] == [False, True, True]
    assert predict_patients(fit, [{"day": -1.0}], ["3"]).predictions[0].caution
    assert variance_shares(fit, [{"day": 9.0}]).icc_at[0].caution
    assert "Extrapolated" in patient_influence(fit, {"day": 9.0}).note


def test_the_range_is_that_of_the_chosen_group():
    short = trial().filter((pl.col("arm") == "a") | (pl.col("day") < 3))
    fit = fit_mixed(short, "y ~ day * arm", "p")
    assert fit.contrast({"arm": "a", "day": 4.0}).status == "ok"
    found = fit.contrast({"arm": "b", "day": 4.0})
    assert "(0 to 2)" in found.caution


def test_a_fit_with_a_caution_keeps_it(fit):
    row = fit.contrast({"day": 500.0})
    kept = fit.replace(estimates=(row,))
    assert Fit.from_dict(json.loads(json.dumps(kept.to_dict()))).estimates == (row,)
    assert "caution" not in kept.table().columns


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
@pytest.mark.parametrize("reml", [True, False])
def test_statsmodels_results_object(covariance, reml):
    fit = fit_mixed(trial(), "y ~ day * arm", "p", "1 + day", reml=reml, covariance=covariance)
    results = fit.design.statsmodels_results()
    assert results.llf == pytest.approx(fit.log_likelihood, abs=1e-5)
    ours = [estimate.estimate for estimate in fit.estimates]
    np.testing.assert_allclose(results.fe_params, ours, rtol=1e-4)
    errors = [estimate.std_error for estimate in fit.estimates]
    np.testing.assert_allclose(results.bse_fe, errors, rtol=1e-3)
