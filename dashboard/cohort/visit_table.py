"""Cells of the table of group means by visit."""

import math
from statistics import median
from typing import Any

import polars as pl

from analysis.derive.summary import summarize_peaks
from analysis.number_words import number
from dashboard.cohort.numbers import CohortNumbers
from figures.curves import is_precise
from figures.number_text import EN_DASH, day_text, significant

LISTED_BELOW = 3
TABLE_DAYS = (-5.0, 0.0, 3.0, 7.0, 14.0, 21.0, 28.0, 60.0, 90.0, 180.0)
MAX_TABLE_DAYS = 8


def table_days(found: CohortNumbers) -> list[float]:
    """The visits that the table has room for: the usual days first; the download has them all."""
    days = sorted(found.summary.get_column("nominal_day").unique())
    if len(days) <= MAX_TABLE_DAYS:
        return days
    usual = [day for day in days if day in TABLE_DAYS]
    others = [day for day in days if day not in TABLE_DAYS]
    return sorted([*usual, *others][:MAX_TABLE_DAYS])


def patients_in(found: CohortNumbers, group: str) -> int:
    """Patients of a group that have a value."""
    return found.series.filter(pl.col("group") == group).get_column("usubjid").n_unique()


def mean_cell(row: dict[str, Any]) -> str:
    """ "1.8 (1.6-2.1)"; without a mean the limit below which most lie, else the values."""
    if row["geometric_mean"] is not None and math.isfinite(row["geometric_mean"]):
        mean = number(row["geometric_mean"])
        if not is_precise(row["conf_low"], row["conf_high"]):
            return f"{mean} (too few to say)"
        return f"{mean} ({number(row['conf_low'])}{EN_DASH}{number(row['conf_high'])})"
    if row["median_below"] and row["n_below_limit"] > row["n"] / 2:
        mostly = "mostly " if row["n_below_limit"] < row["n"] else ""
        return f"{mostly}< {significant(row['median_below'], 2)}"
    values = row["values"] or []
    return " / ".join(number(value) for value in values[:LISTED_BELOW]) or EN_DASH


def peak_cells(found: CohortNumbers) -> dict[str, tuple[str, str]]:
    """By group: geometric mean of the peaks with its interval, by the rule of the other cells, and
    the median day (range) of the peaks that are known. A group without a peak has none."""
    means = summarize_peaks(found.peaks, found.signal.unit, blq=found.blq)
    known = found.peaks.filter(~pl.col("at_limit") & ~pl.col("above_limit"))
    days = dict(known.group_by("group").agg(pl.col("peak_day").sort()).iter_rows())
    return {
        row["group"]: (mean_cell(row), _day_words(days.get(row["group"], [])))
        for row in means.to_dicts()
    }


def _day_words(days: list[float]) -> str:
    """ "11 (7-17)"; a dash without a day."""
    if not days:
        return EN_DASH
    return f"{day_text(median(days))} ({day_text(days[0])}{EN_DASH}{day_text(days[-1])})"
