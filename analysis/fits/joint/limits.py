"""Measurements below or above a limit: what is known of them on the scale of the outcome."""

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits import formulas

if TYPE_CHECKING:
    import polars as pl


class Limits(NamedTuple):
    """One row per visit, transformed as the outcome is. censored: only the bounds are known."""

    low: Array
    high: Array
    censored: NDArray[np.bool_]


def outcome_column(frame: "pl.DataFrame", formula: str) -> str:
    """The one column of the outcome. Raises UserError where the left side holds several."""
    left = formula.split("~", maxsplit=1)[0]
    found = [n for n in frame.columns if re.search(rf"(?<!\w){re.escape(n)}(?!\w)", left)]
    if len(found) != 1:
        raise UserError(
            f"formula {formula!r}: with limits the outcome must be made of one column, which its "
            "limits replace; write the column or a function of it on the left"
        )
    return found[0]


def with_stand_in(
    frame: "pl.DataFrame", formula: str, lower: str | None, upper: str | None
) -> "pl.DataFrame":
    """The frame with a number in every outcome that is bounded, so that the row is not dropped.

    A row is exact where both bounds are missing or equal. lower: missing is minus infinity, upper:
    missing is infinity; both in the unit of the outcome's column. The stand-in (the upper limit,
    else the lower one) starts the search and is not used by the likelihood.
    """
    import polars as pl

    name = outcome_column(frame, formula)
    low, high = _bounds(lower, upper)
    return frame.with_columns(
        pl.when(_censored(low, high))
        .then(pl.when(high.is_finite()).then(high).otherwise(low))
        .when((low == high).fill_null(value=False))
        .then(low)
        .otherwise(pl.col(name).cast(pl.Float64))
        .alias(name)
    )


def limits_of(frame: "pl.DataFrame", formula: str, lower: str | None, upper: str | None) -> Limits:
    """Bounds of complete rows through the transformation of the outcome (log10 of 0 is minus
    infinity). Raises UserError where a lower bound is above its upper one."""
    name = outcome_column(frame, formula)
    low, high = _bounds(lower, upper)
    left = formula.split("~", maxsplit=1)[0]
    censored = frame.select(_censored(low, high)).to_series().to_numpy()
    found = []
    for bound, missing in ((low, -np.inf), (high, np.inf)):
        values = frame.with_columns(bound.fill_null(missing).alias(name))[name]
        filled = frame.with_columns(values.replace([np.inf, -np.inf], [1.0, 1.0]).alias(name))
        turned = formulas.build_matrices(filled, f"{left} ~ 1", "1").y
        raw = values.to_numpy()
        found.append(np.where(np.isinf(raw), raw, turned))
    if (found[0] > found[1])[censored].any():
        raise UserError(
            f"limits: '{lower}' is above '{upper}' in "
            f"{int((found[0] > found[1])[censored].sum())} rows; the lower bound comes first"
        )
    with np.errstate(invalid="ignore"):
        low_y = np.where(np.isnan(found[0]), -np.inf, found[0])
    return Limits(low_y, found[1], censored)


def _bounds(lower: str | None, upper: str | None) -> tuple["pl.Expr", "pl.Expr"]:
    import polars as pl

    low = pl.lit(None, dtype=pl.Float64) if lower is None else pl.col(lower).cast(pl.Float64)
    high = pl.lit(None, dtype=pl.Float64) if upper is None else pl.col(upper).cast(pl.Float64)
    return low.fill_nan(None), high.fill_nan(None)


def _censored(low: "pl.Expr", high: "pl.Expr") -> "pl.Expr":
    known = low.is_not_null() | high.is_not_null()
    return known & ~(low == high).fill_null(value=False)
