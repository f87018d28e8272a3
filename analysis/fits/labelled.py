"""Every patient's cross-products as if the patient had each of the labels."""

from typing import Any, NamedTuple

import numpy as np

from analysis.engine.products import by_patient, outcome_sums, pairs, row_products, summed
from analysis.engine.structure import Array
from analysis.fits.design import root_mean_square
from analysis.fits.fitted import FittedMixed


class Labelled(NamedTuple):
    """Cross-products of each patient under each label (label, patient, ...), packed."""

    u_xx: Array
    u_y: Array
    c_xx: Array
    c_y: Array


def labelled(fitted: FittedMixed, variable: str, values: list[Any]) -> Labelled:
    """Every patient's cross-products as if the patient had each of the labels."""
    import polars as pl

    design = fitted.design
    dtype = design.frame.schema[variable]
    back = np.linalg.inv(design.x_transform)
    x = np.stack(
        [
            design.fixed_rows(design.frame.with_columns(pl.lit(value, dtype).alias(variable)))
            @ back
            for value in values
        ]
    )
    order = np.argsort(design.patient, kind="stable")
    starts = np.searchsorted(design.patient[order], np.arange(design.n_subjects))
    y, z, x = _outcome(design.matrices.y, x)[order], design.z_columns[order], x[:, order]
    by, each = by_patient(y[:, None] * z, starts)[None], np.arange(design.n_subjects)
    rows, cols = pairs(x.shape[2])
    square = by_patient(y**2, starts)
    parts = []
    for columns in x:
        bx = row_products(z, columns, starts)
        parts.append(
            Labelled(
                summed(bx, bx, rows, cols, each).transpose(1, 0, 2),
                outcome_sums(bx, by, each)[0].transpose(1, 0, 2),
                row_products(columns, columns, starts)[:, rows, cols],
                np.column_stack([by_patient(columns * y[:, None], starts), square]),
            )
        )
    return Labelled(*(np.stack(items) for items in zip(*parts, strict=True)))


def _outcome(y: Array, x: Array) -> Array:
    """Unit root mean square, without what the columns that no label changes explain."""
    same = np.all(np.abs(x - x[:1]) < 1e-9, axis=(0, 1))
    fixed = x[0][:, same]
    if same.any():
        y = y - fixed @ np.linalg.lstsq(fixed, y, rcond=None)[0]
    return np.asarray(y / (root_mean_square(y) or 1.0))
