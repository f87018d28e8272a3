"""The likelihood with one fixed effect held at a value."""

from collections.abc import Callable

import numpy as np

from analysis.engine.newton import EXACT, minimize
from analysis.engine.products import Pooled, cross_products, pooled
from analysis.engine.structure import Array
from analysis.fits.design import Design, orthonormal
from analysis.fits.fitted import FittedMixed
from analysis.fits.replicates import started


def fixed_deviance(fitted: FittedMixed, index: int) -> Callable[[float], float | None]:
    """Twice the log-likelihood lost (ML) when fixed effect `index` is held at a value.

    The effect's part of the outcome is taken away, and its column left out.
    """
    design = fitted.design
    column = design.matrices.x[:, index]
    others, _ = orthonormal(np.delete(design.matrices.x, index, axis=1))
    rest = design.matrices.y - design.matrices.x @ fitted.beta
    start = started(design, fitted.optimum.theta)[None]

    def lost(value: float) -> float | None:
        outcome = _without(others, rest - (value - fitted.beta[index]) * column)
        scale = float(np.sqrt(np.mean(outcome**2)))
        products = _products(design, others, outcome / scale)
        ends = minimize(products, design.structure, False, start, EXACT)
        if not ends.converged[0]:
            return None
        criterion = float(ends.point.criterion[0]) + 2 * len(outcome) * np.log(scale)
        return float(criterion - fitted.criterion)

    return lost


def _products(design: Design, others: Array, outcome: Array) -> Pooled:
    """Cross-products with the other columns. Where there are none, a column of an observation that
    does not exist stands for them: it takes no part in the likelihood."""
    if others.shape[1]:
        return pooled(cross_products(design.z_columns, others, outcome, design.patient))
    z = np.vstack([design.z_columns, np.zeros(design.z_columns.shape[1])])
    column = np.append(np.zeros(len(outcome)), 1.0)[:, None]
    patient = np.append(design.patient, design.n_subjects)
    found = pooled(cross_products(z, column, np.append(outcome, 0.0), patient))
    return found._replace(n=found.n - 1)


def _without(columns: Array, outcome: Array) -> Array:
    """The outcome without what the orthogonal columns explain: they are sqrt(n) long."""
    if not columns.shape[1]:
        return outcome
    return np.asarray(outcome - columns @ (columns.T @ outcome) / len(outcome))
