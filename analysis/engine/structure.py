"""The random part as numbers: which columns of Z share a covariance, and how it is parametrized."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@lru_cache(maxsize=64)
def random_structure(
    size: int, diagonal: bool = False, nested: tuple[int, ...] = ()
) -> "RandomStructure":
    """The structure of these dimensions, whose index arrays are built once and only read."""
    return RandomStructure(size, diagonal, nested)


@dataclass(frozen=True)
class RandomStructure:
    """Columns of Z: `size` of one correlated block (or independent ones), then nested blocks.

    nested: number of columns of each nested factor, one variance per factor.
    theta: entries of the relative Cholesky factor Lam; psi: entries of Psi = Lam Lam', the
    covariance relative to the residual variance. Both have `n_parameters` elements.
    """

    size: int
    diagonal: bool = False
    nested: tuple[int, ...] = ()

    @property
    def n_columns(self) -> int:
        return self.size + sum(self.nested)

    @property
    def n_block(self) -> int:
        return self.size if self.diagonal else self.size * (self.size + 1) // 2

    @property
    def n_parameters(self) -> int:
        return self.n_block + len(self.nested)

    @cached_property
    def block_entries(self) -> tuple[Index, Index]:
        """Row and column of every parameter of the block."""
        if self.diagonal:
            return np.arange(self.size), np.arange(self.size)
        rows, cols = np.tril_indices(self.size)
        return rows.astype(np.intp), cols.astype(np.intp)

    @cached_property
    def positions(self) -> tuple[Index, Index, Index]:
        """Row, column and parameter of every entry of Lam that may differ from zero."""
        rows, cols = self.block_entries
        parameters = np.arange(self.n_block)
        start = self.size
        for index, width in enumerate(self.nested):
            diagonal = np.arange(start, start + width)
            rows, cols = np.append(rows, diagonal), np.append(cols, diagonal)
            parameters = np.append(parameters, np.full(width, self.n_block + index))
            start += width
        return rows, cols, parameters

    @cached_property
    def basis(self) -> Array:
        """Symmetric matrices E with Psi = sum psi_r E_r: (parameters, columns, columns)."""
        rows, cols, parameters = self.positions
        basis = np.zeros((self.n_parameters, self.n_columns, self.n_columns))
        basis[parameters, rows, cols] = 1.0
        basis[parameters, cols, rows] = 1.0
        return basis

    @cached_property
    def basis_rows(self) -> Array:
        """The same side by side: (columns, parameters times columns)."""
        return np.ascontiguousarray(self.basis.transpose(1, 0, 2).reshape(self.n_columns, -1))

    @cached_property
    def curvature(self) -> Array:
        """Second derivatives of psi in theta, a constant: psi = theta' curvature theta / 2."""
        n = self.n_parameters
        curvature = np.zeros((n, n, n))
        rows, cols = self.block_entries
        where = {(int(i), int(j)): k for k, (i, j) in enumerate(zip(rows, cols, strict=True))}
        for (i, shared), k in where.items():
            for (j, other), m in where.items():
                if shared == other and i >= j:
                    curvature[where[i, j], k, m] += 1.0
                    curvature[where[i, j], m, k] += 1.0
        for index in range(self.n_block, n):
            curvature[index, index, index] = 2.0
        return curvature

    @cached_property
    def diagonal_parameters(self) -> Index:
        """Parameters that stand on the diagonal of Lam."""
        rows, cols, parameters = self.positions
        return np.unique(parameters[rows == cols])

    def factor(self, theta: Array) -> Array:
        """Relative Cholesky factor Lam, (..., columns, columns), of parameters (..., n)."""
        rows, cols, parameters = self.positions
        lam = np.zeros((*theta.shape[:-1], self.n_columns, self.n_columns))
        lam[..., rows, cols] = theta[..., parameters]
        return lam

    def jacobian(self, theta: Array) -> Array:
        """Derivatives of psi (second last axis) in theta (last axis)."""
        n = self.n_parameters
        flat = theta @ self.curvature.reshape(n * n, n).T
        return np.asarray(flat.reshape(*theta.shape[:-1], n, n))

    def curved(self, gradient: Array) -> Array:
        """What the curvature of psi adds to a Hessian: gradient in psi (R, n) to (R, n, n)."""
        n = self.n_parameters
        return np.asarray((gradient @ self.curvature.reshape(n, n * n)).reshape(-1, n, n))

    def start(self, scale: float) -> Array:
        """Parameters of independent effects, each with `scale` times the residual SD."""
        start = np.zeros(self.n_parameters)
        start[self.diagonal_parameters] = scale
        return start

    def nearest(self, psi: Array, least: float) -> Array:
        """theta of covariances near `psi` (..., n), with no standard deviation below `least`."""
        theta = np.sqrt(np.maximum(psi, least**2))
        if self.diagonal or not self.size:
            return theta
        values, vectors = np.linalg.eigh(self._block(psi))
        lifted = np.maximum(values, least**2)[..., None, :]
        root = np.linalg.cholesky((vectors * lifted) @ np.swapaxes(vectors, -1, -2))
        rows, cols = self.block_entries
        theta[..., : self.n_block] = root[..., rows, cols]
        return theta

    def is_covariance(self, psi: Array, least: float) -> np.ndarray:
        """Whether every standard deviation, in any direction, is above `least`; psi: (..., n)."""
        inside = np.asarray((psi[..., self.n_block :] > least**2).all(axis=-1))
        if self.diagonal or not self.size:
            return np.asarray((psi > least**2).all(axis=-1))
        return np.asarray(inside & (np.linalg.eigvalsh(self._block(psi))[..., 0] > least**2))

    def _block(self, psi: Array) -> Array:
        rows, cols = self.block_entries
        block = np.zeros((*psi.shape[:-1], self.size, self.size))
        block[..., rows, cols] = block[..., cols, rows] = psi[..., : self.n_block]
        return block

    def positive(self, theta: Array) -> Array:
        """The same covariance with a non-negative diagonal of Lam: columns change their sign."""
        _, cols = self.block_entries
        lam = self.factor(theta)
        sign = np.where(np.diagonal(lam, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
        signed = np.abs(theta)
        signed[..., : self.n_block] = theta[..., : self.n_block] * sign[..., cols]
        return signed

    def covariance(self, theta: Array) -> tuple[Array, Array]:
        """Relative covariance of the block and relative variances of the nested factors."""
        lam = self.factor(theta)[..., : self.size, : self.size]
        return lam @ np.swapaxes(lam, -1, -2), theta[..., self.n_block :] ** 2
