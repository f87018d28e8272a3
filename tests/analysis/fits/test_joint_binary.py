"""Shared random effects and a binary response, against truth and an integral written out."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from analysis import Fit, fit_joint_binary
from analysis.errors import UserError


def response_trial(patients=400, seed=1, value=1.0, effect=0.5, sigma=0.5):
    """A signal with its own line per patient; logit = -0.5 + effect x + value (course at 3 - 1)."""
    rng = np.random.default_rng(seed)
    b = rng.multivariate_normal([0, 0], [[0.6, 0.05], [0.05, 0.06]], size=patients)
    x = rng.integers(0, 2, patients).astype(float)
    day = np.tile(np.arange(6.0), (patients, 1)) + rng.uniform(0, 0.3, (patients, 6))
    lines = np.array([1.0, 0.2]) + b
    y = lines[:, :1] + lines[:, 1:] * day + rng.normal(0, sigma, day.shape)
    at = lines[:, 0] + 3 * lines[:, 1]
    response = rng.uniform(size=patients) < expit(-0.5 + effect * x + value * (at - 1))
    who = np.repeat(np.arange(patients), 6)
    visits = pl.DataFrame({"patient": who, "day": day.ravel(), "y": y.ravel()})
    return visits, pl.DataFrame(
        {"patient": np.arange(patients), "x": x, "response": response.astype(int)}
    )


def fit_response(visits, responses, **options) -> Fit:
    settings = {"landmark": 3.0, "response_formula": "x", "random": "1 + day"} | options
    return fit_joint_binary(
        visits, responses, formula="y ~ day", group="patient", long_time="day",
        response="response", **settings,
    )  # fmt: skip


def row(fit, term, part):
    return next(item for item in fit.estimates if (item.term, item.part) == (term, part))


def test_the_truth_is_recovered():
    visits, responses = response_trial(900)
    fit = fit_response(visits, responses)
    assert fit.status == "ok", fit.advice
    for term, part, truth in (
        ("day", "longitudinal", 0.2),
        ("x", "response", 0.5),
        ("value", "association", 1.0),
        ("Intercept", "response", -1.5),
    ):
        found = row(fit, term, part)
        assert abs(found.estimate - truth) < 3 * found.std_error, term
        assert 0 < found.std_error < 0.3
    assert fit.excluded[0].reason == "measured after the landmark (3)"
    assert fit.sentence.startswith("Each unit more of y goes with an odds ratio of response of ")


def test_the_measured_value_is_drawn_toward_none():
    """Logistic regression on the last measured value before the landmark: too weak."""
    visits, responses = response_trial(900, sigma=1.2)
    fit = fit_response(visits, responses)
    last = (
        visits.filter(pl.col("day") <= 3.0).sort("day").group_by("patient").last().sort("patient")
    )
    joined = responses.join(last, on="patient", maintain_order="left")
    design = np.column_stack([np.ones(joined.height), joined["x"], joined["y"]])
    beta = np.zeros(3)
    for _ in range(20):
        chance = expit(design @ beta)
        weight = design.T * (chance * (1 - chance))
        beta += np.linalg.solve(weight @ design, design.T @ (joined["response"] - chance))
    found = row(fit, "value", "association")
    assert beta[2] < 0.7 * found.estimate
    assert abs(found.estimate - 1.0) < 3 * found.std_error


def test_score_and_information_equal_differences():
    visits, responses = response_trial(80, seed=3)
    for options in ({"association": ("value", "slope")}, {"association": "effects"}):
        fit = fit_response(visits, responses, **options)
        likelihood = fit.design.problem.likelihood
        theta = fit.design.theta + np.random.default_rng(1).normal(0, 0.05, likelihood.layout.size)
        centers = likelihood.centers(theta, likelihood.start())
        point, step = likelihood.evaluate(theta, centers), 1e-5
        for k in range(len(theta)):
            up, down = (theta + s * step * (np.arange(len(theta)) == k) for s in (1, -1))
            slope = (likelihood.value(up, centers) - likelihood.value(down, centers)) / (2 * step)
            assert point.score[k] == pytest.approx(slope, rel=1e-5, abs=1e-4)
            turn = likelihood.evaluate(up, centers).score - likelihood.evaluate(down, centers).score
            np.testing.assert_allclose(point.hessian[k], turn / (2 * step), rtol=2e-5, atol=2e-3)


def test_effects_hold_the_value_at_any_day():
    """The value at 3 is intercept + 3 slope: without a slope effect both models are one."""
    visits, responses = response_trial(200, seed=5)
    value = fit_response(visits, responses, random="1")
    effects = fit_response(visits, responses, random="1", association="effects")
    assert effects.log_likelihood == pytest.approx(value.log_likelihood, abs=1e-6)
    assert row(effects, "(Intercept)", "association").estimate == pytest.approx(
        row(value, "value", "association").estimate, rel=1e-4
    )


def test_later_measurements_are_not_used():
    visits, responses = response_trial(150, seed=6)
    later = visits.with_columns(y=pl.when(pl.col("day") > 3.0).then(-50.0).otherwise(pl.col("y")))
    assert fit_response(later, responses).estimates == fit_response(visits, responses).estimates


def test_values_below_a_limit():
    visits, responses = response_trial(500, seed=8)
    limited = visits.with_columns(
        y=pl.when(pl.col("y") > 0.8).then(pl.col("y")),
        upper=pl.when(pl.col("y") <= 0.8).then(0.8),
    )
    fit = fit_response(limited, responses, upper="upper")
    assert fit.n_censored > 300
    for term, part, truth in (("day", "longitudinal", 0.2), ("value", "association", 1.0)):
        found = row(fit, term, part)
        assert abs(found.estimate - truth) < 3 * found.std_error, term


def test_what_cannot_be_fitted_says_why():
    visits, responses = response_trial(60, seed=2)
    rare = fit_response(visits, responses.with_columns(response=(pl.col("patient") < 5).cast(int)))
    assert (rare.status, rare.reason) == ("not_estimable", "too_few_responses")
    assert "5 with and 55 without response" in rare.sentence
    assert rare.estimates == ()
    copied = responses.with_columns(x=pl.col("response").cast(float))
    perfect = fit_response(visits, copied)
    assert (perfect.status, perfect.reason) == ("not_estimable", "separation")
    assert "'x'" in perfect.sentence
    twice = fit_response(visits, pl.concat([responses, responses[:1]]))
    assert twice.reason == "duplicate_subject"
    json.dumps(twice.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"landmark": None}, "landmark is needed"),
        ({"association": "current"}, "association 'current' does not exist"),
        ({"association": ("effects", "value")}, "stands alone"),
        ({"landmark": -1.0}, "landmark must be a day after 0"),
        ({"level": 2}, "level 2 must lie between 0 and 1"),
    ],
)
def test_options_that_do_not_exist(options, message):
    with pytest.raises(UserError, match=message):
        fit_response(*response_trial(60), **options)
