"""Known precisions of values: the weight of a value is the inverse of a relative variance."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.errors import UserError

if TYPE_CHECKING:
    import polars as pl


class Weights(NamedTuple):
    """root: square roots of the weights over their mean, None without weights; mean: of weights."""

    root: Array | None
    mean: float


def case_weights(frame: "pl.DataFrame", column: str) -> Weights:
    """Of every row. Raises UserError for a weight that is not a positive number."""
    if not column:
        return Weights(None, 1.0)
    values = positive_weights(frame, column)
    mean = float(values.mean())
    return Weights(np.asarray(np.sqrt(values / mean)), mean)


def positive_weights(frame: "pl.DataFrame", column: str) -> Array:
    """The column. Raises UserError for a weight that is not a positive number."""
    if not frame.schema[column].is_numeric():
        raise UserError(f"weights: column '{column}' must be a number")
    values = frame[column].cast(float).to_numpy()
    bad = int((~(np.isfinite(values) & (values > 0))).sum())
    if bad:
        raise UserError(
            f"weights: {bad} values of '{column}' are not positive numbers; a weight is the "
            "inverse of a relative variance"
        )
    return np.asarray(values)
