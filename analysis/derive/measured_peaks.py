"""Peaks as they were measured, by group: the size of a signal before any model.

The peak is the highest value of days 1 to 28 as delivered, a zero included; a patient
who was never above the limit has the lowest rank. Medians and ranks need no logarithm and no rule
for low values, so they stand where a ratio of means depends on one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from analysis.compute.noncompartmental import PEAK_DAYS
from analysis.fits.ranks import mann_whitney


class GroupPeaks(NamedTuple):
    """Median peak of a group; `below` says that the median lies below this limit instead."""

    group: str
    n: int
    median: float | None
    below: float | None
    maximum: float | None


class MeasuredPeaks(NamedTuple):
    """Groups in the order asked for; p of Mann and Whitney for exactly two groups, else None."""

    groups: tuple[GroupPeaks, ...]
    p_value: float | None


def measured_peaks(
    series: pl.DataFrame, groups: pl.DataFrame, order: Sequence[str]
) -> MeasuredPeaks:
    """Peaks of `derive.signal.signal_series` by the groups of usubjid, group."""
    peaks = patient_peaks(series).join(groups, on="usubjid")
    parts = [peaks.filter(pl.col("group") == group) for group in order]
    found = tuple(
        group_peaks(group, part) for group, part in zip(order, parts, strict=True) if part.height
    )
    p_value = None
    if len(order) == 2 and len(found) == 2:
        first, second = (part.get_column("rank_height").to_list() for part in parts)
        p_value = mann_whitney(first, second).p_value
    return MeasuredPeaks(found, p_value)


def patient_peaks(series: pl.DataFrame) -> pl.DataFrame:
    """One row per patient, of days PEAK_DAYS: usubjid, height (as delivered, else the limit),
    at_limit, rank_height
    (zero below a limit, so that all limits rank alike)."""
    delivered = pl.coalesce("delivered", "value")
    planned = pl.coalesce("nominal_day", "rel_day")
    after = series.filter((pl.col("rel_day") >= PEAK_DAYS[0]) & (planned <= PEAK_DAYS[1]))
    return (
        after.with_columns(
            at_limit=delivered.is_null(), height=pl.coalesce(delivered, "upper", "lower")
        )
        .with_columns(rank_height=pl.when("at_limit").then(0.0).otherwise("height"))
        .sort("rank_height", "height", descending=True)
        .group_by("usubjid", maintain_order=True)
        .first()
        .select("usubjid", "height", "at_limit", "rank_height")
    )


def group_peaks(group: str, peaks: pl.DataFrame) -> GroupPeaks:
    """The median of one group; the mean of the two in the middle for an even number."""
    ordered = peaks.sort("rank_height", "height")
    middle = ordered[[(peaks.height - 1) // 2, peaks.height // 2]]
    highest = ordered.filter(~pl.col("at_limit")).get_column("height").to_list()
    censored = bool(middle.get_column("at_limit").any())
    heights = middle.get_column("height").to_list()
    return GroupPeaks(
        group,
        peaks.height,
        None if censored else sum(heights) / 2,
        max(heights) if censored else None,
        highest[-1] if highest else None,
    )
