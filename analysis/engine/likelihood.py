"""Profiled (restricted) likelihood with exact gradient and Hessian, over a replicate axis.

The fixed effects and the residual variance are profiled out. With A = Z'Z, B = Z'[X y] of each
patient, Psi = Lam Lam', M = I + Lam' A Lam, K = Lam M^-1 Lam', N = I - K A, W = A N and
S = C - sum B' K B, the REML criterion is
    sum log|M| + log|S_XX| + (n - p)(1 + log(2 pi r2 / (n - p))), r2 the Schur complement of y.
Its derivatives in Psi follow from dK = N dPsi N' and dW = -W dPsi W, and are carried to the
Cholesky factor by the chain rule: a variance of zero is an ordinary point there.

Reference: Bates D et al., J Stat Softw 2015;67(1), doi:10.18637/jss.v067.i01, section 3.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from analysis.engine.directions import any_size
from analysis.engine.inverse import inverses
from analysis.engine.products import Pooled, pairs, unpack
from analysis.engine.small_directions import small, suits
from analysis.engine.structure import Array, RandomStructure

HUGE = 1e300


class Moments(NamedTuple):
    """S = [X y]' V^-1 [X y] and its derivatives in psi; V relative to the residual variance.

    First axis: replicate. value_*: (R, ...); slope_*: (R, parameters, ...); curve_*: (R, pairs of
    parameters, ...). *_xx is packed, *_y holds X'V^-1 y, then y'V^-1 y.
    log: sum log|V|, and its derivatives (R, parameters), (R, parameters, parameters).
    """

    log: Array
    log_slope: Array
    log_curve: Array
    value_xx: Array
    value_y: Array
    slope_xx: Array
    slope_y: Array
    curve_xx: Array
    curve_y: Array
    ok: np.ndarray


class Point(NamedTuple):
    """The likelihood at theta, one row per replicate.

    covariance: S_XX^-1, that of the fixed effects over the residual variance. r2: residual
    quadratic form. log_*: derivatives of the log-determinants in psi, r2_*: of r2, slope_xx: of
    S_XX (packed). degrees: n - p under REML, else n.
    """

    criterion: Array
    gradient: Array
    hessian: Array
    beta: Array
    covariance: Array
    r2: Array
    log_slope: Array
    log_curve: Array
    r2_slope: Array
    r2_curve: Array
    slope_xx: Array
    degrees: Array
    ok: np.ndarray

    @property
    def sigma2(self) -> Array:
        """Residual variance."""
        return np.asarray(self.r2 / self.degrees)


def moments(theta: Array, products: Pooled, structure: RandomStructure) -> Moments:
    """S and its first and second derivatives in psi. theta: (R, parameters)."""
    lam, a, weight = structure.factor(theta), products.a, products.weight
    if suits(structure, len(lam) * len(a)):
        found = small(lam, a, weight, structure)
    else:
        found = any_size(lam, a, weight, structure)
    n = structure.n_parameters
    xx, y = _contract(found.matrices, products.u_xx), _contract(found.matrices, products.u_y)
    return Moments(
        found.log,
        found.log_slope,
        found.log_curve,
        products.c_xx - xx[:, 0],
        products.c_y - y[:, 0],
        -xx[:, 1 : n + 1],
        -y[:, 1 : n + 1],
        2 * xx[:, n + 1 :],
        2 * y[:, n + 1 :],
        found.ok,
    )


def _contract(matrices: Array, sums: Array) -> Array:
    """(s, k, R, G) with (R or 1, s, G, c), over s and G: (R, k, c)."""
    s, k, r, g = matrices.shape
    if len(sums) == 1 and r > g:
        product = matrices.transpose(1, 2, 0, 3).reshape(k * r, s * g) @ sums[0].reshape(s * g, -1)
        return np.asarray(product.reshape(k, r, -1).transpose(1, 0, 2))
    if len(sums) == 1:
        product = matrices.reshape(s, k * r, g) @ sums[0]
        return np.asarray(product.sum(axis=0).reshape(k, r, -1).transpose(1, 0, 2))
    return np.asarray((matrices.transpose(2, 0, 1, 3) @ sums).sum(axis=1))


def evaluate(theta: Array, products: Pooled, structure: RandomStructure, reml: bool) -> Point:
    """Criterion (-2 log-likelihood), its derivatives in theta and the profiled estimates."""
    found = moments(theta, products, structure)
    p, n = products.n_fixed, structure.n_parameters
    s_xx = unpack(found.value_xx, p)
    covariance, log_x, ok_x = inverses(s_xx)
    beta = (covariance @ found.value_y[:, :p, None])[:, :, 0]
    degrees = np.zeros(len(theta)) + (products.n - p if reml else products.n)
    r2 = found.value_y[:, p] - (beta * found.value_y[:, :p]).sum(axis=1)
    ok = found.ok & ok_x & (r2 > 0) & np.isfinite(found.log)
    r2 = np.where(ok, r2, 1.0)
    slope = unpack(found.slope_xx, p)
    score = found.slope_y[:, :, :p] - (slope @ beta[:, None, :, None])[..., 0]
    squares = _packed_squares(beta)
    r2_slope = _quadratic(found.slope_xx, found.slope_y, beta, squares)
    r2_curve = unpack(_quadratic(found.curve_xx, found.curve_y, beta, squares), n)
    r2_curve = r2_curve - 2 * (score @ covariance) @ np.swapaxes(score, 1, 2)
    criterion = found.log + degrees * (1 + np.log(2 * np.pi * r2 / degrees))
    log_slope, log_curve = found.log_slope, found.log_curve
    if reml:
        criterion = criterion + log_x
        one, two = _log_determinant_derivatives(covariance, slope, found.curve_xx)
        log_slope, log_curve = log_slope + one, log_curve + unpack(two[0], n) - two[1]
    share = (degrees / r2)[:, None]
    gradient = log_slope + share * r2_slope
    hessian = log_curve + share[:, :, None] * (
        r2_curve - r2_slope[:, :, None] * r2_slope[:, None, :] / r2[:, None, None]
    )
    gradient, hessian = _in_theta(theta, gradient, hessian, structure)
    return Point(
        np.where(ok, criterion, HUGE),
        gradient,
        hessian,
        beta,
        covariance,
        r2,
        log_slope,
        log_curve,
        r2_slope,
        r2_curve,
        found.slope_xx,
        degrees,
        ok,
    )


def _in_theta(
    theta: Array, gradient: Array, hessian: Array, structure: RandomStructure
) -> tuple[Array, Array]:
    """Derivatives in psi carried to theta."""
    jacobian = structure.jacobian(theta)
    chained = np.swapaxes(jacobian, 1, 2) @ hessian @ jacobian
    chained = chained + structure.curved(gradient)
    return (gradient[:, None] @ jacobian)[:, 0], chained


def _packed_squares(beta: Array) -> Array:
    """beta beta', packed; pairs of different effects count twice: (R, pairs, 1)."""
    rows, cols = pairs(beta.shape[1])
    return np.asarray((beta[:, rows] * beta[:, cols] * _twice(beta.shape[1]))[:, :, None])


