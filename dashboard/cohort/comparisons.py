"""Ratios of responders to non-responders: peaks, visits, and the signals beside."""

import math
from collections.abc import Sequence

import polars as pl

from analysis.compute.noncompartmental import PEAK_DAYS
from analysis.derive.comparison import (
    Comparison,
    compare_found,
)
from analysis.derive.labels import region_label
from analysis.derive.peak import peaks
from analysis.derive.signal import Signal
from dashboard.cohort.series import peaks_of
from dashboard.components.text import sentence_case
from dashboard.view import View
from figures.number_text import day_text
from figures.ratio_forest import ForestNumbers, ForestRow, prepare_ratio_forest

MAIN_VISITS = (7.0, 14.0, 28.0)
EVERY_DAY = (-math.inf, math.inf)
MAX_ROWS = 10


def read_cohorts(view: View, best: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Best responses to compare within: all together under the name "", or by cohort where
    cohorts are read by different criteria, because a marrow response and a Lugano response are
    not one outcome."""
    subjects = view.selected.subjects.select("usubjid", "cohort")
    read = best.join(subjects, on="usubjid").filter(pl.col("cohort").is_not_null())
    if read.get_column("criterion").n_unique() < 2 or read.get_column("cohort").n_unique() < 2:
        return [("", best)]
    return [
        (cohort, read.filter(pl.col("cohort") == cohort))
        for cohort in sorted(read.get_column("cohort").unique())
    ]


def compare(view: View, signal: Signal, best: pl.DataFrame) -> Comparison:
    """Ratio of peaks to day 28, responders to non-responders."""
    label = (
        sentence_case(region_label(signal.region_kind, signal.region_code))
        if signal.domain == "uptake"
        else signal.label
    )
    return compare_groups(peaks_of(view, signal), best, label)


def compare_groups(found: pl.DataFrame, best: pl.DataFrame, label: str) -> Comparison:
    """Peaks of responders to those of non-responders."""
    responders = best.filter(pl.col("responder")).get_column("usubjid").to_list()
    others = best.filter(~pl.col("responder")).get_column("usubjid").to_list()
    return compare_found(found, responders, others, label=label)


def by_visit(
    series: pl.DataFrame, cohorts: Sequence[tuple[str, pl.DataFrame]]
) -> tuple[Comparison, ...]:
    """Ratio of the values at each planned visit of the days of the peak; at the main visits only
    where there are several cohorts to show."""
    days = series.get_column("nominal_day").drop_nulls().unique().sort().to_list()
    wanted = [day for day in days if PEAK_DAYS[0] <= day <= PEAK_DAYS[1]]
    if len(cohorts) > 1:
        wanted = [day for day in wanted if day in MAIN_VISITS]
    values = {day: peaks(series.filter(pl.col("nominal_day") == day), *EVERY_DAY) for day in wanted}
    compared = (
        compare_groups(found, best, f"Day {day_text(day)}")._replace(note=cohort)
        for cohort, best in cohorts
        for day, found in values.items()
    )
    return tuple(item for item in compared if item.estimable and not all_at_limit(item))


def all_at_limit(comparison: Comparison) -> bool:
    """Whether nobody had a value above the limit: then there is nothing to compare."""
    return comparison.n_at_limit == comparison.n_upper + comparison.n_lower


def forest(
    mains: Sequence[Comparison], comparisons: Sequence[Comparison], visits: Sequence[Comparison]
) -> ForestNumbers:
    """Regions sorted by ratio; or the peak, the visits in order, then the other signals."""
    if not visits and len(mains) == 1:
        return prepare_ratio_forest(map(forest_row, comparisons))
    by_cohort = [
        row for main in mains for row in (main, *(v for v in visits if v.note == main.note))
    ]
    others = [] if len(mains) > 1 else [
        item._replace(note=item.note or "peak to day 28") for item in comparisons[1:]
    ]  # fmt: skip
    rows = [forest_row(item) for item in (*by_cohort, *others)]
    return prepare_ratio_forest(rows[:MAX_ROWS], sort=False)


def forest_row(item: Comparison) -> ForestRow:
    """A comparison as a row of the forest."""
    return ForestRow(item.label, item.note, item.ratio, item.conf_low, item.conf_high, item.p_value)
