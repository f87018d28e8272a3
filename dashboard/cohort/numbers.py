"""Numbers of the cohort page: one signal, the groups, their means, and ratios of peaks."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

import polars as pl

from analysis.compute.intervals import geometric_mean
from analysis.compute.noncompartmental import PEAK_DAYS
from analysis.derive.comparison import (
    Comparison,
    color_groups,
    compare_found,
    drawn_series,
    group_order,
)
from analysis.derive.labels import region_label
from analysis.derive.peak import peaks
from analysis.derive.response import best_response
from analysis.derive.signal import Signal
from analysis.derive.summary import BlqRule, summarize, summary_rule
from analysis.number_words import number
from analysis.results import Fit
from analysis.selection import in_day_window
from dashboard.model.reading import fitted_curves
from dashboard.trial_signals import trial_peaks, trial_series, trial_signals
from dashboard.view import View
from figures.curves import GroupMean, group_means, is_precise, patient_lines
from figures.effect_curve import as_mean
from figures.number_text import EN_DASH, day_text, significant
from figures.ratio_forest import ForestNumbers, ForestRow, prepare_ratio_forest
from figures.small_multiples import MultiplesNumbers, Panel, prepare_small_multiples

TRANSGENE = ("kinetics", "CARTG", "BLOOD")
MAIN_VISITS = (7.0, 14.0, 28.0)
EVERY_DAY = (-math.inf, math.inf)
LABORATORY_BESIDE = ("INTLK6", "FERRITIN", "CRP", "IFNG", "CD19")
MAX_PANELS = 12
MAX_ROWS = 10
LEAST_VISITS = 3
LISTED_BELOW = 3
TABLE_DAYS = (-5.0, 0.0, 3.0, 7.0, 14.0, 21.0, 28.0, 60.0, 90.0, 180.0)
MAX_TABLE_DAYS = 8


class CohortNumbers(NamedTuple):
    """Everything the page shows, from one address.

    series: usubjid, group, rel_day, nominal_day, drawn, censored, lloq, source.
    summary: see `analysis.derive.summary.summarize`.
    peaks: usubjid, group, peak, peak_day, at_limit, above_limit.
    mains: ratio of peaks, responders to non-responders: one, or one per cohort where cohorts are
    read by different criteria (`note` names the cohort); empty without a response.
    """

    signal: Signal
    n_selected: int
    n_with_values: int
    groups: tuple[str, ...]
    series: pl.DataFrame
    summary: pl.DataFrame
    peaks: pl.DataFrame
    mains: tuple[Comparison, ...]
    forest: ForestNumbers
    comparisons: tuple[Comparison, ...]
    panels: MultiplesNumbers
    blq: BlqRule


def stored_model(view: View, signal: Signal) -> Fit | None:
    """The newest stored fit of this signal at the cut, of all those that could be estimated."""
    fits = (run["fit"] for run in view.reader.stored_fits(view.trial))
    return next(
        (
            fit
            for fit in fits
            if fit.status != "not_estimable" and (fit.spec or {}).get("outcome") == signal.key
        ),
        None,
    )


def model_overlay(view: View, signal: Signal) -> tuple[GroupMean, ...]:
    """Fitted means to draw over the curves, when the address asks for them."""
    fit = stored_model(view, signal) if view.params.get("overlay") == "model" else None
    return tuple(map(as_mean, fitted_curves(fit))) if fit else ()


def signals(view: View) -> tuple[Signal, ...]:
    """What the study can draw, most useful first."""
    return trial_signals(view.trial)


def chosen_signal(view: View, catalog: Sequence[Signal]) -> Signal:
    """The signal of the address; else the first that fits the chosen tracer and metric."""
    wanted = view.params.get("signal")
    for signal in catalog:
        if signal.key == wanted:
            return signal
    tracer, metric = view.selection.tracer, view.selection.metric
    for signal in catalog:
        if tracer and signal.tracer_id == tracer and metric in (None, "", signal.code):
            return signal
    transgene = (s for s in catalog if (s.domain, s.code, s.matrix) == TRANSGENE)
    return next(transgene, catalog[0])


def cohort_numbers(view: View, signal: Signal, catalog: Sequence[Signal]) -> CohortNumbers:
    """All numbers of the page for one signal of the study's catalog."""
    best = best_response(
        view.selected.responses, view.selection.criterion or None, view.selection.reader or None
    )
    groups = color_groups(view.selection.color_by, view.selected.subjects, best)
    series = windowed(view, series_of(view, signal))
    drawn = drawn_series(series, groups)
    order = group_order(drawn.get_column("group").unique())
    related = related_signals(signal, catalog)
    comparisons = tuple(compare(view, item, best) for item in (signal, *related))
    beside = [(item, None) for item in laboratory_beside(signal, catalog)]
    cohorts = read_cohorts(view, best) if best.height else []
    mains = tuple(
        compare_groups(peaks_of(view, signal), part, "Peak to day 28")._replace(note=cohort)
        for cohort, part in cohorts
    )
    visits = () if signal.domain == "uptake" else by_visit(series, cohorts)
    return CohortNumbers(
        signal=signal,
        n_selected=view.selected.subjects.height,
        n_with_values=drawn.get_column("usubjid").n_unique(),
        groups=order,
        series=drawn,
        summary=summarize(series, groups, blq=view.selection.blq),
        peaks=peaks(series).join(groups, on="usubjid"),
        mains=mains,
        forest=forest(mains, comparisons, visits) if mains else ForestNumbers((), 0.5, 2.0),
        comparisons=(*mains, *comparisons, *visits) if mains else (),
        panels=panels(view, [*zip(related, comparisons[1:], strict=True), *beside], groups),
        blq=view.selection.blq,
    )