@cache
def _twice(n: int) -> Array:
    """How often each packed element stands in a symmetric matrix."""
    rows, cols = pairs(n)
    return np.where(rows == cols, 1.0, 2.0)


def _quadratic(xx: Array, y: Array, beta: Array, squares: Array) -> Array:
    """(-beta, 1)' S (-beta, 1) of derivatives S: (R, k)."""
    linear = (y[:, :, :-1] @ beta[:, :, None])[..., 0]
    return np.asarray((xx @ squares)[..., 0] - 2 * linear + y[:, :, -1])


def _log_determinant_derivatives(
    covariance: Array, slope: Array, curve_xx: Array
) -> tuple[Array, tuple[Array, Array]]:
    """tr(P dS), and the two parts of the second derivative of log|S_XX|."""
    rows, cols = pairs(covariance.shape[1])
    packed = covariance[:, rows, cols] * _twice(covariance.shape[1])
    turned = slope @ covariance[:, None]
    r, n = slope.shape[:2]
    one = np.trace(turned, axis1=2, axis2=3)
    flat, transposed = turned.reshape(r, n, -1), np.swapaxes(turned, 2, 3).reshape(r, n, -1)
    return one, (
        (curve_xx @ packed[:, :, None])[..., 0],
        flat @ np.swapaxes(transposed, 1, 2),
    )
