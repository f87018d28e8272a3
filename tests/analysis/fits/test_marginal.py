"""Means and contrasts at chosen values, and statsmodels' results object of a fit."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Fit, fit_mixed
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