def series_of(view: View, signal: Signal) -> pl.DataFrame:
    """One row per patient and time for the selected patients."""
    chosen = view.selected.subjects.get_column("usubjid")
    return trial_series(view.trial, signal).filter(pl.col("usubjid").is_in(chosen.implode()))


def peaks_of(view: View, signal: Signal) -> pl.DataFrame:
    """The peaks of the selected patients."""
    chosen = view.selected.subjects.get_column("usubjid")
    return trial_peaks(view.trial, signal).filter(pl.col("usubjid").is_in(chosen.implode()))


def windowed(view: View, series: pl.DataFrame) -> pl.DataFrame:
    """Only the days of the chosen window."""
    return in_day_window(view.selection, series)


def related_signals(signal: Signal, catalog: Iterable[Signal]) -> list[Signal]:
    """Signals that stand beside this one: the regions of the same tracer and metric, or the other
    signals of the same domain."""
    same_domain = [s for s in catalog if s.domain == signal.domain and s.key != signal.key]
    if signal.domain == "uptake":
        same_domain = [
            s for s in same_domain if (s.tracer_id, s.code) == (signal.tracer_id, signal.code)
        ]
    return same_domain[:MAX_PANELS]


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


def laboratory_beside(signal: Signal, catalog: Sequence[Signal]) -> list[Signal]:
    """Laboratory signals drawn beside blood kinetics. They are drawn and not compared: a cytokine
    peak after tocilizumab is no peak."""
    if signal.domain != "kinetics":
        return []
    found = {s.code: s for s in catalog if s.domain == "laboratory"}
    return [found[code] for code in LABORATORY_BESIDE if code in found]


def compare(view: View, signal: Signal, best: pl.DataFrame) -> Comparison:
    """Ratio of peaks to day 28, responders to non-responders."""
    label = (
        sentence_case(region_label(signal.region_kind, signal.region_code))
        if signal.domain == "uptake"
        else signal.label
    )
    return compare_groups(peaks_of(view, signal), best, label)


def sentence_case(label: str) -> str:
    """A label at the start of a line."""
    return label[:1].upper() + label[1:]


def compare_groups(found: pl.DataFrame, best: pl.DataFrame, label: str) -> Comparison:
    """Peaks of responders to those of non-responders."""
    responders = best.filter(pl.col("responder")).get_column("usubjid").to_list()
    others = best.filter(~pl.col("responder")).get_column("usubjid").to_list()
    return compare_found(found, responders, others, label=label)


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


def panels(
    view: View,
    related: Sequence[tuple[Signal, Comparison | None]],
    groups: pl.DataFrame,
) -> MultiplesNumbers:
    """A panel per related signal, as fold of each patient's first value, which makes different
    units share an axis."""
    made = (panel(view, signal, comparison, groups) for signal, comparison in related)
    return prepare_small_multiples(item for item in made if item is not None)


