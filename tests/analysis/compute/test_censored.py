"""The censored mean is the maximum of the likelihood, and falls back to the ordinary mean."""

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.compute.censored import censored_log_mean, censored_log_means
from analysis.compute.intervals import geometric_mean


def negative_log_likelihood(parameters, value, lower, upper):
    mu, sigma = parameters[0], np.exp(parameters[1])
    exact = ~np.isnan(value)
    with np.errstate(divide="ignore"):
        low = np.log(np.where(lower[~exact] > 0, lower[~exact], 0.0))
        high = np.where(np.isnan(upper[~exact]), np.inf, np.log(upper[~exact]))
    mass = stats.norm.cdf((high - mu) / sigma) - stats.norm.cdf((low - mu) / sigma)
    return -(
        stats.norm.logpdf(np.log(value[exact]), mu, sigma).sum()
        + np.log(np.maximum(mass, 1e-300)).sum()
    )


def simulated(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 40))
    logs = rng.normal(rng.normal(0, 5), rng.uniform(0.2, 3), n)
    limit = np.quantile(logs, rng.uniform(0.05, 0.7))
    value, lower, upper = np.exp(logs), np.full(n, np.nan), np.full(n, np.nan)
    below = logs < limit
    value[below], lower[below], upper[below] = np.nan, 0.0, np.exp(limit)
    if seed % 3 == 0:
        above = logs > np.quantile(logs, 0.9)
        value[above], lower[above] = np.nan, np.exp(np.quantile(logs, 0.9))
    if seed % 3 == 1:
        between = (rng.random(n) < 0.2) & ~below
        lower[between], upper[between] = np.exp(logs[between] - 0.5), np.exp(logs[between] + 0.3)
        value[between] = np.nan
    return value, lower, upper


@pytest.mark.parametrize("seed", range(60))
def test_equals_the_numeric_optimum(seed):
    value, lower, upper = simulated(seed)
    found = censored_log_mean(value, lower, upper)
    if found.reason:
        assert np.isnan(found.mean)
        return
    if found.n_censored == 0:
        pytest.skip("nothing censored")
    exact = np.log(value[~np.isnan(value)])
    best = optimize.minimize(
        negative_log_likelihood, [exact.mean(), np.log(exact.std() + 0.1)],
        args=(value, lower, upper), method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 5000},
    )  # fmt: skip
    assert np.log(found.mean) == pytest.approx(best.x[0], abs=2e-5)
    assert found.sd_log == pytest.approx(np.exp(best.x[1]), abs=2e-5)


def test_standard_error_is_that_of_the_observed_information():
    value, lower, upper = simulated(1)
    found = censored_log_mean(value, lower, upper)
    at = np.array([np.log(found.mean), np.log(found.sd_log)])
    step, hessian = 1e-4, np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            e, f = np.eye(2)[i] * step, np.eye(2)[j] * step
            hessian[i, j] = sum(
                sign * negative_log_likelihood(at + a * e + b * f, value, lower, upper)
                for a, b, sign in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
            ) / (4 * step**2)
    se = np.sqrt(np.linalg.inv(hessian)[0, 0])
    n_exact = int((~np.isnan(value)).sum())
    half = np.log(found.conf_high) - np.log(found.mean)
    assert half == pytest.approx(stats.t.ppf(0.975, n_exact - 1) * se, rel=1e-4)


def test_without_censoring_it_is_the_geometric_mean():
    values = np.array([3.0, 10.0, 45.0, 7.0])
    nothing = np.full(4, np.nan)
    found, plain = censored_log_mean(values, nothing, nothing), geometric_mean(values)
    assert (found.mean, found.conf_low, found.conf_high) == pytest.approx(
        (plain.mean, plain.conf_low, plain.conf_high)
    )


def test_between_dropping_and_half_the_limit():
    value = np.array([np.nan, np.nan, 60.0, 200.0, 800.0, 1500.0])
    lower, upper = np.where(np.isnan(value), 0.0, np.nan), np.where(np.isnan(value), 50.0, np.nan)
    found = censored_log_mean(value, lower, upper)
    dropped = geometric_mean(value).mean
    assert found.mean < dropped
    assert found.n_censored == 2


@pytest.mark.parametrize("seed", range(5))
def test_unbiased_where_dropping_is_not(seed):
    rng = np.random.default_rng(seed)
    logs = rng.normal(5.0, 1.5, 4000)
    below = logs < 5.0
    value = np.where(below, np.nan, np.exp(logs))
    found = censored_log_mean(
        value, np.where(below, 0.0, np.nan), np.where(below, np.exp(5.0), np.nan)
    )
    assert np.log(found.mean) == pytest.approx(5.0, abs=0.12)
    assert np.log(geometric_mean(value).mean) > 6.0


@pytest.mark.parametrize(
    ("value", "upper", "reason"),
    [
        ([1.0, 2.0], [np.nan] * 2, "fewer than 3"),
        ([np.nan] * 3, [5.0] * 3, "all values"),
        ([7.0, np.nan, np.nan], [np.nan, 5.0, 5.0], "two different exact"),
        ([7.0, 7.0, np.nan], [np.nan, np.nan, 5.0], "two different exact"),
    ],
)
def test_too_little_to_estimate(value, upper, reason):
    lower = np.where(np.isnan(value), 0.0, np.nan)
    found = censored_log_mean(value, lower, upper)
    assert np.isnan(found.mean)
    assert reason in found.reason


def test_bad_rows():
    with pytest.raises(ValueError, match="positive"):
        censored_log_mean([0.0, 1.0, 2.0], [np.nan] * 3, [np.nan] * 3)
    with pytest.raises(ValueError, match="neither"):
        censored_log_mean([np.nan, 1.0, 2.0], [np.nan] * 3, [np.nan] * 3)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scale_of_the_unit_does_not_matter(scale):
    value, lower, upper = simulated(1)
    one = censored_log_mean(value, lower, upper)
    other = censored_log_mean(value * scale, lower * scale, upper * scale)
    assert other.mean == pytest.approx(one.mean * scale, rel=1e-6)
    assert other.sd_log == pytest.approx(one.sd_log, rel=1e-6)


def test_many_samples_at_once_are_each_on_their_own():
    """Samples with and without a mean, censored and not, stand side by side unchanged."""
    nothing = np.array([np.nan])
    samples = [simulated(seed) for seed in range(40)]
    samples[5:5] = [(np.array([4.0]), nothing, nothing), (nothing, np.zeros(1), np.ones(1))]
    samples[9:9] = [(np.array([2.0, 3.0, 5.0, 7.0]), *[np.full(4, np.nan)] * 2)]
    together = censored_log_means(
        *(np.concatenate(part) for part in zip(*samples, strict=True)),
        [value.size for value, _, _ in samples],
    )
    reasons = set()
    for sample, found in zip(samples, together, strict=True):
        alone = censored_log_mean(*sample)
        assert (found.n, found.n_censored, found.reason) == (
            alone.n, alone.n_censored, alone.reason,
        )  # fmt: skip
        numbers = [(one.mean, one.conf_low, one.conf_high, one.sd_log) for one in (found, alone)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-9, nan_ok=True)
        reasons.add(found.reason)
    assert {"", "fewer than 3 values"} <= reasons
    assert together[9].mean == pytest.approx(210**0.25)
