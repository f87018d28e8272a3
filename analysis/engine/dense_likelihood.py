"""(Restricted) likelihood of any covariance made of parts, with exact gradient.

For structures that cross-products cannot carry: residuals that are correlated, or whose variance
differs. V of each cluster is formed and factored; clusters of one size go together.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from analysis.engine.covariance_parts import Part, Split, batches
from analysis.engine.structure import Array, Index

HESSIAN_STEP = 1e-4


class DensePoint(NamedTuple):
    """value: log-likelihood; score and expected information by theta; beta and its covariance.

    slopes: derivatives of X'V^-1 X by theta, (k, p, p).
    """

    value: float
    score: Array
    information: Array
    beta: Array
    covariance: Array
    slopes: Array


@dataclass(eq=False)
class DenseLikelihood:
    """Rows of x (N, p) and y (N,) in clusters that are independent of each other."""

    x: Array
    y: Array
    cluster: Index
    parts: tuple[Part, ...]
    reml: bool

    @cached_property
    def split(self) -> Split:
        return Split(self.parts)

    @cached_property
    def batches(self) -> list[Index]:
        return list(batches(self.cluster))

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

    def point(self, theta: Array) -> DensePoint:
        """Raises LinAlgError where a covariance is not positive definite."""
        k, p = len(theta), self.x.shape[1]
        xx, xy, yy, log_det = np.zeros((p, p)), np.zeros(p), 0.0, 0.0
        kept = []
        for rows in self.batches:
            v, dv = self.covariance(theta, rows)
            lower = np.linalg.cholesky(v)
            log_det += 2 * float(np.log(np.diagonal(lower, axis1=1, axis2=2)).sum())
            inverse = np.linalg.inv(v)
            x, y = self.x[rows], self.y[rows]
            wx = inverse @ x
            xx += np.einsum("mnp,mnq->pq", x, wx)
            xy += np.einsum("mnp,mn->p", wx, y)
            yy += float(np.einsum("mn,mnl,ml->", y, inverse, y))
            kept.append((rows, inverse, dv, wx))
        covariance: Array = np.asarray(np.linalg.inv(xx), dtype=float)
        beta = covariance @ xy
        value = -0.5 * (log_det + yy - float(beta @ xy) + len(self.y) * np.log(2 * np.pi))
        score, information, slopes = np.zeros(k), np.zeros((k, k)), np.zeros((k, p, p))
        for rows, inverse, dv, wx in kept:
            residual = self.y[rows] - self.x[rows] @ beta
            turned = inverse[:, None] @ dv
            wr = np.einsum("mnl,ml->mn", inverse, residual)
            score += 0.5 * np.einsum("mn,mknl,ml->k", wr, dv, wr)
            score -= 0.5 * np.einsum("mknn->k", turned)
            information += 0.5 * np.einsum("mknl,mjln->kj", turned, turned)
            slopes -= np.einsum("mnp,mknl,mlq->kpq", wx, dv, wx)
        if self.reml:
            value += 0.5 * (p * np.log(2 * np.pi) - np.linalg.slogdet(xx)[1])
            score -= 0.5 * np.einsum("pq,kqp->k", covariance, slopes)
        return DensePoint(float(value), score, information, beta, covariance, slopes)

    def likelihood(self, theta: Array) -> tuple[float, Array, Array]:
        """For a search: minus infinity where there is no likelihood."""
        try:
            point = self.point(theta)
        except np.linalg.LinAlgError:
            k = len(theta)
            return -np.inf, np.zeros(k), np.eye(k)
        return point.value, point.score, point.information

    def observed_information(self, theta: Array) -> Array:
        """Negative Hessian of the log-likelihood, by central differences of the exact score."""
        steps = HESSIAN_STEP * np.eye(len(theta))
        columns = [
            (8 * (self.point(theta - s).score - self.point(theta + s).score)
             - (self.point(theta - 2 * s).score - self.point(theta + 2 * s).score))
            / (12 * HESSIAN_STEP)
            for s in steps
        ]  # fmt: skip
        matrix = np.stack(columns, axis=1)
        return np.asarray((matrix + matrix.T) / 2)

    def second_moments(self, theta: Array) -> tuple[Array, Array]:
        """Of Kenward and Roger: Q (k, k, p, p) of two first derivatives of V, R of the second."""
        k, p = len(theta), self.x.shape[1]
        q, r = np.zeros((k, k, p, p)), np.zeros((k, k, p, p))
        step = 1e-5
        for rows in self.batches:
            v, dv = self.covariance(theta, rows)
            inverse = np.linalg.inv(v)
            wx = inverse @ self.x[rows]
            side = dv @ wx[:, None]
            q += np.einsum("mknp,mnl,mjlq->kjpq", side, inverse, side)
            for j, move in enumerate(step * np.eye(k)):
                up, down = (self.covariance(theta + s * move, rows)[1] for s in (1, -1))
                second = (up - down) / (2 * step)
                r[:, j] += np.einsum("mnp,mknl,mlq->kpq", wx, second, wx)
        return q, r
