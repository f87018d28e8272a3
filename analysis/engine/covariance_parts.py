"""Parts of the covariance of one cluster's rows: random effects and the residual.

Every part gives its matrix and the derivatives by its own parameters, for a batch of clusters of
one size: arrays (m, n, n) and (m, k, n, n); and the sum of its second derivatives, each multiplied
by a symmetric matrix of the cluster (`bend`). Parameters are free of bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple, Protocol

import numpy as np

from analysis.engine.structure import Array, Index


class Part(Protocol):
    """One term of V. `n_parameters` of theta are its own."""

    @property
    def n_parameters(self) -> int: ...

    def start(self) -> Array: ...

    def covariance(self, theta: Array, rows: Index) -> tuple[Array, Array]: ...

    def bend(self, theta: Array, rows: Index, weight: Array) -> Array: ...


@dataclass(frozen=True, eq=False)
class RandomTerm:
    """Random effects of the levels of a factor: rows of one level share them.

    z: (N, q) design of all rows; level: number of the level of each row. Psi = L L', theta holds
    the lower triangle of L, or its diagonal when the effects are independent.
    """

    name: str
    effects: tuple[str, ...]
    z: Array
    level: Index
    diagonal: bool = False
    transform: Array | None = None
    """Upper triangular; z times it is the design in the data's own units."""

    @property
    def n_parameters(self) -> int:
        q = int(self.z.shape[1])
        return q if self.diagonal else q * (q + 1) // 2

    def start(self) -> Array:
        """Independent effects of half the size of the residual."""
        rows, cols = self.entries
        return np.where(rows == cols, 0.5, 0.0)

    @cached_property
    def entries(self) -> tuple[Index, Index]:
        q = self.z.shape[1]
        if self.diagonal:
            return np.arange(q), np.arange(q)
        rows, cols = np.tril_indices(q)
        return rows.astype(np.intp), cols.astype(np.intp)

    def factor(self, theta: Array) -> Array:
        """L."""
        q = self.z.shape[1]
        lam = np.zeros((q, q))
        lam[self.entries] = theta
        return lam

    def psi(self, theta: Array) -> Array:
        """Covariance of the effects."""
        lam = self.factor(theta)
        return np.asarray(lam @ lam.T)

    def covariance(self, theta: Array, rows: Index) -> tuple[Array, Array]:
        """Matrix and derivatives for clusters whose rows are `rows` (m, n)."""
        z, level = self.z[rows], self.level[rows]
        same = level[:, :, None] == level[:, None, :]
        lam = self.factor(theta)
        turned = z @ lam
        value = np.where(same, turned @ np.swapaxes(turned, 1, 2), 0.0)
        slopes = []
        for i, j in zip(*self.entries, strict=True):
            half = z[:, :, i, None] * turned[:, None, :, j]
            slopes.append(np.where(same, half + np.swapaxes(half, 1, 2), 0.0))
        return value, np.stack(slopes, axis=1)

    def bend(self, theta: Array, rows: Index, weight: Array) -> Array:
        """Sum of tr(weight d2V), (k, k): two entries of one column of L bend Psi together."""
        z, level = self.z[rows], self.level[rows]
        same = level[:, :, None] == level[:, None, :]
        pairs = np.tensordot(z, np.where(same, weight, 0.0) @ z, ((0, 1), (0, 1)))
        i, j = self.entries
        return np.where(j[:, None] == j[None, :], 2 * pairs[np.ix_(i, i)], 0.0)


class Split(NamedTuple):
    """A vector of all parameters and where each part's begin."""

    parts: tuple[Part, ...]

    @property
    def edges(self) -> list[int]:
        return [0, *accumulate(part.n_parameters for part in self.parts)]

    def of(self, theta: Array) -> list[Array]:
        """Each part's own parameters."""
        edges = self.edges
        return [theta[a:b] for a, b in pairwise(edges)]


def batches(cluster: Index) -> Sequence[Index]:
    """Rows of the clusters, those of one size together: arrays (m, n)."""
    order = np.argsort(cluster, kind="stable")
    sizes = np.bincount(cluster)
    starts = np.append(0, np.cumsum(sizes)[:-1])
    return [
        np.stack([order[starts[k] : starts[k] + size] for k in np.flatnonzero(sizes == size)])
        for size in np.unique(sizes[sizes > 0])
    ]
