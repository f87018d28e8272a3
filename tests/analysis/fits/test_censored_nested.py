"""Lesions within patients, values below the limit in the likelihood: an integral in an integral."""

import numpy as np
import polars as pl
import pytest
from scipy.special import log_ndtr
from scipy.stats import norm

from analysis import fit_censored_mixed, fit_mixed
from analysis.fits.censored_fitted import FittedCensored
from analysis.fits.censored_likelihood import units

WIDE, POINTS = 9.0, 161


def trial(seed: int = 5, patients: int = 8, limit: float = 0.9) -> pl.DataFrame:
    """Patients with two to four lesions, four days, about a third below the limit and a few known
    to lie in an interval only."""
    rng = np.random.default_rng(seed)
    lesions = rng.integers(2, 5, patients)
    patient = np.repeat(np.arange(patients), 4 * lesions)
    lesion = np.concatenate([np.repeat(np.arange(n), 4) for n in lesions])
    day = np.tile(np.arange(4.0), int(lesions.sum()))
    own = rng.normal(0, 0.5, (patients, 4))
    level, slope = rng.normal(0, 0.7, patients), rng.normal(0, 0.2, patients)
    y = 1 + 0.3 * day + level[patient] + slope[patient] * day + own[patient, lesion]
    y = y + rng.normal(0, 0.4, len(day))
    low = np.where(y < limit, -np.inf, np.where(y > 2.5, 2.5, y))
    high = np.where(y < limit, limit, np.where(y > 2.5, 2.9 + np.maximum(y, 2.9) - 2.9, y))
    return pl.DataFrame(
        {"p": patient, "lesion": lesion, "day": day, "arm": (patient % 2).astype(float), "y": y,
         "lower": low, "upper": high}
    )  # fmt: skip


def dense_log_likelihood(fitted: FittedCensored) -> float:
    """Trapezoids over dense grids of standard normal effects, the lesion's inside the patient's:
    exact for so smooth a function, and none of the nodes of the fit."""
    w, step = np.linspace(-WIDE, WIDE, POINTS, retstep=True)
    d, q, sigma = fitted.design, len(fitted.block), float(np.sqrt(fitted.sigma2))
    u = np.stack(np.meshgrid(*[w] * q, indexing="ij"), axis=-1).reshape(-1, q)
    values, vectors = np.linalg.eigh(fitted.block)
    effects = u @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    own = w * float(np.sqrt(fitted.nested_variances[0]))
    total, lesion = 0.0, units(d)
    for patient in range(d.n_subjects):
        terms = norm.logpdf(u).sum(axis=1) + q * np.log(step)
        for number in np.unique(lesion[d.patient == patient]):
            inner = np.tile(norm.logpdf(w) + np.log(step), (len(u), 1))
            for row in np.flatnonzero(lesion == number):
                mean = d.matrices.x[row] @ fitted.beta + effects @ d.matrices.z[row]
                inner += log_chance(fitted, row, mean[:, None] + own, sigma)
            terms += np.logaddexp.reduce(inner, axis=1)
        total += float(np.logaddexp.reduce(terms))
    return total


def log_chance(fitted: FittedCensored, row: int, mean: np.ndarray, sigma: float) -> np.ndarray:
    limits = fitted.limits
    if not limits.censored[row]:
        return norm.logpdf(fitted.design.matrices.y[row], mean, sigma)
    high = log_ndtr((limits.high[row] - mean) / sigma)
    if np.isinf(limits.low[row]):
        return high
    # Far out both probabilities are zero to the last digit, and so is the prior's weight there.
    with np.errstate(divide="ignore"):
        return np.log(norm.cdf((limits.high[row] - mean) / sigma)
                      - norm.cdf((limits.low[row] - mean) / sigma))  # fmt: skip


@pytest.mark.parametrize(("random", "error"), [("1", 1e-6), ("1 + day", 3e-4)])
def test_the_quadrature_is_the_brute_force_integral(random, error):
    fit = fit_censored_mixed(trial(), "y ~ day", "p", random, "lesion")
    assert fit.n_censored > 25
    assert fit.check("integral").status == "ok"
    assert fit.log_likelihood == pytest.approx(dense_log_likelihood(fit.design), abs=error)


