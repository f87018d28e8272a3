"""The quadrature against a brute-force integral over the patients' effects."""

import numpy as np
import polars as pl
import pytest
from scipy.integrate import dblquad
from scipy.special import log_ndtr
from scipy.stats import norm

from analysis import fit_censored_mixed
from analysis.fits.censored_fitted import FittedCensored

WIDE, POINTS = 9.0, 301


def trial() -> pl.DataFrame:
    """Ten patients, five days, a third below the limit and some above another one."""
    rng = np.random.default_rng(8)
    patient, day = np.repeat(np.arange(10), 5), np.tile(np.arange(5.0), 10)
    effects = rng.normal(size=(10, 2)) * [0.8, 0.3]
    y = 1 + 0.4 * day + effects[patient, 0] + effects[patient, 1] * day
    y = y + rng.normal(0, 0.4, len(day))
    low, high = np.where(y > 3.2, 3.2, y), np.where(y < 1.2, 1.2, y)
    low, high = np.where(y < 1.2, -np.inf, low), np.where(y > 3.2, np.inf, high)
    return pl.DataFrame({"p": patient, "day": day, "y": y, "lower": low, "upper": high})


def rows_log_density(fitted: FittedCensored, number: int, effects: np.ndarray) -> np.ndarray:
    """Sum over the rows of one patient given effects of shape (..., q) on the outcome's scale."""
    d, limits, sigma = fitted.design, fitted.limits, np.sqrt(fitted.sigma2)
    total = np.zeros(effects.shape[:-1])
    for row in np.flatnonzero(d.patient == number):
        mean = d.matrices.x[row] @ fitted.beta + effects @ d.matrices.z[row]
        if not limits.censored[row]:
            total = total + norm.logpdf(d.matrices.y[row], mean, sigma)
        elif np.isinf(limits.low[row]):
            total = total + log_ndtr((limits.high[row] - mean) / sigma)
        else:
            total = total + log_ndtr((mean - limits.low[row]) / sigma)
    return total


def dense_log_likelihood(fitted: FittedCensored) -> float:
    """Trapezoid over a dense grid of standard normal effects: exact for so smooth a function."""
    u, step = np.linspace(-WIDE, WIDE, POINTS, retstep=True)
    root = np.linalg.cholesky(fitted.block)
    q = len(root)
    grid = np.stack(np.meshgrid(*[u] * q, indexing="ij"), axis=-1)
    prior = norm.logpdf(grid).sum(axis=-1) + q * np.log(step)
    total = 0.0
    for number in range(fitted.design.n_subjects):
        terms = prior + rows_log_density(fitted, number, grid @ root.T)
        total += float(np.logaddexp.reduce(terms, axis=None))
    return total


@pytest.mark.parametrize("random", ["1", "1 + day"])
def test_the_quadrature_is_the_brute_force_integral(random):
    fit = fit_censored_mixed(trial(), "y ~ day", "p", random)
    assert fit.n_censored > 12
    assert fit.log_likelihood == pytest.approx(dense_log_likelihood(fit.design), abs=1e-6)


def test_the_grid_is_the_adaptive_integral_of_scipy():
    """One patient, to hold the brute force itself to account."""
    fit = fit_censored_mixed(trial(), "y ~ day", "p", "1 + day")
    fitted, number = fit.design, 3
    root, sigma = np.linalg.cholesky(fitted.block), float(np.sqrt(fitted.sigma2))
    own = fitted.design.patient == number
    fixed = (fitted.design.matrices.x @ fitted.beta)[own]
    z = fitted.design.matrices.z[own] @ root
    y, low, high = (
        values[own] for values in (fitted.design.matrices.y, fitted.limits.low, fitted.limits.high)
    )
    exact, below = ~fitted.limits.censored[own], np.isinf(low)
    rest = ~exact & ~below
    constant = exact.sum() * np.log(sigma * np.sqrt(2 * np.pi)) + np.log(2 * np.pi)

    def density(v: float, u: float) -> float:
        mean = fixed + z[:, 0] * u + z[:, 1] * v
        log = -0.5 * (((y - mean)[exact] / sigma) ** 2).sum() - 0.5 * (u * u + v * v)
        log += log_ndtr((high - mean)[below & ~exact] / sigma).sum()
        return float(np.exp(log + log_ndtr((mean - low)[rest] / sigma).sum() - constant))

    value, error = dblquad(density, -8, 8, -8, 8, epsabs=0, epsrel=1e-6)
    u, step = np.linspace(-WIDE, WIDE, POINTS, retstep=True)
    grid = np.stack(np.meshgrid(u, u, indexing="ij"), axis=-1)
    terms = norm.logpdf(grid).sum(axis=-1) + rows_log_density(fitted, number, grid @ root.T)
    assert error < 1e-5 * value
    assert np.log(value) == pytest.approx(
        np.logaddexp.reduce(terms, axis=None) + 2 * np.log(step), abs=1e-6
    )
