"""The likelihood of a structured fit with one parameter held at a value; maximum likelihood.

Every parameter is made a coordinate, or a direction, of theta: the held effect comes first in its
factor, the held visits first among the visits. What remains is a search without constraints.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.engine.maximum import maximize
from analysis.engine.structure import Array
from analysis.fits.design import orthonormal
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.search import CONVERGED, LIFTED, refit, started

TOLERANCE = 1e-12
"""Newton decrement at which a search ends."""


class Line(NamedTuple):
    """theta = offset + basis @ free: all that is left when a parameter is held.

    positive: numbers of free elements that stay above zero, or a correlation would turn its sign;
    the search goes over their logarithms.
    """

    offset: Array
    basis: Array
    positive: tuple[int, ...] = ()


class HeldParameter(NamedTuple):
    """estimate, step, lower and upper are of an inner scale on which the search for limits goes;
    `shown` turns a value of it into the parameter. line: what a value leaves of theta, in the
    coordinates of `dense`; start: the optimum there."""

    part: str
    term: str
    estimate: float
    step: float
    lower: float | None
    upper: float | None
    shown: Callable[[float], float]
    line: Callable[[float], Line]
    dense: DenseLikelihood
    start: Array


def held_deviance(held: HeldParameter, best: float) -> Callable[[float], float | None]:
    """Twice the log-likelihood lost against `best` at an inner value; searches from the last."""
    last = [held.start]

    def lost(value: float) -> float | None:
        line = held.line(value)
        found = [
            _highest(held.dense, line, start)
            for start in (last[0], started(held.dense, held.start))
        ]
        usable = [item for item in found if item is not None]
        if not usable:
            return None
        theta, top = max(usable, key=lambda item: item[1])
        last[0] = theta
        return 2 * (best - top)

    return lost


def _highest(dense: DenseLikelihood, line: Line, start: Array) -> tuple[Array, float] | None:
    """The optimum on a line's space; None where no search ends."""
    if not line.basis.shape[1]:
        value = dense.likelihood(line.offset)[0]
        return (line.offset, value) if np.isfinite(value) else None

    positive = list(line.positive)

    def natural(free: Array) -> Array:
        found = free.copy()
        found[positive] = np.exp(free[positive])
        return found

    def along(free: Array) -> tuple[float, Array, Array]:
        own = natural(free)
        value, score, information = dense.likelihood(line.offset + line.basis @ own)
        turned = line.basis.copy()
        turned[:, positive] *= own[positive]
        slope, curve = turned.T @ score, turned.T @ information @ turned
        # The logarithm bends by itself: on the way to zero a step is one, not without end.
        curve[positive, positive] += np.maximum(-slope[positive], 0.0)
        return value, slope, curve

    nearest = np.linalg.lstsq(line.basis, start - line.offset, rcond=None)[0]
    begin: Array = np.asarray(nearest, dtype=float)
    begin[positive] = np.log(np.maximum(np.abs(begin[positive]), LIFTED))
    if not np.isfinite(along(begin)[0]):
        return None
    flat = CONVERGED * dense.n
    found = maximize(along, begin, tolerance=TOLERANCE, flat=flat)
    if not found.converged and float(np.abs(found.score).max()) > flat:
        return None
    return line.offset + line.basis @ natural(found.beta), found.value


def fixed_deviance(fitted: FittedStructured, index: int) -> Callable[[float], float | None]:
    """Twice the log-likelihood lost when fixed effect `index` is held at a value of the data's
    scale: its part of the outcome is taken away, and its column left out."""
    design = fitted.design
    column = design.matrices.x[:, index]
    others, _ = orthonormal(np.delete(design.matrices.x, index, axis=1))
    rest = design.matrices.y - fitted.fixed_fitted
    smaller, best = replace(fitted.dense, x=others), fitted.point.value

    def lost(value: float) -> float | None:
        outcome = (rest - (value - fitted.beta[index]) * column) / design.y_scale
        found = refit(smaller.with_rows(y=outcome), fitted.theta, TOLERANCE)
        return None if found is None else 2 * (best - found.point.value)

    return lost
