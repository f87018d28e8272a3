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


def compare(
    view: View, signal: Signal, parts: Sequence[tuple[str, pl.DataFrame]]
) -> tuple[Comparison, ...]:
    """Ratio of peaks to day 28, responders to non-responders, in each part that may be compared
    (`analysis.derive.comparison.comparable_parts`); the note names the part."""
    label = (
        sentence_case(region_label(signal.region_kind, signal.region_code))
        if signal.domain == "uptake"
        else signal.label
    )
    found = peaks_of(view, signal)
    compared = ((part, compare_groups(found, best, label)) for part, best in parts)
    return tuple(
        item._replace(note=", ".join(filter(None, (part, item.note)))) for part, item in compared
    )


def compare_groups(found: pl.DataFrame, best: pl.DataFrame, label: str) -> Comparison:
    """Peaks of responders to those of non-responders."""
    responders = best.filter(pl.col("responder")).get_column("usubjid").to_list()
    others = best.filter(~pl.col("responder")).get_column("usubjid").to_list()
    return compare_found(found, responders, others, label=label)


def by_visit(
    series: pl.DataFrame, parts: Sequence[tuple[str, pl.DataFrame]]
) -> tuple[Comparison, ...]:
    """Ratio of the values at each planned visit of the days of the peak; at the main visits only
    where there are several parts to show."""
    days = series.get_column("nominal_day").drop_nulls().unique().sort().to_list()
    wanted = [day for day in days if PEAK_DAYS[0] <= day <= PEAK_DAYS[1]]
    if len(parts) > 1:
        wanted = [day for day in wanted if day in MAIN_VISITS]
    values = {day: peaks(series.filter(pl.col("nominal_day") == day), *EVERY_DAY) for day in wanted}
    compared = (
        compare_groups(found, best, f"Day {day_text(day)}")._replace(note=part)
        for part, best in parts
        for day, found in values.items()
    )
    return tuple(item for item in compared if item.estimable and not all_at_limit(item))


def all_at_limit(comparison: Comparison) -> bool:
    """Whether nobody had a value above the limit: then there is nothing to compare."""
    return comparison.n_at_limit == comparison.n_upper + comparison.n_lower


def shown_rows(
    own: Sequence[Comparison], visits: Sequence[Comparison], others: Sequence[Comparison]
) -> tuple[Comparison, ...]:
    """The peak of each part with its visits in order, then the other signals or regions."""
    by_part = [row for main in own for row in (main, *(v for v in visits if v.note == main.note))]
    return (*by_part, *(to_day_28(item) if visits and item.estimable else item for item in others))


def to_day_28(item: Comparison) -> Comparison:
    """Beside ratios of visits, a ratio of peaks says that it is one."""
    return item._replace(note=", ".join(filter(None, (item.note, "peak to day 28"))))


def forest(rows: Sequence[Comparison], *, uptake: bool) -> ForestNumbers:
    """Regions sorted by ratio; else the first rows in their order."""
    drawn = [forest_row(item) for item in rows]
    return prepare_ratio_forest(drawn if uptake else drawn[:MAX_ROWS], sort=uptake)


def forest_row(item: Comparison) -> ForestRow:
    """A comparison as a row of the forest."""
    return ForestRow(item.label, item.note, item.ratio, item.conf_low, item.conf_high, item.p_value)
