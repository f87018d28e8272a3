"""Values of the columns that a question needs: rows without one are left out, codes are checked."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.errors import UserError
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl


def without_missing(
    frame: "pl.DataFrame", columns: Iterable[str]
) -> tuple["pl.DataFrame", tuple[Excluded, ...]]:
    """Rows with a value in every column, and the others counted by the first column that lacks
    one. A nan is no value."""
    kept, excluded = frame, []
    for name in dict.fromkeys(columns):
        if not _has_missing(kept[name]):
            continue
        complete = kept.filter(present(frame, name))
        excluded.append(Excluded(f"no value of {name}", kept.height - complete.height))
        kept = complete
    return kept, tuple(excluded)


def present(frame: "pl.DataFrame", name: str) -> "pl.Expr":
    """Where the column holds a value. A nan is none."""
    import polars as pl

    here = pl.col(name).is_not_null()
    return here & pl.col(name).is_not_nan() if frame.schema[name].is_float() else here


def _has_missing(column: "pl.Series") -> bool:
    if column.null_count() > 0:
        return True
    return column.dtype.is_float() and bool(np.isnan(column.to_numpy()).any())


def as_booleans(what: str, column: "pl.Series", expected: str) -> NDArray[np.bool_]:
    """Where the column is 1. Raises UserError when it holds anything but 0 and 1."""
    import polars as pl

    codes = column.cast(pl.Float64, strict=False)
    if codes.null_count() or not codes.is_in([0.0, 1.0]).all():
        shown = ", ".join(column.cast(pl.String).unique().sort().head(4).to_list())
        raise UserError(f"{what}: column '{column.name}' holds {shown}; expected {expected}")
    return np.asarray(codes.to_numpy() == 1)
