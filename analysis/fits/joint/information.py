"""Observed information of a fit by quadrature, and its inverse at the boundary."""

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.joint.parameters import Layout

NO_VARIANCE = 1e-4
"""Standard deviation of a random effect, relative to the outcome's, from which it is none."""


def vanished_effects(layout: Layout, theta: Array) -> tuple[int, ...]:
    """Effects whose column of the factor is zero: the maximum lies at the boundary."""
    lam = layout.factor_of(theta)
    return tuple(int(k) for k in np.flatnonzero(np.abs(lam).max(axis=0) < NO_VARIANCE))


def inverse_information(layout: Layout, hessian: Array, vanished: tuple[int, ...]) -> Array | None:
    """Covariance of all parameters; None where the information is not positive definite.

    Columns of the factor that are zero are held at zero.
    """
    held = [p for effect in vanished for p in layout.column(effect)[1]]
    free = np.setdiff1d(np.arange(layout.size), held)
    information = -hessian[np.ix_(free, free)]
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    if values.min() < 1e-10 * values.max():
        return None
    inverse = (vectors / values) @ vectors.T / np.outer(scale, scale)
    covariance = np.zeros((layout.size, layout.size))
    covariance[np.ix_(free, free)] = inverse
    return covariance
