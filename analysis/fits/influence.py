"""The key ratio without each patient in turn: a full refit from the optimum of all."""

from typing import NamedTuple

import numpy as np

from analysis.fits.contrasts import WIDTH, power
from analysis.fits.fitted import FittedMixed
from analysis.fits.profiled import Array, optimize
from analysis.results import InfluencePoint, finite

MAXIMUM_SUBJECTS = 60


class KeyContrast(NamedTuple):
    """Design row of the key comparison and its estimate with all patients."""

    row: Array
    estimate: float
    log: bool


def leave_one_out(fitted: FittedMixed, key: KeyContrast) -> tuple[InfluencePoint, ...]:
    """One point per patient; None where the model cannot be fitted without that patient."""
    return tuple(
        _without(fitted, key, index, label) for index, label in enumerate(fitted.design.labels)
    )


def _without(fitted: FittedMixed, key: KeyContrast, index: int, label: str) -> InfluencePoint:
    design = fitted.design
    theta = fitted.optimum.theta
    # A start at an exact zero would stay there: the gradient vanishes on the boundary.
    start = np.where(np.abs(theta) < 1e-3, 1e-2, theta)
    try:
        optimum = optimize(design.products.without(index), design.structure, fitted.reml, [start])
    except np.linalg.LinAlgError:
        return InfluencePoint(label, None, None, None, None)
    if not optimum.converged:
        return InfluencePoint(label, None, None, None, None)
    row = np.linalg.solve(design.x_transform.T, key.row)
    estimate = float(key.row @ design.b_ols + design.y_scale * (row @ optimum.profile.beta))
    error = float(design.y_scale * np.sqrt(row @ optimum.profile.covariance @ row))
    scale = power if key.log else float
    return InfluencePoint(
        label,
        finite(scale(estimate)),
        finite(scale(estimate - WIDTH * error)),
        finite(scale(estimate + WIDTH * error)),
        finite(scale(estimate - key.estimate)),
    )
