"""fit_censored_mixed: published values, limits, truth, invariances."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal

from analysis import fit_censored_mixed, fit_mixed
from analysis.fits.censored_likelihood import likelihood_of
from analysis.fits.censored_restricted import restricted

TRUTH = (1.0, 0.5)


def trial(seed: int = 1, patients: int = 24, visits: int = 6, limit: float = 0.8) -> pl.DataFrame:
    """Random intercept and slope; about a third of the values below the limit."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), visits)
    day = np.tile(np.arange(visits) / 2.0, patients)
    level, slope = rng.normal(0, 0.8, patients), rng.normal(0, 0.3, patients)
    mean = TRUTH[0] + TRUTH[1] * day
    y = mean + level[patient] + slope[patient] * day + rng.normal(0, 0.4, len(day))
    below = y < limit
    return pl.DataFrame(
        {
            "p": [f"P{number:03d}" for number in patient],
            "day": day,
            "arm": (patient % 2).astype(float),
            "y": np.where(below, np.nan, y),
            "lower": pl.Series(np.where(below, np.nan, y)).fill_nan(None),
            "upper": np.where(below, limit, y),
            "truth": y,
        }
    )


def values(fit):
    return np.array([row.estimate for row in fit.estimates])


def test_uti_random_intercept_is_the_published_fit(shared):
    """lmec 1.0 (Vaida, Liu): 31 fixed nodes gave 3.935."""
    frame, golden = _uti(shared)
    fit = fit_censored_mixed(frame, "y ~ month", "patient", inference="wald")
    wanted = golden["random_intercept"]
    assert values(fit) == pytest.approx(wanted["beta"], abs=1e-4)
    assert fit.variance_components[0].variance == pytest.approx(wanted["Psi"], abs=2e-4)
    assert fit.variance_components[-1].sd_or_corr == pytest.approx(wanted["sigma"], abs=1e-4)
    errors = [row.std_error for row in fit.estimates]
    assert errors == pytest.approx(np.sqrt(np.diag(np.reshape(wanted["varFix"], (2, 2)))), rel=0.01)
    assert (fit.status, fit.n_censored, fit.n_observations) == ("ok", 26, 362)


def test_uti_random_slope_lies_above_the_published_fit(shared):
    """lmec stopped before the maximum: the exact log-likelihood at its values is 0.088 lower."""
    frame, golden = _uti(shared)
    fit = fit_censored_mixed(frame, "y ~ month", "patient", "1 + month")
    wanted = golden["random_slope"]
    assert values(fit) == pytest.approx(wanted["beta"], abs=0.005)
    block = np.reshape(wanted["Psi"], (2, 2))
    theirs = exact_log_likelihood(fit.design, np.array(wanted["beta"]), block, wanted["sigma"] ** 2)
    f = fit.design
    ours = exact_log_likelihood(f, f.beta, f.block, f.sigma2)
    assert fit.log_likelihood == pytest.approx(ours, abs=1e-4)
    # R 4.2.2, trapezoid over 801 by 801 effects of every patient at both maxima.
    assert fit.log_likelihood == pytest.approx(-431.0356986, abs=1e-5)
    assert ours - theirs == pytest.approx(-431.0356986 + 431.1235692, abs=1e-3)


def _uti(shared):
    frame = pl.read_csv(shared / "golden" / "uti.csv").with_columns(
        lower=pl.when(pl.col("cens") == 0).then("y"), upper="y"
    )
    return frame, json.loads((shared / "golden" / "censored_uti.json").read_text())


def exact_log_likelihood(fitted, beta, block, sigma2) -> float:
    """By the density of the exact values and the normal probability of the others given them."""
    d, limits, total = fitted.design, fitted.limits, 0.0
    for number in range(d.n_subjects):
        own = d.patient == number
        x, z, censored = d.matrices.x[own], d.matrices.z[own], limits.censored[own]
        cov = z @ block @ z.T + sigma2 * np.eye(len(z))
        mean, e = x @ beta, ~censored
        if e.any():
            total += multivariate_normal.logpdf(d.matrices.y[own][e], mean[e], cov[np.ix_(e, e)])
        if not censored.any():
            continue
        given, rest = mean[censored], cov[np.ix_(censored, censored)]
        if e.any():
            weight = cov[np.ix_(censored, e)] @ np.linalg.inv(cov[np.ix_(e, e)])
            given = given + weight @ (d.matrices.y[own][e] - mean[e])
            rest = rest - weight @ cov[np.ix_(e, censored)]
        total += np.log(
            multivariate_normal.cdf(
                limits.high[own][censored], given, rest, lower_limit=limits.low[own][censored],
                abseps=1e-8, releps=1e-8, maxpts=1_000_000, rng=np.random.default_rng(1),
            )
        )  # fmt: skip
    return float(total)


