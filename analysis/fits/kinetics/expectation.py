"""Maximum likelihood over patients: expectation-maximization with importance sampling.

Each patient's parameters are integrated out with weighted draws around that patient's own
posterior (Quasi-random points; Leary RH, Dunlavey M, PAGE 2012, abstract 2491; importance sampling
EM: Levine RA, Casella G 2001, doi:10.1198/106186001317115045). There is no linearization, and the
kink of the curve at the peak, which stalls methods that differentiate at a mode, is averaged over.
The draws are the same at every round, so the search is deterministic.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from analysis.engine.structure import Array
from analysis.fits.joint.normal_interval import interval_derivatives
from analysis.fits.kinetics.curves import Form, log_curve

WIDER = 1.3
"""Spread of the draws over that of the posterior, so that its tails are covered."""
ROUNDS, TOLERANCE, SETTLED = 600, 1.5e-3, 5
"""EM rounds at most; largest step of means, standard deviations and log sigma in so many rounds."""
FLOOR = 0.05
"""Smallest standard deviation over patients that is searched; the way to zero has no end."""


class Cohort(NamedTuple):
    """Samples of all patients, padded: (patients, samples). design (patients, parameters, coefs):
    mean of each parameter of a patient as a linear form of the coefficients."""

    t: Array
    low: Array
    high: Array
    present: Array
    design: Array


class Population(NamedTuple):
    """Coefficients, covariance over patients, log residual SD."""

    beta: Array
    omega: Array
    log_sigma: float


class Limits(NamedTuple):
    """least: of each coefficient, minus infinity where it may take any value. widest: standard
    deviation over patients of each parameter, likewise infinity."""

    least: Array
    widest: Array


class Posterior(NamedTuple):
    """Draws of every patient (patients, draws, parameters) with normalized weights."""

    draws: Array
    weights: Array
    mean: Array
    covariance: Array
    log_likelihood: float
    sigma_score: Array
    sigma_information: Array
    least_effective: float


class Optimum(NamedTuple):
    """Where the search ended, what it knows of every patient there, and which coefficients it does
    not know: those at a limit, and those of a parameter whose spread is."""

    population: Population
    posterior: Posterior
    converged: bool
    held: NDArray[np.bool_]


def normal_points(patients: int, n: int, dimension: int, seed: int) -> Array:
    """Scrambled Sobol points as standard normal values, mirrored so that their mean is zero:
    (patients, n, dimension). Every patient has points of its own: the error of one set, the same
    for all, would add up over them to a drift of the population."""
    rng = np.random.default_rng(seed)
    points = np.stack(
        [qmc.Sobol(dimension, scramble=True, rng=rng).random(n // 2) for _ in range(patients)]
    )
    normal = ndtri(np.clip(points, 1e-9, 1 - 1e-9))
    return np.concatenate([normal, -normal], axis=1)


def expectation(
    cohort: Cohort, form: Form, at: Population, center: Array, spread: Array, points: Array
) -> Posterior:
    """Weighted draws from each patient's posterior, proposed around `center` with `spread`."""
    root = np.linalg.cholesky(spread) * WIDER
    draws = center[:, None] + points @ root.transpose(0, 2, 1)
    mean = log_curve(draws, cohort.t[:, None, :], form)
    log_p, score, information = _data(cohort, mean, at.log_sigma)
    away = draws - (cohort.design @ at.beta)[:, None]
    precision = np.linalg.inv(at.omega)
    log_prior = -0.5 * (away @ precision * away).sum(-1) - 0.5 * np.linalg.slogdet(at.omega)[1]
    log_proposal = -0.5 * (points**2).sum(-1) - np.log(
        np.diagonal(root, axis1=1, axis2=2)
    ).sum(-1)[:, None]  # fmt: skip
    ratio = log_p + log_prior - log_proposal
    top = ratio.max(axis=1, keepdims=True)
    weights = np.exp(ratio - top)
    total = weights.sum(axis=1, keepdims=True)
    weights /= total
    posterior_mean = (weights[..., None] * draws).sum(axis=1)
    centered = draws - posterior_mean[:, None]
    covariance = np.einsum("ik,ika,ikb->iab", weights, centered, centered)
    return Posterior(
        draws,
        weights,
        posterior_mean,
        covariance,
        float((top[:, 0] + np.log(total[:, 0] / points.shape[-2])).sum()),
        score,
        (weights * information).sum(axis=1),
        float((1.0 / (weights**2).sum(axis=1)).min()),
    )