@pytest.mark.parametrize("random", ["1", "1 + day"])
def test_without_a_limit_it_is_the_mixed_model(random):
    frame = trial(6, 14, -99.0).with_columns(lower=None, upper=None)
    found = fit_censored_mixed(frame, "y ~ day * arm", "p", random, "lesion")
    whole = fit_mixed(frame, "y ~ day * arm", "p", random, "lesion", reml=False)
    restricted = fit_mixed(frame, "y ~ day * arm", "p", random, "lesion")
    assert found.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-8)
    assert found.icc == pytest.approx(whole.icc, rel=1e-5)
    q = len(found.design.block)
    np.testing.assert_allclose(
        found.design.random_effects, whole.design.random_effects[:, :q], atol=1e-5
    )
    np.testing.assert_allclose(found.design.fitted, whole.design.fitted, atol=1e-5)
    for one, other in zip(found.variance_components, whole.variance_components, strict=True):
        assert (one.group, one.term_1, one.term_2) == (other.group, other.term_1, other.term_2)
        assert one.variance == pytest.approx(other.variance, rel=1e-5)
    for one, other in zip(found.estimates, whole.estimates, strict=True):
        assert one.estimate == pytest.approx(other.estimate, rel=1e-5)
    for one, other in zip(found.estimates, restricted.estimates, strict=True):
        assert one.std_error == pytest.approx(other.std_error, rel=1e-5)
        assert one.df == pytest.approx(other.df, rel=1e-3)


def test_score_and_information_are_the_differences_of_the_likelihood():
    fitted = fit_censored_mixed(trial(), "y ~ day", "p", "1 + day", "lesion").design
    likelihood, theta = fitted.likelihood, fitted.found.theta * 1.1
    centers = likelihood.centers(theta, likelihood.start())
    point = likelihood.evaluate(theta, centers)
    step = 1e-5
    for k in range(len(theta)):
        change = step * np.eye(len(theta))[k]
        up, down = (likelihood.evaluate(theta + s * change, centers) for s in (1, -1))
        assert point.score[k] == pytest.approx((up.value - down.value) / (2 * step), rel=1e-5)
        slope = (up.score - down.score) / (2 * step)
        np.testing.assert_allclose(point.hessian[k], slope, rtol=1e-4, atol=1e-4)


def test_the_order_of_the_rows_and_the_names_of_lesions_are_of_no_matter():
    frame = trial()
    turned = frame.sample(fraction=1.0, shuffle=True, seed=1).with_columns(
        lesion=pl.format("{}-{}", 9 - pl.col("p"), 7 - pl.col("lesion"))
    )
    one, other = (fit_censored_mixed(f, "y ~ day", "p", "1", "lesion") for f in (frame, turned))
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-9)
    for a, b in zip(one.estimates, other.estimates, strict=True):
        assert b.std_error == pytest.approx(a.std_error, rel=1e-6)


def test_patients_are_counted_not_lesions():
    """A difference between patients has the degrees of freedom of patients."""
    fit = fit_censored_mixed(trial(7, 12), "y ~ day + arm", "p", "1", "lesion")
    arm = fit.estimates[2]
    assert 5 < arm.df < 12
    robust = fit_censored_mixed(
        trial(7, 12), "y ~ day + arm", "p", "1", "lesion", inference="robust"
    )  # fmt: skip
    assert robust.estimates[2].df == 10
    assert robust.estimates[2].std_error == pytest.approx(arm.std_error, rel=0.5)


def test_lesions_left_out_leave_their_variance_with_the_residual():
    nested = fit_censored_mixed(trial(), "y ~ day", "p", "1", "lesion")
    plain = fit_censored_mixed(trial(), "y ~ day", "p")
    assert nested.log_likelihood > plain.log_likelihood + 2
    assert nested.variance_components[-1].variance < plain.variance_components[-1].variance
    assert nested.estimates[1].estimate == pytest.approx(plain.estimates[1].estimate, abs=0.1)