def test_the_integral_is_the_normal_probability():
    """Left, right and interval rows together, against scipy's multivariate normal."""
    frame = trial().with_columns(
        lower=pl.when(pl.col("truth") > 2.4).then(2.4).otherwise("lower"),
        upper=pl.when(pl.col("truth") > 2.4).then(None).otherwise("upper"),
    )
    between = pl.col("truth").is_between(1.5, 1.8)
    frame = frame.with_columns(
        lower=pl.when(between).then(1.5).otherwise("lower"),
        upper=pl.when(between).then(1.8).otherwise("upper"),
    )
    fit = fit_censored_mixed(frame, "y ~ day", "p", "1 + day")
    f = fit.design
    assert fit.n_censored > 50
    assert fit.log_likelihood == pytest.approx(
        exact_log_likelihood(f, f.beta, f.block, f.sigma2), abs=2e-4
    )


@pytest.mark.parametrize("random", ["1", "1 + day"])
def test_without_censored_values_it_is_maximum_likelihood(random):
    frame = trial().with_columns(y="truth", lower=None, upper=None)
    fit = fit_censored_mixed(frame, "y ~ day * arm", "p", random)
    plain = fit_mixed(frame, "y ~ day * arm", "p", random, reml=False)
    assert values(fit) == pytest.approx(values(plain), abs=1e-6)
    assert fit.criterion == pytest.approx(plain.criterion, abs=1e-6)
    for mine, theirs in zip(fit.variance_components, plain.variance_components, strict=True):
        assert mine[:3] == theirs[:3]
        assert mine.variance == pytest.approx(theirs.variance, abs=1e-6)


def test_robust_errors_are_those_of_leaving_out_each_patient():
    frame = trial(patients=20)
    fit = fit_censored_mixed(frame, "y ~ day * arm", "p", inference="robust")
    left = np.array(
        [
            values(fit_censored_mixed(frame.filter(pl.col("p") != name), "y ~ day * arm", "p"))
            for name in frame["p"].unique()
        ]
    )
    jackknife = np.sqrt(19 / 20 * ((left - values(fit)) ** 2).sum(axis=0))
    # One Newton step goes a little further than the refit, so the errors are a little larger.
    ratio = np.array([row.std_error for row in fit.estimates]) / jackknife
    assert np.all((ratio > 1.0) & (ratio < 1.25))
    assert {row.df for row in fit.estimates} == {18.0}


@pytest.mark.parametrize("patients", [10, 12, 20])
@pytest.mark.parametrize("random", ["1", "1 + day"])
def test_without_censored_values_errors_and_degrees_of_freedom_are_those_of_reml(random, patients):
    frame = trial(patients, patients=patients).with_columns(y="truth", lower=None, upper=None)
    fit = fit_censored_mixed(frame, "y ~ day * arm", "p", random)
    reml = fit_mixed(frame, "y ~ day * arm", "p", random)
    for mine, theirs in zip(fit.estimates, reml.estimates, strict=True):
        assert mine.std_error == pytest.approx(theirs.std_error, rel=2e-5)
        assert mine.df == pytest.approx(theirs.df, rel=1e-4)


@pytest.mark.parametrize("random", ["1", "1 + day"])
def test_degrees_of_freedom_of_the_plain_likelihood_are_those_of_maximum_likelihood(random):
    frame = trial(patients=12).with_columns(y="truth", lower=None, upper=None)
    fitted = fit_censored_mixed(frame, "y ~ day * arm", "p", random).design
    plain = fit_mixed(frame, "y ~ day * arm", "p", random, reml=False)
    found = restricted(fitted.likelihood, fitted.found, censored=False, adjusted=False)
    rows = np.linalg.inv(fitted.design.x_transform)
    assert found.degrees(rows) == pytest.approx([row.df for row in plain.estimates], rel=1e-4)


def test_a_vanished_variance_has_the_degrees_of_freedom_of_reml():
    """Zero by maximum likelihood, above zero by REML: the search must leave the boundary."""
    rng = np.random.default_rng(11)
    patient = np.repeat(np.arange(12), 4)
    level = np.linspace(-1, 1, 12) * 0.5
    y = level[patient] + np.tile([0.6, -0.6, 0.5, -0.5], 12) + rng.normal(0, 0.2, 48)
    frame = pl.DataFrame(
        {"p": patient, "arm": patient % 2, "q": patient % 3, "day": np.tile(np.arange(4.0), 12),
         "y": y, "lower": None, "upper": None}
    )  # fmt: skip
    fit = fit_censored_mixed(frame, "y ~ day + arm + C(q)", "p")
    reml = fit_mixed(frame, "y ~ day + arm + C(q)", "p")
    assert fit.variance_components[0].variance < 1e-6 < reml.variance_components[0].variance
    for mine, theirs in zip(fit.estimates, reml.estimates, strict=True):
        assert mine.std_error == pytest.approx(theirs.std_error, rel=1e-4)
        assert mine.df == pytest.approx(theirs.df, rel=1e-3)