def _data(cohort: Cohort, mean: Array, log_sigma: float) -> tuple[Array, Array, Array]:
    """Log-likelihood of every draw, its slope in log sigma and minus the curvature."""
    sigma = float(np.exp(log_sigma))
    present = cohort.present > 0
    exact = present & (cohort.low == cohort.high)
    z = np.where(exact, cohort.low, 0.0)[:, None, :] - mean
    square = (np.where(exact[:, None, :], z, 0.0) ** 2).sum(-1) / sigma**2
    n = exact.sum(axis=1)[:, None]
    log_p = -0.5 * square - n * (log_sigma + 0.5 * np.log(2 * np.pi))
    score, information = square - n, 2.0 * square
    patients, columns = np.nonzero(present & ~exact)
    if patients.size:
        hidden = mean[patients, :, columns]
        found = interval_derivatives(
            (cohort.low[patients, columns][:, None] - hidden) / sigma,
            (cohort.high[patients, columns][:, None] - hidden) / sigma,
            sigma,
        )
        np.add.at(log_p, patients, found.value)
        np.add.at(score, patients, found.scale_first)
        np.add.at(information, patients, -found.scale_second)
    return log_p, score, information


def maximized(
    cohort: Cohort, at: Population, found: Posterior, diagonal: bool, limits: Limits
) -> Population:
    """The M step inside the limits: generalized least squares, second moments, one Newton step of
    log sigma."""
    precision = np.linalg.inv(at.omega)
    weighted = np.einsum("iap,ab->ibp", cohort.design, precision)
    normal = np.einsum("ibp,ibq->pq", weighted, cohort.design)
    right = np.einsum("ibp,ib->p", weighted, found.mean)
    beta = np.linalg.solve(normal, right)
    held = beta < limits.least
    if held.any():
        beta[held] = limits.least[held]
        rest = right - normal[:, held] @ limits.least[held]
        beta[~held] = np.linalg.solve(normal[np.ix_(~held, ~held)], rest[~held])
    away = found.mean - cohort.design @ beta
    omega = found.covariance.mean(axis=0) + away.T @ away / away.shape[0]
    if diagonal:
        omega = np.diag(np.maximum(np.diag(omega), FLOOR**2))
    else:
        size, turn = np.linalg.eigh(omega)
        omega = (turn * np.maximum(size, FLOOR**2)) @ turn.T
    shrink = np.minimum(1.0, limits.widest / np.sqrt(np.diag(omega)))
    omega = omega * shrink[:, None] * shrink
    slope = float((found.weights * found.sigma_score).sum())
    curvature = max(float(found.sigma_information.sum()), 1.0)
    return Population(beta, omega, at.log_sigma + float(np.clip(slope / curvature, -0.3, 0.3)))


def fitted_population(
    cohort: Cohort,
    form: Form,
    start: Population,
    center: Array,
    spread: Array,
    points: tuple[Array, Array],
    diagonal: bool,
    limits: Limits,
) -> Optimum:
    """EM rounds with the first, smaller set of points, then a few with the second."""
    at, settled, converged = start, 0, False
    for _ in range(ROUNDS):
        found = expectation(cohort, form, at, center, spread, points[0])
        # Draws that jump to each new posterior can swing between two states; half way settles.
        center = (center + found.mean) / 2
        spread = (spread + _safe(found.covariance, at.omega)) / 2
        new = maximized(cohort, at, found, diagonal, limits)
        step = max(
            float(np.abs(cohort.design @ (new.beta - at.beta)).max()),
            abs(new.log_sigma - at.log_sigma),
            float(np.abs(np.sqrt(np.diag(new.omega)) - np.sqrt(np.diag(at.omega))).max()),
        )
        at = new
        settled = settled + 1 if step < TOLERANCE else 0
        if settled == SETTLED:
            converged = True
            break
    for _ in range(SETTLED):
        found = expectation(cohort, form, at, center, spread, points[1])
        center, spread = found.mean, _safe(found.covariance, at.omega)
        at = maximized(cohort, at, found, diagonal, limits)
    found = expectation(cohort, form, at, center, spread, points[1])
    wide = np.sqrt(np.diag(at.omega)) >= 0.999 * limits.widest
    held = (at.beta <= limits.least) | cohort.design[:, wide].any(axis=(0, 1))
    return Optimum(at, found, converged, held)


def _safe(covariance: Array, omega: Array) -> Array:
    """A proposal that never collapses when few draws carry the weight."""
    return np.asarray(covariance + 0.02 * np.diag(np.diag(omega)) + 1e-10 * np.eye(len(omega)))


def information(cohort: Cohort, optimum: Optimum) -> Array:
    """Observed information of the coefficients and log sigma (Louis 1982,
    doi:10.1111/j.2517-6161.1982.tb01203.x): complete information less the missing one."""
    at, found = optimum.population, optimum.posterior
    precision = np.linalg.inv(at.omega)
    weighted = np.einsum("iap,ab->ibp", cohort.design, precision)
    away = found.draws - (cohort.design @ at.beta)[:, None]
    scores = np.concatenate(
        [np.einsum("ibp,ikb->ikp", weighted, away), found.sigma_score[..., None]], axis=-1
    )
    mean = (found.weights[..., None] * scores).sum(axis=1)
    centered = scores - mean[:, None]
    missing = np.einsum("ik,ikp,ikq->pq", found.weights, centered, centered)
    size = at.beta.size
    complete = np.zeros((size + 1, size + 1))
    complete[:size, :size] = np.einsum("ibp,ibq->pq", weighted, cohort.design)
    complete[size, size] = found.sigma_information.sum()
    return np.asarray(complete - missing)
