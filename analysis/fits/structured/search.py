"""The optimum of a covariance made of parts: scoring, then Newton with observed information."""

from typing import NamedTuple

import numpy as np

from analysis.engine.covariance_parts import AutoregressiveResidual, RandomTerm
from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.engine.maximum import maximize
from analysis.engine.structure import Array

POLISH = 8
"""Newton steps with the observed information behind the scoring search."""
CONVERGED = 1e-6
FLAT = 1e-8
LIFTED = 0.1
"""Where the factor of a random effect starts again that a search left at zero: the gradient
vanishes there."""


class Optimum(NamedTuple):
    """converged: the score is zero there, per value."""

    theta: Array
    value: float
    converged: bool


def optimum(dense: DenseLikelihood, start: Array) -> Optimum:
    """Exact: scoring from `start`, then Newton steps.

    Raises LinAlgError where the likelihood cannot be evaluated at all.
    """
    found = maximize(dense.likelihood, start, tolerance=1e-9)
    theta, value = found.beta, found.value
    for _ in range(POLISH):
        score = dense.point(theta).score
        step = inverted(dense.observed_information(theta)) @ score
        candidate = dense.likelihood(theta + step)[0]
        if not candidate >= value - 1e-9 * abs(value):
            break
        theta, value = theta + step, candidate
        if float(np.abs(step).max(initial=0.0)) < 1e-10:
            break
    gradient = float(np.abs(dense.point(theta).score).max())
    return Optimum(theta, value, gradient < CONVERGED * len(dense.y))


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
