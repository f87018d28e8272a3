"""Numbers of the cohort page: one signal, the groups, their means, and ratios of peaks."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import polars as pl

from analysis.derive.comparison import (
    Comparison,
    color_groups,
    comparable_parts,
    drawn_series,
    group_order,
)
from analysis.derive.peak import peaks
from analysis.derive.response import best_response
from analysis.derive.signal import Signal
from analysis.derive.summary import BlqRule, summarize, with_cv_in_reason
from dashboard.cohort.comparisons import by_visit, compare, forest, shown_rows
from dashboard.cohort.panels import laboratory_beside, panels, related_signals
from dashboard.cohort.series import series_of, windowed
from dashboard.trial_signals import trial_signals
from dashboard.view import View
from figures.ratio_forest import ForestNumbers
from figures.small_multiples import MultiplesNumbers

TRANSGENE = ("kinetics", "CARTG", "BLOOD")


class CohortNumbers(NamedTuple):
    """Everything the page shows, from one address.

    series: usubjid, group, rel_day, nominal_day, drawn, censored, lloq, source.
    summary: see `analysis.derive.summary.summarize`.
    peaks: usubjid, group, peak, peak_day, at_limit, above_limit.
    mains: ratio of peaks, responders to non-responders: one, or one per part where patients are
    read by different criteria (`note` names the part); empty without a response.
    comparisons: all ratios of the page, each within one criterion.
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
    related = related_signals(signal, catalog)
    beside = [(item, ()) for item in laboratory_beside(signal, catalog)]
    parts = comparable_parts(best, view.selected.subjects) if best.height else []
    uptake = signal.domain == "uptake"
    own = compare(view, signal, parts)
    mains = tuple(
        item._replace(label="Peak to day 28", note=name)
        for item, (name, _) in zip(own, parts, strict=True)
    )
    others = [compare(view, item, parts) for item in related]
    visits = () if uptake else by_visit(series, parts)
    rows = shown_rows(own if uptake else mains, visits, list(chain.from_iterable(others)))
    return CohortNumbers(
        signal=signal,
        n_selected=view.selected.subjects.height,
        n_with_values=drawn.get_column("usubjid").n_unique(),
        groups=group_order(drawn.get_column("group").unique()),
        series=drawn,
        summary=summarize(series, groups, blq=view.selection.blq),
        peaks=peaks(series).join(groups, on="usubjid"),
        mains=mains,
        forest=forest(rows, uptake=uptake) if mains else ForestNumbers((), 0.5, 2.0),
        comparisons=rows,
        panels=panels(view, [*zip(related, others, strict=True), *beside], groups),
        blq=view.selection.blq,
    )


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
    return with_cv_in_reason(shown(view).summary.drop("values", strict=False))
