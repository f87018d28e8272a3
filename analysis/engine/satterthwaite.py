"""Satterthwaite degrees of freedom from exact derivatives.

The variance of a contrast is a function of theta and sigma; its own variance follows from the
inverse Hessian of the criterion in (theta, sigma) by the delta method, and a chi-square with the
same relative variance gives the degrees of freedom: 2 v^2 / (g' A g).

References: Giesbrecht FG, Burns JC 1985, doi:10.2307/2530863; Kuznetsova A et al., lmerTest,
J Stat Softw 2017;82(13), doi:10.18637/jss.v082.i13 (the joint F test).
"""

import numpy as np

from analysis.engine.inverse import inverses
from analysis.engine.likelihood import Point
from analysis.engine.products import unpack
from analysis.engine.structure import Array, RandomStructure

FLAT = 1e-8
"""Directions of the Hessian with less curvature carry no information and are left out."""


def parameter_covariance(point: Point, theta: Array, structure: RandomStructure) -> Array:
    """Covariance of (theta, sigma): twice the inverse Hessian of -2 log-likelihood, (R, n+1, n+1).

    At a singular optimum the directions without curvature are left out, as lmerTest does.
    """
    jacobian = structure.jacobian(theta)
    sigma = np.sqrt(point.sigma2)[:, None, None]
    slope = point.log_slope + point.r2_slope / sigma[:, 0] ** 2
    curve = point.log_curve + point.r2_curve / sigma**2
    r, n = theta.shape
    hessian = np.empty((r, n + 1, n + 1))
    turned = np.swapaxes(jacobian, 1, 2) @ curve @ jacobian
    hessian[:, :n, :n] = turned + structure.curved(slope)
    cross = -2 * (point.r2_slope[:, None] @ jacobian)[:, 0] / sigma[:, 0] ** 3
    hessian[:, :n, n] = hessian[:, n, :n] = cross
    hessian[:, n, n] = 4 * point.degrees / sigma[:, 0, 0] ** 2
    inverse, _, ok = inverses(hessian)
    for index in np.flatnonzero(~ok & point.ok):
        values, vectors = np.linalg.eigh(hessian[index])
        kept = values > FLAT
        inverse[index] = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return np.asarray(2 * inverse)


def degrees_of_freedom(
    point: Point, theta: Array, structure: RandomStructure, rows: Array
) -> tuple[Array, Array]:
    """Variance and degrees of freedom of contrasts of each replicate: (R, L).

    rows: (L, p), or (R, L, p) when every replicate has its own.
    """
    covariance = parameter_covariance(point, theta, structure)
    p, sigma2 = point.beta.shape[1], point.sigma2
    turned = rows @ point.covariance
    relative = (turned * rows).sum(axis=2)
    r, n = theta.shape
    slopes = unpack(point.slope_xx, p)
    bent = turned[:, None] @ slopes
    by_psi = -np.swapaxes((bent * turned[:, None]).sum(axis=3), 1, 2)
    gradient = np.empty((r, rows.shape[-2], n + 1))
    gradient[:, :, :n] = sigma2[:, None, None] * (by_psi @ structure.jacobian(theta))
    gradient[:, :, n] = 2 * np.sqrt(sigma2)[:, None] * relative
    variance = sigma2[:, None] * relative
    spread = ((gradient @ covariance) * gradient).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = 2 * variance**2 / spread
    return variance, np.where(spread > 0, df, np.inf)


def joint_degrees(df: Array) -> float:
    """Denominator degrees of freedom of an F test from those of its independent t tests."""
    if len(df) == 1 or float(np.abs(np.diff(df)).max()) < FLAT:
        return float(df.mean())
    if np.any(df <= 2):
        return 2.0
    expected = float((df / (df - 2)).sum())
    return float(2 * expected / (expected - len(df))) if expected > len(df) else float("inf")