def panel(
    view: View, signal: Signal, comparison: Comparison | None, groups: pl.DataFrame
) -> Panel | None:
    """One signal's panel; None for one with too few visits to be a course."""
    series = fold_of_first(windowed(view, series_of(view, signal)))
    drawn = drawn_series(series, groups).filter(pl.col("drawn") > 0)
    if drawn.get_column("nominal_day").n_unique() < LEAST_VISITS:
        return None
    order = group_order(drawn.get_column("group").unique())
    summary = summarize(series, groups, blq=view.selection.blq)
    title = comparison.label if comparison else signal.label
    note = ""
    if comparison:
        note = f"ratio {ratio_words(comparison)}" if comparison.estimable else comparison.note
    lines, means = patient_lines(drawn, order), group_means(drawn, summary, order)
    return Panel(title, note, tuple(lines), tuple(means))


def fold_of_first(series: pl.DataFrame) -> pl.DataFrame:
    """Values and bounds divided by the patient's first quantified value."""
    first = (
        series.filter(pl.col("value") > 0)
        .sort("rel_day")
        .group_by("usubjid", maintain_order=True)
        .agg(first=pl.col("value").first())
    )
    scaled = series.join(first, on="usubjid", how="inner")
    names = [name for name in ("value", "lower", "upper", "lloq") if name in series.columns]
    return scaled.with_columns(pl.col(name) / pl.col("first") for name in names).drop("first")


def ratio_words(comparison: Comparison) -> str:
    """ "1.6 (1.3-1.9)"."""
    low, high = (number(v) for v in (comparison.conf_low, comparison.conf_high))
    return f"{number(comparison.ratio)} ({low}{EN_DASH}{high})"


def curves_title(found: CohortNumbers) -> str:
    """When the means peak: a statement that holds whichever group is ahead by chance."""
    tops = [row for group in found.groups if (row := highest_mean(found.summary, group))]
    days = sorted(row["nominal_day"] for row in tops)
    if not days:
        return f"{found.signal.label} over time"
    if len(days) == 1:
        return f"The mean peaks on day {day_text(days[0])}"
    if days[0] == days[-1]:
        return f"All group means peak on day {day_text(days[0])}"
    return f"Group means peak between day {day_text(days[0])} and day {day_text(days[-1])}"


def highest_mean(summary: pl.DataFrame, group: str) -> dict[str, Any] | None:
    """The row of a group's highest mean; None where it has none."""
    rows = summary.filter((pl.col("group") == group) & pl.col("geometric_mean").is_finite())
    return rows.sort("geometric_mean").row(-1, named=True) if rows.height else None


def panels_title(found: CohortNumbers) -> str:
    """What the small panels are."""
    return "The same tracer in each region" if found.signal.domain == "uptake" else "Other signals"


def panels_note(found: CohortNumbers) -> str:
    """The unit of the small panels."""
    return "Fold of the patient's first quantified value, shared log axis"


def blq_note(found: CohortNumbers) -> str:
    """How values below the limit enter the means."""
    below = int(found.summary.get_column("n_below_limit").sum())
    if not below:
        return "no value below the limit"
    return f"{below} {summary_rule(found.blq)}"


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


def peak_cells(found: CohortNumbers, group: str) -> tuple[str, str]:
    """Geometric mean of the peaks with its interval, and the median day of the peak (range)."""
    rows = found.peaks.filter(
        (pl.col("group") == group) & ~pl.col("at_limit") & ~pl.col("above_limit")
    )
    if rows.is_empty():
        return EN_DASH, EN_DASH
    days = sorted(rows.get_column("peak_day").to_list())
    ends = f"{day_text(days[0])}{EN_DASH}{day_text(days[-1])}"
    values = rows.get_column("peak")
    mean = geometric_mean(values.to_numpy())
    cell = mean_cell(
        {
            "geometric_mean": mean.mean,
            "conf_low": mean.conf_low,
            "conf_high": mean.conf_high,
            "values": values.sort().to_list(),
            "n_below_limit": 0,
            "n": rows.height,
            "median_below": None,
        }
    )
    return cell, f"{day_text(median(days))} ({ends})"


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


def shown(view: View) -> CohortNumbers:
    """The numbers of the address."""
    catalog = signals(view)
    return cohort_numbers(view, chosen_signal(view, catalog), catalog)


def curves_frame(view: View) -> pl.DataFrame:
    """Download: every drawn point."""
    return shown(view).series


def forest_frame(view: View) -> pl.DataFrame:
    """Download: the ratios."""
    return pl.DataFrame(shown(view).comparisons)


def table_frame(view: View) -> pl.DataFrame:
    """Download: means by group and visit."""
    return shown(view).summary.drop("values", strict=False)