def test_score_is_the_slope_of_the_log_likelihood():
    fit = fit_censored_mixed(trial(), "y ~ day", "p", "1 + day")
    f = fit.design
    likelihood = likelihood_of(f.design, f.limits, 20)
    theta = f.found.theta + 0.1 * np.cos(np.arange(f.layout.size))

    def value(point):
        return likelihood.value(point, likelihood.centers(point, likelihood.start()))

    score = likelihood.evaluate(theta, likelihood.centers(theta, likelihood.start())).score
    steps = np.eye(len(theta)) * 1e-5
    numeric = [(value(theta + step) - value(theta - step)) / 2e-5 for step in steps]
    assert score == pytest.approx(numeric, abs=1e-3)


def test_less_bias_than_dropping_and_half_the_limit():
    """25 trials: log10 scale, the limit known; the slope of the course is the question."""
    found = {"censored": [], "drop": [], "half": []}
    for seed in range(25):
        frame = trial(seed)
        found["censored"].append(
            values(fit_censored_mixed(frame, "y ~ day", "p", "1 + day", inference="wald"))
        )
        kept = frame.filter(pl.col("y").is_not_nan())
        found["drop"].append(values(fit_mixed(kept, "y ~ day", "p", "1 + day", verify=False)))
        half = frame.with_columns(y=pl.col("y").fill_nan(0.8 - np.log10(2)))
        found["half"].append(values(fit_mixed(half, "y ~ day", "p", "1 + day", verify=False)))
    bias = {rule: np.mean(rows, axis=0) - TRUTH for rule, rows in found.items()}
    error = np.std(found["censored"], axis=0) / np.sqrt(25)
    assert np.all(np.abs(bias["censored"]) < 3 * error)
    assert abs(bias["censored"][0]) < 0.3 * abs(bias["drop"][0])
    assert abs(bias["censored"][1]) < 0.5 * abs(bias["drop"][1])
    assert abs(bias["censored"][0]) < 0.5 * abs(bias["half"][0])
    assert abs(bias["censored"][1]) < 0.5 * abs(bias["half"][1])


def test_shift_scale_and_order_change_nothing():
    frame = trial()
    fit = fit_censored_mixed(frame, "y ~ day", "p", "1 + day")
    turned = frame.with_columns(
        (pl.col(name) * 1000 + 7e4).alias(name) for name in ("y", "lower", "upper")
    ).sample(fraction=1, shuffle=True, seed=3)
    other = fit_censored_mixed(turned, "y ~ day", "p", "1 + day")
    assert values(other) == pytest.approx(values(fit) * 1000 + np.array([7e4, 0]), rel=1e-7)
    exact = fit.n_observations - fit.n_censored
    assert other.criterion == pytest.approx(fit.criterion + 2 * exact * np.log(1000), abs=1e-5)
    assert other.estimates[1].std_error == pytest.approx(1000 * fit.estimates[1].std_error, 1e-5)
    assert other.estimates[1].p_value == pytest.approx(fit.estimates[1].p_value, rel=1e-4)


def test_a_logarithm_in_the_formula_takes_the_limits_with_it():
    """Below a limit on the raw scale is 0 to the limit; its logarithm reaches minus infinity."""
    frame = trial()
    raw = frame.with_columns(
        value=10 ** pl.col("y"),
        low=(10 ** pl.col("lower")).fill_null(0.0),
        high=10 ** pl.col("upper"),
    )
    one = fit_censored_mixed(frame, "y ~ day", "p")
    two = fit_censored_mixed(raw, "log10(value) ~ day", "p", lower="low", upper="high")
    assert values(two) == pytest.approx(values(one), abs=1e-7)
    assert two.criterion == pytest.approx(one.criterion, abs=1e-6)


def test_one_censored_row_near_its_value_changes_little():
    frame = trial().with_columns(y="truth", lower="truth", upper="truth")
    exact = fit_censored_mixed(frame, "y ~ day", "p")
    bounded = frame.with_row_index().with_columns(
        lower=pl.when(pl.col("index") == 7).then(pl.col("truth") - 1e-4).otherwise("lower"),
        upper=pl.when(pl.col("index") == 7).then(pl.col("truth") + 1e-4).otherwise("upper"),
    )
    near = fit_censored_mixed(bounded, "y ~ day", "p")
    assert near.n_censored == 1
    assert values(near) == pytest.approx(values(exact), abs=1e-5)
    width = np.log(2e-4)
    assert near.log_likelihood == pytest.approx(exact.log_likelihood + width, abs=1e-4)
