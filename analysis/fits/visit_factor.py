"""Planned visits as a factor."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def visit_name(day: float) -> str:
    """Level of the visit factor on a planned day: "14"."""
    return f"{day:.10g}"


def with_visits(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Planned days as a factor in their order in time, named by the day, and their number."""
    import polars as pl

    days = sorted({float(day) for day in frame["day"].drop_nulls()})
    names = [visit_name(day) for day in days]
    return frame.with_columns(
        visit=pl.col("day")
        .replace_strict(days, names, default=None, return_dtype=pl.String)
        .cast(pl.Enum(names)),
        visit_number=pl.col("day").replace_strict(
            days, list(range(1, len(days) + 1)), default=None, return_dtype=pl.Int64
        ),
    )
