"""Newton's method on the adaptive likelihood: nodes are placed anew at every point."""

from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.joint.likelihood import Evaluation, Integral

STEPS, HALVINGS = 60, 25
DECREMENT = 1e-8
"""Gain in log-likelihood that a further Newton step promises, below which the search ends."""
CURVATURE = 1e-6
"""Smallest curvature relative to the largest that still counts as information."""
NEAR = 0.1
"""Decrement from which on the end is near."""
LONGEST = 5.0
"""Longest step of one parameter on the working scale, where all are of size one."""


class Found(NamedTuple):
    """Where the search ended. decrement: see DECREMENT."""

    theta: Array
    evaluation: Evaluation
    converged: bool
    decrement: float
    steps: int


def search(likelihood: Integral, start: Array) -> Found:
    """Maximum of the likelihood from `start`. Raises LinAlgError when it cannot be evaluated."""
    theta = start
    centers = likelihood.centers(theta, likelihood.start())
    point = likelihood.evaluate(theta, centers)
    if not np.isfinite(point.value):
        raise np.linalg.LinAlgError("the likelihood cannot be evaluated")
    decrement = np.inf
    before: tuple[Array, Array] | None = None
    for step_number in range(STEPS):
        step = ascent(point)
        decrement = 0.5 * float(point.score @ step)
        if decrement < DECREMENT:
            return Found(theta, point, True, decrement, step_number)
        taken = accelerated(theta, step, before) if decrement < NEAR else step
        moved = _near_step(likelihood, theta, point, taken, decrement)
        if moved is None:
            moved = _line(likelihood, theta, point, step)
        if moved is None:
            return Found(theta, point, decrement < 100 * DECREMENT, decrement, step_number)
        before = theta, step
        theta, point = moved
    return Found(theta, point, False, decrement, STEPS)


def accelerated(theta: Array, step: Array, before: tuple[Array, Array] | None) -> Array:
    """The step by Anderson's rule from the last two: nodes that follow the parameters turn
    Newton's method into a fixed-point iteration, which this makes fast again."""
    if before is None:
        return step
    change = step - before[1]
    size = float(change @ change)
    share = float(change @ step) / size if size > 0 else 0.0
    if abs(share) > 1.0:
        return step
    return np.asarray(step - share * (theta - before[0] + change))


def _near_step(
    likelihood: Integral, theta: Array, point: Evaluation, step: Array, decrement: float
) -> tuple[Array, Evaluation] | None:
    """Near the end a full step that makes the next one smaller: there the moving nodes change the
    likelihood more than the parameters do, so the score decides."""
    if decrement >= NEAR:
        return None
    try:
        new = theta + step
        moved = likelihood.evaluate(new, likelihood.centers(new, point.centers))
    except np.linalg.LinAlgError:
        return None
    if not (np.isfinite(moved.value) and moved.value > point.value - NEAR):
        return None
    smaller = 0.5 * float(moved.score @ ascent(moved)) < 0.5 * decrement
    return (new, moved) if smaller else None


def ascent(point: Evaluation) -> Array:
    """Newton's direction with the curvature turned to point down everywhere."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(point.hessian)), 1e-10))
    values, vectors = np.linalg.eigh(-point.hessian / np.outer(scale, scale))
    floor = CURVATURE * max(float(np.abs(values).max()), 1e-300)
    inverse = 1 / np.maximum(np.abs(values), floor)
    step = vectors @ (inverse * (vectors.T @ (point.score / scale))) / scale
    longest = float(np.abs(step).max())
    return np.asarray(step if longest <= LONGEST else step * (LONGEST / longest))


def _line(
    likelihood: Integral, theta: Array, point: Evaluation, step: Array
) -> tuple[Array, Evaluation] | None:
    """First of the halved steps that gains."""
    size = 1.0
    slope = float(point.score @ step)
    for _ in range(HALVINGS):
        new = theta + size * step
        try:
            centers = likelihood.centers(new, point.centers)
            value = likelihood.value(new, centers)
        except np.linalg.LinAlgError:
            value = -np.inf
        if np.isfinite(value) and value >= point.value + 1e-4 * size * slope - 1e-9:
            return new, likelihood.evaluate(new, centers)
        size /= 2
    return None
