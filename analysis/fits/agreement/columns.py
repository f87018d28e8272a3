"""The columns an agreement analysis takes from a frame: complete, finite rows; the rest counted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.errors import UserError
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl


class Complete(NamedTuple):
    """Rows with every column present; excluded: the others, by reason."""

    frame: "pl.DataFrame"
    excluded: tuple[Excluded, ...]


def complete(
    what: str, frame: "pl.DataFrame", numbers: Sequence[str], labels: Sequence[str] = ()
) -> Complete:
    """Rows in which all `numbers` are finite and all `labels` are given.

    Raises UserError for a column that is not there, and for text where a number is expected.
    """
    import polars as pl

    wanted = list(dict.fromkeys((*numbers, *labels)))
    for name in wanted:
        if name not in frame.columns:
            raise UserError(
                f"{what}: there is no column {name!r}; the columns are {', '.join(frame.columns)}"
            )
    for name in numbers:
        if not (frame.schema[name].is_numeric() or frame.schema[name] == pl.Null):
            raise UserError(f"{what}: column {name!r} holds text; numbers are expected")
    kept, excluded = frame.select(wanted), []
    for name in wanted:
        good = pl.col(name).is_not_null()
        if name in numbers:
            good &= pl.col(name).cast(pl.Float64).is_finite()
        left = kept.filter(good)
        if left.height < kept.height:
            excluded.append(Excluded(f"no value of {name}", kept.height - left.height))
        kept = left
    return Complete(kept, tuple(excluded))


def codes(labels: "pl.Series") -> NDArray[np.intp]:
    """Levels numbered from 0 in order of appearance."""
    return np.asarray(
        np.unique(np.asarray(labels.to_list(), dtype=object).astype(str), return_inverse=True)[1]
    )


def positive(
    kept: Complete, numbers: Sequence[str], log: bool
) -> tuple["pl.DataFrame", tuple[Excluded, ...]]:
    """Rows whose numbers have a logarithm, when one is taken."""
    import polars as pl

    if not log:
        return kept.frame, kept.excluded
    left = kept.frame.filter(pl.all_horizontal([pl.col(name) > 0 for name in numbers]))
    lost = kept.frame.height - left.height
    more = (Excluded("a value that is not above 0 and has no logarithm", lost),) if lost else ()
    return left, (*kept.excluded, *more)
