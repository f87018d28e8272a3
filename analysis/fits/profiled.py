"""Profiled (restricted) likelihood of random effects nested in the patient, by cross-products.

The fixed effects and the residual variance are profiled out, so that only the relative Cholesky
factor of the random effects is searched for. With A = Z'Z, B = Z'[X y], C = [X y]'[X y] of each
patient, M = I + Lam' A Lam, K = Lam M^-1 Lam' and S = C - sum B' K B, the REML criterion is
sum log|M| + log|S_XX| + (n - p)(1 + log(2 pi r2 / (n - p))), r2 the Schur complement of y.
A singular optimum (a variance of zero) is an ordinary point here, which it is not in statsmodels.

Reference: Bates D et al., J Stat Softw 2015;67(1), doi:10.18637/jss.v067.i01, section 3.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class RandomStructure(NamedTuple):
    """Columns of Z: `size` of one correlated block (or independent ones), then nested blocks.

    nested: number of columns of each nested factor, one variance per factor.
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

    def positions(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Row, column and parameter of every non-zero entry of the Cholesky factor."""
        if self.diagonal:
            rows = cols = np.arange(self.size)
        else:
            rows, cols = np.tril_indices(self.size)
        parameters = np.arange(self.n_block)
        start = self.size
        for index, width in enumerate(self.nested):
            diagonal = np.arange(start, start + width)
            rows, cols = np.append(rows, diagonal), np.append(cols, diagonal)
            parameters = np.append(parameters, np.full(width, self.n_block + index))
            start += width
        return rows, cols, parameters

    def factor(self, theta: Array) -> Array:
        """Relative Cholesky factor Lam (n_columns square) of the parameters."""
        rows, cols, parameters = self.positions()
        lam = np.zeros((self.n_columns, self.n_columns))
        lam[rows, cols] = theta[parameters]
        return lam

    def start(self, scale: float) -> Array:
        """Parameters of independent effects, each with `scale` times the residual SD."""
        block = (
            np.full(self.size, scale)
            if self.diagonal
            else (np.eye(self.size) * scale)[np.tril_indices(self.size)]
        )
        return np.append(block, np.full(len(self.nested), scale))

    def covariance(self, theta: Array) -> tuple[Array, Array]:
        """Relative covariance of the block and relative variances of the nested factors."""
        lam = self.factor(theta)[: self.size, : self.size]
        return lam @ lam.T, theta[self.n_block :] ** 2


class CrossProducts(NamedTuple):
    """Per patient: a = Z'Z (m, q, q), b = Z'[X y] (m, q, p+1), c = [X y]'[X y] (m, p+1, p+1)."""

    a: Array
    b: Array
    c: Array
    n_rows: NDArray[np.intp]

    @property
    def n_fixed(self) -> int:
        return int(self.c.shape[1]) - 1

    def without(self, index: int) -> "CrossProducts":
        """The same data without one patient."""
        keep = np.arange(len(self.n_rows)) != index
        return CrossProducts(self.a[keep], self.b[keep], self.c[keep], self.n_rows[keep])


class Profile(NamedTuple):
    """The likelihood at one theta; `covariance` is that of the fixed effects."""

    criterion: float
    gradient: Array
    beta: Array
    covariance: Array
    sigma2: float
    k: Array


def cross_products(z: Array, x: Array, y: Array, patient: NDArray[np.intp]) -> CrossProducts:
    """patient: 0..m-1 for each row."""
    order = np.argsort(patient, kind="stable")
    z, xy, codes = z[order], np.column_stack([x, y])[order], patient[order]
    n_rows = np.bincount(codes)
    edges = np.concatenate([[0], np.cumsum(n_rows)])
    pairs = list(pairwise(edges))
    return CrossProducts(
        np.stack([z[i:j].T @ z[i:j] for i, j in pairs]),
        np.stack([z[i:j].T @ xy[i:j] for i, j in pairs]),
        np.stack([xy[i:j].T @ xy[i:j] for i, j in pairs]),
        n_rows,
    )


def evaluate(
    theta: Array, products: CrossProducts, structure: RandomStructure, reml: bool
) -> Profile:
    """Criterion, its exact gradient and the profiled estimates. Raises LinAlgError."""
    a, b, c = products.a, products.b, products.c
    p, n = products.n_fixed, int(products.n_rows.sum())
    lam = structure.factor(theta)
    chol = np.linalg.cholesky(np.eye(structure.n_columns) + lam.T @ a @ lam)
    half = np.linalg.solve(chol, np.broadcast_to(lam.T, a.shape))
    k = np.swapaxes(half, 1, 2) @ half
    hb = half @ b
    s = c.sum(axis=0) - np.einsum("mij,mik->jk", hb, hb)
    chol_x = np.linalg.cholesky(s[:p, :p])
    inverse = np.linalg.inv(s[:p, :p])
    beta = inverse @ s[:p, p]
    weight = np.append(-beta, 1.0)
    r2 = float(weight @ s @ weight)
    degrees = n - p if reml else n
    if not r2 > 0:
        raise np.linalg.LinAlgError("no residual variation")
    logdet = 2 * float(np.log(np.diagonal(chol, axis1=1, axis2=2)).sum())
    logdet_x = 2 * float(np.log(np.diag(chol_x)).sum())
    criterion = logdet + degrees * (1 + np.log(2 * np.pi * r2 / degrees))
    e = b - a @ (k @ b)
    fitted = e @ weight
    slope = (a - a @ k @ a).sum(axis=0) - degrees / r2 * np.einsum("mi,mj->ij", fitted, fitted)
    if reml:
        criterion += logdet_x
        ex = e[:, :, :p]
        slope = slope - np.einsum("mip,pq,mjq->ij", ex, inverse, ex, optimize=True)
    rows, cols, parameters = structure.positions()
    gradient = np.bincount(
        parameters, weights=2 * (slope @ lam)[rows, cols], minlength=structure.n_parameters
    ).astype(np.float64)
    sigma2 = r2 / degrees
    return Profile(criterion, gradient, beta, sigma2 * inverse, sigma2, k)


class Optimum(NamedTuple):
    """Best of several starts. `agreement`: spread of the criteria the starts ended at."""

    theta: Array
    profile: Profile
    converged: bool
    gradient_norm: float
    agreement: float


def optimize(
    products: CrossProducts,
    structure: RandomStructure,
    reml: bool,
    starts: Sequence[Array],
) -> Optimum:
    """Smallest criterion over the starts, by BFGS with the exact gradient, restarted once.

    Raises LinAlgError when no start can be evaluated.
    """
    found = [end for start in starts if (end := _descend(start, products, structure, reml))]
    if not found:
        raise np.linalg.LinAlgError("the likelihood cannot be evaluated")
    found.sort(key=lambda end: end[1].criterion)
    theta, profile = found[0]
    theta, profile = _snap(theta, profile, products, structure, reml)
    norm = float(np.abs(profile.gradient).max())
    spread = found[min(1, len(found) - 1)][1].criterion - profile.criterion
    return Optimum(theta, profile, norm < 1e-2, norm, float(spread))


def _descend(
    start: Array, products: CrossProducts, structure: RandomStructure, reml: bool
) -> tuple[Array, Profile] | None:
    from scipy.optimize import minimize

    def objective(theta: Array) -> tuple[float, Array]:
        try:
            profile = evaluate(theta, products, structure, reml)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros_like(theta)
        return profile.criterion, profile.gradient

    theta = start
    for _ in range(2):
        ended = minimize(
            objective, theta, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 400}
        )
        theta = np.asarray(ended.x)
    try:
        return theta, evaluate(theta, products, structure, reml)
    except np.linalg.LinAlgError:
        return None


def _snap(
    theta: Array, profile: Profile, products: CrossProducts, structure: RandomStructure, reml: bool
) -> tuple[Array, Profile]:
    """Exact zeros where the likelihood cannot tell a tiny variance from none (flat in theta^2)."""
    for index in _diagonal_parameters(structure):
        if abs(theta[index]) < 1e-2:
            tried = theta.copy()
            tried[index] = 0.0
            other = evaluate(tried, products, structure, reml)
            if other.criterion <= profile.criterion + 1e-7:
                theta, profile = tried, other
    return theta, profile


def _diagonal_parameters(structure: RandomStructure) -> list[int]:
    rows, cols, parameters = structure.positions()
    return sorted({int(k) for i, j, k in zip(rows, cols, parameters, strict=True) if i == j})
