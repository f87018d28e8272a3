"""Whether a smooth curve is read where patients were measured, or only where it was drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

NEAR_SHARE, NEAR_DAYS = 1 / 3, 4.0
"""A value counts for a day when it lies within a third of it, or within so many days."""
PATIENTS = 3
"""Patients of each group that must have such a value; all of a smaller group."""


def near(day: float) -> float:
    """Days on either side of `day` that speak for it."""
    return max(NEAR_DAYS, NEAR_SHARE * abs(day))


def thin_groups(frame: "pl.DataFrame", day: float) -> list[str]:
    """Groups with too few patients near a day. frame: usubjid, day, group."""
    import polars as pl

    here = (pl.col("day") - day).abs() <= near(day)
    counts = frame.group_by(pl.col("group").cast(pl.String)).agg(
        n=pl.col("usubjid").n_unique(), near=pl.col("usubjid").filter(here).n_unique()
    )
    thin = counts.filter(pl.col("near") < pl.min_horizontal("n", pl.lit(PATIENTS)))
    return sorted(thin["group"].to_list())


def supported_days(frame: "pl.DataFrame", days: Sequence[float]) -> list[float]:
    """Those of the days that every group was measured near; else the measured day nearest to the
    first of them that is, after infusion where one is; all where there is none."""
    kept = [day for day in days if not thin_groups(frame, day)]
    if kept or not days:
        return kept
    measured = sorted({float(round(day)) for day in frame["day"].drop_nulls()})
    measured.sort(key=lambda day: (day <= 0, abs(day - days[0])))
    return next(([day] for day in measured if not thin_groups(frame, day)), list(days))


def measured_around(frame: "pl.DataFrame", group: str, day: float) -> str:
    """ "day 0 and day 35": the nearest days with a value of a group, on either side."""
    import polars as pl

    days = frame.filter(pl.col("group").cast(pl.String) == group)["day"].drop_nulls()
    ends = (days.filter(days <= day).max(), days.filter(days > day).min())
    return " and ".join(f"day {float(end):.0f}" for end in ends if end is not None)  # type: ignore[arg-type]
