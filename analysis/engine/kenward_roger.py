"""Kenward-Roger: covariance of the fixed effects corrected for estimated variances, and its df.

Everything comes from per-patient cross-products: with V = Psi part + residual part, the direction
of the residual variance is exchanged for that of V itself (a linear change of parameters, which
leaves the result as it is), so that only derivatives in psi are needed.

References: Kenward MG, Roger JH 1997, doi:10.2307/2533558; Halekoh U, Hoejsgaard S, pbkrtest,
J Stat Softw 2014;59(9), doi:10.18637/jss.v059.i09.
"""

from typing import NamedTuple

import numpy as np

from analysis.engine.likelihood import moments
from analysis.engine.products import Pooled, unpack
from analysis.engine.structure import Array, RandomStructure

SINGULAR = 1e-10


class KenwardRoger(NamedTuple):
    """covariance: adjusted, plain: not adjusted, both over the residual variance.

    slopes: derivatives of X'V^-1 X by each variance parameter, information: of those parameters.
    """

    covariance: Array
    plain: Array
    slopes: Array
    information: Array


class JointTest(NamedTuple):
    """Scaled F statistic with its degrees of freedom."""

    statistic: float
    df: int
    den_df: float


def kenward_roger(theta: Array, products: Pooled, structure: RandomStructure) -> KenwardRoger:
    """At one optimum of the restricted likelihood; theta: (parameters,)."""
    found = moments(theta[None], products, structure)
    p, n = products.n_fixed, structure.n_parameters
    s_xx = unpack(found.value_xx[0], p)
    phi: Array = np.asarray(np.linalg.inv(s_xx), dtype=float)
    slopes = np.concatenate([unpack(found.slope_xx[0], p), -s_xx[None]])
    q = np.empty((n + 1, n + 1, p, p))
    q[:n, :n] = unpack(unpack(found.curve_xx[0].T, n).transpose(1, 2, 0), p) / 2
    q[:n, n] = q[n, :n] = -slopes[:n]
    q[n, n] = s_xx
    trace = np.empty((n + 1, n + 1))
    trace[:n, :n] = -found.log_curve[0]
    trace[:n, n] = trace[n, :n] = found.log_slope[0]
    trace[n, n] = products.n[0]
    turned = slopes @ phi
    expected = trace - 2 * np.einsum("ij,rsij->rs", phi, q)
    expected += np.einsum("rij,sji->rs", turned, turned)
    information = 2 * _inverse(expected)
    core = q - np.einsum("rij,sjk->rsik", turned, slopes)
    adjustment = phi @ np.einsum("rs,rsij->ij", information, core) @ phi
    return KenwardRoger(phi + adjustment + adjustment.T, phi, slopes, information)


def _inverse(matrix: Array) -> Array:
    values = np.linalg.eigvalsh(matrix)
    if np.abs(values).min() > SINGULAR:
        return np.asarray(np.linalg.inv(matrix))
    return np.asarray(np.linalg.pinv(matrix))


def joint_test(adjusted: KenwardRoger, rows: Array, beta: Array, sigma2: float) -> JointTest:
    """F test of rows @ beta = 0; one row gives the t test's df and a scaling of one."""
    phi, q = adjusted.plain, len(rows)
    theta = rows.T @ np.linalg.solve(rows @ phi @ rows.T, rows)
    u = theta @ phi @ adjusted.slopes @ phi
    spur = np.trace(u, axis1=1, axis2=2)
    a1 = float(spur @ adjusted.information @ spur)
    a2 = float((adjusted.information * np.einsum("rij,sji->rs", u, u)).sum())
    scaling, den_df = _moments_matched(a1, a2, q)
    value = rows @ beta
    wald = float(value @ np.linalg.solve(sigma2 * rows @ adjusted.covariance @ rows.T, value))
    return JointTest(scaling * wald / q, q, den_df)


def _moments_matched(a1: float, a2: float, q: int) -> tuple[float, float]:
    """Scaling and denominator df that match the F statistic's first two moments."""
    b = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    below = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / below, (q - g) / below, (q + 2 - g) / below
    v0, v1, v2 = (_cleaned(value) for value in (1 + c1 * b, 1 - c2 * b, 1 - c3 * b))
    ratio = 1.0 if abs(1 - a2 / q) < 1e-14 and abs(v1) < 1e-14 else (1 - a2 / q) / v1
    rho = ratio**2 * v0 / v2 / q if v2 else np.inf
    den_df = 4 + (q + 2) / (q * rho - 1)
    scaling = 1.0 if abs(den_df - 2) < 1e-2 else den_df * (1 - a2 / q) / (den_df - 2)
    return scaling, den_df


def _cleaned(value: float) -> float:
    return 0.0 if abs(value) < 1e-10 else value
