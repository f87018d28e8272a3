"""(Restricted) likelihood of any covariance made of parts, with exact gradient and Hessian.

For structures that cross-products cannot carry: residuals that are correlated, or whose variance
differs. V of each cluster is formed and factored; clusters of one size go together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple, Self

import numpy as np

from analysis.engine.covariance_parts import Part, Split, batches
from analysis.engine.structure import Array, Index

FLAT, BENT = 1e-12, 0.1
"""Expected information of a direction, relative to the largest, that is none; smallest curvature in
units of the expected information that a step divides by where the likelihood bends upwards."""


class DensePoint(NamedTuple):
    """value: log-likelihood; score, expected and observed information by theta; beta and its
    covariance.

    slopes: derivatives of X'V^-1 X by theta, (k, p, p).
    """

    value: float
    score: Array
    information: Array
    observed: Array
    beta: Array
    covariance: Array
    slopes: Array


@dataclass(eq=False)
class DenseLikelihood:
    """Rows of x (N, p) and y (N,) in clusters that are independent of each other.

    counts: how often each cluster counts, whole numbers; none: once. What counts zero times is left
    out.
    """

    x: Array
    y: Array
    cluster: Index
    parts: tuple[Part, ...]
    reml: bool
    counts: Array | None = None

    KEPT: ClassVar[tuple[str, ...]] = ()
    """What a likelihood of its own kind remembers of the clusters."""

    @cached_property
    def split(self) -> Split:
        return Split(self.parts)

    @cached_property
    def batches(self) -> list[Index]:
        """Rows of the clusters that count, those of one size together: arrays (m, n)."""
        found = list(batches(self.cluster))
        if self.counts is None:
            return found
        kept = [rows[self.counts[self.cluster[rows[:, 0]]] > 0] for rows in found]
        return [rows for rows in kept if len(rows)]

    def with_rows(self, x: Array | None = None, y: Array | None = None) -> Self:
        """The same clusters with another design or outcome."""
        found = replace(self, x=self.x if x is None else x, y=self.y if y is None else y)
        for name in ("batches", *self.KEPT):
            found.__dict__[name] = getattr(self, name)
        return found

    @property
    def n(self) -> float:
        """Values, as often as they count."""
        return float(sum(self._counted(rows).sum() * rows.shape[1] for rows in self.batches))

    def _counted(self, rows: Index) -> Array:
        if self.counts is None:
            return np.ones(len(rows))
        return np.asarray(self.counts[self.cluster[rows[:, 0]]], dtype=float)

    @property
    def start(self) -> Array:
        return np.concatenate([part.start() for part in self.parts])

    def covariance(self, theta: Array, rows: Index) -> tuple[Array, Array]:
        """V and its derivatives for clusters of one size."""
        found = [
            part.covariance(own, rows)
            for part, own in zip(self.parts, self.split.of(theta), strict=True)
        ]
        value = sum((item[0] for item in found[1:]), start=found[0][0])
        return np.asarray(value), np.concatenate([item[1] for item in found], axis=1)

    def value(self, theta: Array, rows: Index) -> Array:
        """V alone."""
        found = (
            part.covariance(own, rows)[0]
            for part, own in zip(self.parts, self.split.of(theta), strict=True)
        )
        return np.asarray(sum(found))

    def precision(self, theta: Array) -> Callable[[Array], Array]:
        """V^-1 times columns of all rows (n, c), which is prepared once."""
        blocks = [(rows, np.linalg.inv(self.value(theta, rows))) for rows in self.batches]

        def solved(columns: Array) -> Array:
            found = np.zeros_like(columns)
            for rows, inverse in blocks:
                found[rows] = inverse @ columns[rows]
            return found

        return solved

    def point(self, theta: Array) -> DensePoint:
        """Raises LinAlgError where a covariance is not positive definite."""
        k, p = len(theta), self.x.shape[1]
        xx, xy, yy, log_det = np.zeros((p, p)), np.zeros(p), 0.0, 0.0
        kept = []
        for rows in self.batches:
            v, dv = self.covariance(theta, rows)
            lower = np.linalg.cholesky(v)
            count, logs = self._counted(rows), np.log(np.diagonal(lower, axis1=1, axis2=2))
            log_det += 2 * float(count @ logs.sum(axis=1))
            inverse = np.linalg.inv(v)
            x, y = self.x[rows], self.y[rows]
            wx, wy = inverse @ x, (inverse @ y[:, :, None])[:, :, 0]
            own = count[:, None, None] * wx
            xx += np.tensordot(x, own, ((0, 1), (0, 1)))
            xy += np.tensordot(own, y, ((0, 1), (0, 1)))
            yy += float(count @ (y * wy).sum(axis=1))
            kept.append((rows, inverse, dv, wx, wy))
        covariance: Array = np.asarray(np.linalg.inv(xx), dtype=float)
        beta = covariance @ xy
        value = -0.5 * (log_det + yy - float(beta @ xy) + self.n * np.log(2 * np.pi))
        score, expected, observed = np.zeros(k), np.zeros((k, k)), np.zeros((k, k))
        slopes, leans = np.zeros((k, p, p)), np.zeros((k, p))
        fixed = covariance if self.reml else np.zeros((p, p))
        for rows, inverse, dv, wx, wy in kept:
            (m, n), count = wy.shape, self._counted(rows)
            wr = wy - wx @ beta
            # Derivative of the log-likelihood by V, of which score and curvature are traces.
            by_v = wr[:, :, None] * wr[:, None, :] - inverse + wx @ fixed @ np.swapaxes(wx, 1, 2)
            by_v *= 0.5 * count[:, None, None]
            score += np.tensordot(by_v, dv, ((0, 1, 2), (0, 2, 3)))
            turned = inverse[:, None] @ dv
            swapped = np.swapaxes(turned, 2, 3).reshape(m, k, n * n)
            flat = count[:, None, None] * turned.reshape(m, k, n * n)
            traces = np.tensordot(flat, swapped, ((0, 2), (0, 2)))
            side = dv @ wx[:, None]
            scaled = count[:, None, None, None] * side
            slopes -= np.swapaxes(np.tensordot(scaled, wx, ((0, 2), (0, 1))), 1, 2)
            if self.reml:
                carried = (inverse[:, None] @ side) @ covariance
                observed += np.tensordot(scaled, carried, ((0, 2, 3), (0, 2, 3)))
            moved = (dv @ wr[:, None, :, None])[..., 0]
            counted = count[:, None, None] * moved
            observed += np.tensordot(counted, moved @ inverse, ((0, 2), (0, 2)))
            leans += np.tensordot(counted, wx, ((0, 2), (0, 1)))
            expected += 0.5 * traces
            observed -= 0.5 * traces + self._bend(theta, rows, by_v)
        observed -= leans @ covariance @ leans.T
        if self.reml:
            value += 0.5 * (p * np.log(2 * np.pi) - np.linalg.slogdet(xx)[1])
            turned = slopes @ covariance
            observed -= 0.5 * np.einsum("kpq,jqp->kj", turned, turned)
        return DensePoint(
            float(value), score, expected, (observed + observed.T) / 2, beta, covariance, slopes
        )

    def _bend(self, theta: Array, rows: Index, weight: Array) -> Array:
        """Sum of tr(weight d2V): every part by its own parameters."""
        found = np.zeros((len(theta), len(theta)))
        edges = self.split.edges
        for part, own, a, b in zip(
            self.parts, self.split.of(theta), edges, edges[1:], strict=False
        ):
            found[a:b, a:b] = part.bend(own, rows, weight)
        return found

    def likelihood(self, theta: Array) -> tuple[float, Array, Array]:
        """For a search: minus infinity where there is no likelihood."""
        try:
            point = self.point(theta)
        except np.linalg.LinAlgError:
            k = len(theta)
            return -np.inf, np.zeros(k), np.eye(k)
        return point.value, point.score, uphill(point.observed, point.information)

    def observed_information(self, theta: Array) -> Array:
        """Negative Hessian of the log-likelihood."""
        return self.point(theta).observed

    def second_moments(self, theta: Array) -> tuple[Array, Array]:
        """Of Kenward and Roger: Q (k, k, p, p) of two first derivatives of V, R of the second."""
        k, p = len(theta), self.x.shape[1]
        q, r = np.zeros((k, k, p, p)), np.zeros((k, k, p, p))
        step = 1e-5
        for rows in self.batches:
            v, dv = self.covariance(theta, rows)
            inverse = np.linalg.inv(v)
            wx = inverse @ self.x[rows]
            side, count = dv @ wx[:, None], self._counted(rows)
            q += np.einsum("m,mknp,mnl,mjlq->kjpq", count, side, inverse, side)
            for j, move in enumerate(step * np.eye(k)):
                up, down = (self.covariance(theta + s * move, rows)[1] for s in (1, -1))
                second = (up - down) / (2 * step)
                r[:, j] += np.einsum("m,mnp,mknl,mlq->kpq", count, wx, second, wx)
        return q, r


def uphill(observed: Array, expected: Array) -> Array:
    """The observed information where it is positive definite. Where it is not, the size of its
    curvature in units of the expected one, so that a step goes up and stays of a statistical size.
    """
    values, vectors = np.linalg.eigh(observed)
    if values[0] > FLAT * values[-1]:
        return observed
    spread = expected + FLAT * max(float(np.trace(expected)), 1.0) * np.eye(len(expected))
    lower = np.linalg.cholesky(spread)
    half = np.linalg.solve(lower, observed)
    values, vectors = np.linalg.eigh(np.linalg.solve(lower, half.T))
    turned = lower @ vectors
    return np.asarray((turned * np.maximum(np.abs(values), BENT)) @ turned.T)
