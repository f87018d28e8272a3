"""Covariance of fixed effects that holds whatever the variances of the visits are (CR2).

What a model says about the variance of each visit and their correlation is used for the weights
only; the uncertainty comes from how patients differ. The bias-reduced form corrects each patient's
residuals for the fit to them, so that it is unbiased where the model is right, and a test has the
degrees of freedom of a chi-square with the same first two moments there.

References: Bell RM, McCaffrey DF. Bias reduction in standard errors for linear regression with
multi-stage samples. Surv Methodol 2002;28(2):169-181. Pustejovsky JE, Tipton E. Small-sample
methods for cluster-robust variance estimation. J Bus Econ Stat 2018;36(4):672-683,
doi:10.1080/07350015.2016.1247004, sections 2 and 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.engine.structure import Array, Index, RandomStructure

SINGULAR = 1e-10
"""Share of a patient's squared variance below which the fit has left nothing of a direction."""


@dataclass(frozen=True, eq=False)
class ClusterRobust:
    """What design and weights say; the data enter by residuals of the fixed part.

    weighted, adjusted: V^-1 X and A V^-1 X of each patient, (n, p); starts: first row of each
    patient in `order`; bread: (X' V^-1 X)^-1. squared, projected: V and X' on both sides and on one
    side of `adjusted`, (patients, p, p).
    """

    x: Array
    weighted: Array
    adjusted: Array
    order: Index
    starts: Index
    bread: Array
    squared: Array
    projected: Array

    def coefficients(self, outcomes: Array) -> Array:
        """Generalized least squares of outcomes (..., n): (..., p)."""
        return np.asarray(outcomes @ self.weighted @ self.bread)

    def moves(self, residuals: Array, rows: Array) -> Array:
        """By how much each of m patients moves contrasts (L, p), given residuals (..., n):
        (..., L, m)."""
        share = self.adjusted @ self.bread @ rows.T
        products = residuals[..., None, :] * share.T
        return np.asarray(np.add.reduceat(products[..., self.order], self.starts, axis=-1))

    def covariance(self, residuals: Array) -> Array:
        """Of the fixed effects, (p, p)."""
        moves = self.moves(residuals, np.eye(len(self.bread)))
        return np.asarray(moves @ moves.T)

    def degrees(self, rows: Array) -> Array:
        """Bell and McCaffrey's degrees of freedom of contrasts (L, p)."""
        found = []
        for row in rows @ self.bread:
            own = np.einsum("p,mpq,q->m", row, self.squared, row)
            shared = self.projected @ row
            spread = np.diag(own) - shared @ self.bread @ shared.T
            found.append(np.trace(spread) ** 2 / (spread**2).sum())
        return np.array(found)


def cluster_robust(
    x: Array, z: Array, patient: Index, structure: RandomStructure, theta: Array
) -> ClusterRobust:
    """x (n, p), z (n, q): designs; theta: the working covariance, relative to the residual's."""
    lam = structure.factor(theta)
    order = np.argsort(patient, kind="stable")
    clusters = np.split(order, np.flatnonzero(np.diff(patient[order])) + 1)
    working = []
    for rows in clusters:
        root = z[rows] @ lam
        working.append(np.eye(len(rows)) + root @ root.T)
    return robust_by(x, clusters, working)


def robust_by(x: Array, clusters: Sequence[Index], working: Sequence[Array]) -> ClusterRobust:
    """x (n, p): design; working: covariance of each cluster's rows, on any scale. Rows that are in
    no cluster carry nothing."""
    sizes = [len(rows) for rows in clusters]
    order, starts = np.concatenate(clusters), np.cumsum([0, *sizes[:-1]])
    weighted, adjusted = np.zeros_like(x), np.zeros_like(x)
    for rows, v in zip(clusters, working, strict=True):
        weighted[rows] = np.linalg.solve(v, x[rows])
    bread = np.asarray(np.linalg.inv(x.T @ weighted), dtype=float)
    squared, projected = [], []
    for rows, v in zip(clusters, working, strict=True):
        adjusted[rows] = _adjustment(x[rows], v, bread) @ weighted[rows]
        squared.append(adjusted[rows].T @ v @ adjusted[rows])
        projected.append(x[rows].T @ adjusted[rows])
    return ClusterRobust(
        x, weighted, adjusted, order, starts, bread, np.stack(squared), np.stack(projected)
    )


def _adjustment(x: Array, v: Array, bread: Array) -> Array:
    """A = L (L' (V - X M X') L)^-1/2 L' of a patient, V = L L': it makes residuals as variable as
    errors. Directions that the fit leaves nothing of are left out."""
    root = np.linalg.cholesky(v)
    values, vectors = np.linalg.eigh(root.T @ (v - x @ bread @ x.T) @ root)
    kept = values > SINGULAR * float(np.trace(v)) ** 2
    half = root @ vectors[:, kept]
    return np.asarray((half / np.sqrt(values[kept])) @ half.T)
