"""Modified Newton search on the Cholesky factor, many replicates at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.inverse import inverses
from analysis.engine.likelihood import Point, evaluate
from analysis.engine.products import Pooled
from analysis.engine.small_directions import suits
from analysis.engine.structure import Array, Index, RandomStructure

STEPS = 60
DECREMENT = 1e-10
"""Expected gain in -2 log-likelihood below which a search ends."""
ACCEPTED = 1e-5
"""Expected gain up to which an ended search counts as converged."""
SMALLEST_STEP = 1e-7
LEAST = 1500
"""Replicates times patterns that are worth a call of their own where elements are written out."""
CHUNK = 400_000
"""Numbers of one temporary array at a time: replicates are searched for in blocks of this size."""
EXACT = 1e-11
"""The same for one fit, where a few more steps cost nothing and degrees of freedom gain digits."""
SLACK = 1e-9
"""Rounding error of a criterion."""
NEARLY_ZERO = 3e-2
"""Diagonal elements of Lam below this are compared with an exact zero."""
INDIFFERENT = 1e-7


class Optima(NamedTuple):
    """Where every replicate ended: theta (R, n), the likelihood there, whether it converged."""

    theta: Array
    point: Point
    converged: np.ndarray
    decrement: Array


def minimize(
    products: Pooled,
    structure: RandomStructure,
    reml: bool,
    starts: Array,
    tolerance: float = DECREMENT,
    first: Point | None = None,
) -> Optima:
    """One optimum per row of `starts`; a product with one replicate serves all of them.

    tolerance: expected gain in -2 log-likelihood at which a search ends. first: the likelihood at
    the starts, where it is known. A replicate that cannot be evaluated comes back as not
    converged, and spoils no other.
    """
    r, g = len(starts), len(products.a)
    step = max(1, CHUNK // (g * _width(structure)), LEAST // g * suits(structure, LEAST))
    parts = []
    for begin in range(0, r, step):
        index = np.arange(begin, min(begin + step, r))
        point = None if first is None else chosen(first, index)
        search = _Search(products.take(index), structure, reml, starts[index], tolerance, point)
        parts.append(search.run())
    if len(parts) == 1:
        return parts[0]
    points = zip(*(part.point for part in parts), strict=True)
    theta, converged, decrement = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("theta", "converged", "decrement")
    )
    return Optima(theta, Point(*map(np.concatenate, points)), converged, decrement)


def chosen(point: Point, index: Index | NDArray[np.bool_]) -> Point:
    """Some of the replicates."""
    return Point(*(item[index] for item in point))


def _width(structure: RandomStructure) -> int:
    """Numbers of the largest temporary array of one replicate and pattern."""
    q, n = structure.n_columns, structure.n_parameters
    if suits(structure, LEAST):
        return q * (q + 1) // 2 * (1 + n + n * (n + 1) // 2)
    return (q * n) ** 2


class _Search:
    """Replicates on their way: where each is, where it goes next and what that promises."""

    def __init__(
        self,
        products: Pooled,
        structure: RandomStructure,
        reml: bool,
        starts: Array,
        tolerance: float,
        first: Point | None,
    ) -> None:
        self.products, self.structure, self.reml = products, structure, reml
        self.tolerance = tolerance
        self.theta = starts.astype(float).copy()
        everyone = np.arange(len(starts))
        self.point = self._at(self.theta, everyone) if first is None else first
        self.direction, self.gain = _direction(self.point, self.theta)

    def run(self) -> Optima:
        """Search, set what is indistinguishable from zero to zero, search the others again."""
        self._descend(np.arange(len(self.theta)))
        snapped = self._snap()
        if len(snapped):
            self._descend(snapped)
        theta, ok = self.structure.positive(self.theta), self.point.ok
        return Optima(theta, self.point, ok & (self.gain < ACCEPTED), self.gain)

    def _at(self, theta: Array, index: Index) -> Point:
        return evaluate(theta, self.products.take(index), self.structure, self.reml)

    def _descend(self, index: Index) -> None:
        step = np.ones(len(self.theta))
        for _ in range(STEPS):
            going = self.point.ok & (self.gain > self.tolerance) & (step > SMALLEST_STEP)
            index = index[going[index]]
            if not len(index):
                return
            trial = self.theta[index] + step[index, None] * self.direction[index]
            new = self._at(trial, index)
            slope = np.einsum("rk,rk->r", self.direction[index], self.point.gradient[index])
            limit = self.point.criterion[index] + SLACK + 1e-4 * step[index] * slope
            better = new.ok & (new.criterion <= limit)
            if better.all():
                self._move(index, trial, new)
            else:
                self._move(index[better], trial[better], chosen(new, better))
            step[index[better]] = 1.0
            step[index[~better]] *= 0.4

    def _move(self, index: Index, theta: Array, point: Point) -> None:
        if len(index) == len(self.theta):
            self.theta, self.point = theta, point
            self.direction, self.gain = _direction(point, theta)
            return
        self.theta[index] = theta
        for old, item in zip(self.point, point, strict=True):
            old[index] = item
        self.direction[index], self.gain[index] = _direction(point, theta)

    def _snap(self) -> Index:
        """Exact zeros where the likelihood cannot tell a tiny variance from none (it is flat in
        theta^2). Returns the replicates that were changed."""
        changed = np.zeros(len(self.theta), dtype=bool)
        for parameter in self.structure.diagonal_parameters:
            size = np.abs(self.theta[:, parameter])
            index = np.flatnonzero((size < NEARLY_ZERO) & (size > 0) & self.point.ok)
            if not len(index):
                continue
            tried = self.theta[index].copy()
            tried[:, parameter] = 0.0
            new = self._at(tried, index)
            equal = new.ok & (new.criterion <= self.point.criterion[index] + INDIFFERENT)
            self._move(index[equal], tried[equal], chosen(new, equal))
            changed[index[equal]] = True
        return np.flatnonzero(changed)


def _direction(point: Point, theta: Array) -> tuple[Array, Array]:
    """Newton direction with the Hessian made positive definite, and the gain it promises."""
    inverse, _, ok = inverses(point.hessian)
    if not ok.all():
        bent = np.flatnonzero(~ok & point.ok)
        values, vectors = np.linalg.eigh(point.hessian[bent])
        size = np.abs(values)
        size = np.maximum(size, 1e-6 * np.maximum(size.max(axis=1, keepdims=True), 1e-6))
        inverse[bent] = (vectors / size[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    direction = -(inverse @ point.gradient[:, :, None])[:, :, 0]
    gain = -(direction * point.gradient).sum(axis=1)
    # A flat direction promises the moon: steps grow with what is there.
    limit = 0.5 + 0.5 * np.sqrt((theta**2).sum(axis=1))
    length = np.sqrt((direction**2).sum(axis=1))
    short = np.minimum(1.0, limit / np.maximum(length, 1e-300))
    return direction * short[:, None], gain
