"""F statistics of structured fits to trials with exchanged labels of patients."""

from typing import Any

import numpy as np

from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.design import orthonormal
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.search import EXACT, refit

SAME = 1e-9
"""Difference of a scaled column under two labels that is none."""


def require_exchangeable(fitted: FittedStructured, variable: str) -> None:
    """Raises UserError where the variance of a patient's values goes with the label."""
    if variable in fitted.asked.columns:
        raise UserError(
            f"permutation test: the covariance of the model is made of '{variable}', so patients "
            "with other labels have other variances and cannot be exchanged; leave it out of the "
            "residual, the weights and the random effects, or read the F test of the terms"
        )


def statistics(
    fitted: FittedStructured,
    variable: str,
    values: list[Any],
    labels: Index,
    columns: list[int],
    *,
    refitted: bool,
) -> Array:
    """F of the columns for each row of `labels`; nan where the model cannot be fitted.

    refitted: with variances of its own for each arrangement, else with those of the model without
    any term of the variable, up to their common size.
    """
    rows = fitted.scaled_rows(np.eye(len(fitted.beta))[columns])
    each = _designs(fitted, variable, values)
    outcome = _outcome(fitted, each)
    every = np.arange(len(outcome))
    arranged = (each[row[fitted.design.patient], every] for row in labels)
    if refitted:
        dense = fitted.dense.with_rows(y=outcome)
        return np.array([_refitted(dense, fitted.theta, x, rows) for x in arranged])
    theta = _null_theta(fitted, variable, outcome)
    if theta is None:
        return np.full(len(labels), np.nan)
    solved = fitted.dense.precision(theta)
    turned = solved(outcome[:, None])[:, 0]
    whole = float(outcome @ turned)
    return np.array([_fixed(x, solved(x), turned, whole, rows) for x in arranged])


def _designs(fitted: FittedStructured, variable: str, values: list[Any]) -> Array:
    """The scaled fixed design as if every patient had each of the labels: (label, n, p)."""
    import polars as pl

    design = fitted.design
    dtype = design.frame.schema[variable]
    back = np.linalg.inv(design.x_transform)
    return np.stack(
        [
            design.fixed_rows(design.frame.with_columns(pl.lit(value, dtype).alias(variable)))
            @ back
            for value in values
        ]
    )


def _outcome(fitted: FittedStructured, each: Array) -> Array:
    """Scaled, without what the columns that no label changes explain."""
    design = fitted.design
    whole = design.x_transform @ design.b_ols / design.y_scale
    y = fitted.dense.y + fitted.dense.x @ whole
    fixed = each[0][:, np.all(np.abs(each - each[:1]) < SAME, axis=(0, 1))]
    return np.asarray(y - fixed @ np.linalg.lstsq(fixed, y, rcond=None)[0])


def _refitted(dense: DenseLikelihood, theta: Array, x: Array, rows: Array) -> float:
    found = refit(dense.with_rows(x=x), theta)
    if found is None:
        return float("nan")
    turned = rows @ found.point.beta
    covariance = rows @ found.point.covariance @ rows.T
    return float(turned @ np.linalg.solve(covariance, turned)) / len(rows)


def _null_theta(fitted: FittedStructured, variable: str, outcome: Array) -> Array | None:
    """Parameters of the covariance in the model without any term of the variable."""
    matrices = fitted.design.matrices
    without = [
        index
        for _, variables, where in matrices.x_terms
        if variable in variables
        for index in range(where.start, where.stop)
    ]
    if len(without) == matrices.x.shape[1]:
        return fitted.theta
    x, _ = orthonormal(np.delete(matrices.x, without, axis=1))
    found = refit(fitted.dense.with_rows(x=x, y=outcome), fitted.theta, EXACT)
    return None if found is None else found.theta


def _fixed(x: Array, wx: Array, wy: Array, yy: float, rows: Array) -> float:
    """F by a covariance known up to its size; wx, wy: V^-1 of design and outcome, yy: y'V^-1 y."""
    try:
        covariance = np.linalg.inv(x.T @ wx)
        beta = covariance @ (x.T @ wy)
        turned = rows @ beta
        value = float(turned @ np.linalg.solve(rows @ covariance @ rows.T, turned))
    except np.linalg.LinAlgError:
        return float("nan")
    rest = yy - float(beta @ (x.T @ wy))
    return value / len(rows) / (rest / (len(wy) - len(beta))) if rest > 0 else float("nan")
