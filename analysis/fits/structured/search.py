"""The optimum of a covariance made of parts: scoring, then Newton with the exact Hessian."""

from typing import NamedTuple

import numpy as np

from analysis.engine.covariance_parts import RandomTerm
from analysis.engine.dense_likelihood import DenseLikelihood, DensePoint, uphill
from analysis.engine.maximum import maximize
from analysis.engine.residual_parts import AutoregressiveResidual
from analysis.engine.structure import Array

CONVERGED = 1e-6
FLAT = 1e-8
REFITTED, EXACT = 1e-8, 1e-16
"""Newton decrement at which a search ends: of many simulated trials, and of one that is shown."""
RANK = 1e-8
"""Smallest square of a direction of the scaled fixed design, per row."""
LIFTED = 0.1
"""Where the factor of a random effect starts again that a search left at zero: the gradient
vanishes there."""


class Optimum(NamedTuple):
    """converged: the score is zero there, per value."""

    theta: Array
    value: float
    converged: bool


def optimum(dense: DenseLikelihood, start: Array) -> Optimum:
    """Scoring from `start`, Newton's steps where the likelihood is curved downwards.

    Raises LinAlgError where the likelihood cannot be evaluated at all.
    """
    found = maximize(dense.likelihood, start, tolerance=EXACT, flat=CONVERGED * dense.n)
    gradient = float(np.abs(dense.point(found.beta).score).max())
    return Optimum(found.beta, found.value, gradient < CONVERGED * dense.n)


class Refit(NamedTuple):
    """An optimum near another one, and the likelihood there."""

    theta: Array
    point: DensePoint


def refit(dense: DenseLikelihood, theta: Array, tolerance: float = REFITTED) -> Refit | None:
    """Scoring from the optimum of a similar problem; None where no optimum is found, or where its
    rows do not hold a fixed effect or a residual variance.

    tolerance: of the Newton decrement.
    """
    if dense.counts is not None and not _has_full_rank(dense):
        return None
    last: list[DensePoint] = []

    def likelihood(at: Array) -> tuple[float, Array, Array]:
        try:
            last[:] = [dense.point(at)]
        except np.linalg.LinAlgError:
            return -np.inf, np.zeros_like(at), np.eye(len(at))
        return last[0].value, last[0].score, uphill(last[0].observed, last[0].information)

    flat = CONVERGED * dense.n
    try:
        found = maximize(likelihood, started(dense, theta), tolerance=tolerance, flat=flat)
        point = last[0] if last and found.converged else dense.point(found.beta)
    except np.linalg.LinAlgError:
        return None
    fine = found.converged or float(np.abs(point.score).max()) < flat
    usable = fine and np.isfinite(point.value) and _is_identified(dense, point)
    return Refit(found.beta, point) if usable else None


def _has_full_rank(dense: DenseLikelihood) -> bool:
    kept = np.concatenate([rows.ravel() for rows in dense.batches])
    x = dense.x[kept]
    return bool(np.linalg.eigvalsh(x.T @ x)[0] > RANK * len(x))


def _is_identified(dense: DenseLikelihood, point: DensePoint) -> bool:
    """A level or pair of visits that no row has leaves its parameter where it began."""
    residual = dense.parts[-1]
    if isinstance(residual, AutoregressiveResidual):
        return True
    own = np.diag(point.information)[-residual.n_parameters :]
    return bool(own.min() > 0)


def inverted(information: Array) -> Array:
    """Inverse of an information matrix; flat directions carry nothing."""
    values, vectors = np.linalg.eigh(information)
    kept = values > FLAT * max(float(values[-1]), 1.0)
    return np.asarray((vectors[:, kept] / values[kept]) @ vectors[:, kept].T)


def started(dense: DenseLikelihood, theta: Array) -> Array:
    """Start from an optimum: what lies at the edge is lifted off it."""
    found = []
    for part, own in zip(dense.parts, dense.split.of(theta), strict=True):
        lifted = own.copy()
        if isinstance(part, RandomTerm):
            rows, cols = part.entries
            diagonal = rows == cols
            lifted[diagonal] = np.maximum(np.abs(own[diagonal]), LIFTED)
        elif isinstance(part, AutoregressiveResidual):
            furthest = np.abs(part.start()[1]) + 2
            lifted[1] = np.clip(own[1], -furthest, furthest)
        found.append(lifted)
    return np.concatenate(found)
