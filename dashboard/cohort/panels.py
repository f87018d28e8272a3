"""Small panels of the signals beside the one that is shown."""

from collections.abc import Iterable, Sequence

import polars as pl

from analysis.derive.comparison import (
    Comparison,
    drawn_series,
    group_order,
)
from analysis.derive.signal import Signal
from analysis.derive.summary import summarize
from analysis.number_words import number
from dashboard.cohort.series import series_of, windowed
from dashboard.view import View
from figures.curves import group_means, patient_lines
from figures.number_text import EN_DASH
from figures.small_multiples import MultiplesNumbers, Panel, prepare_small_multiples

LABORATORY_BESIDE = ("INTLK6", "FERRITIN", "CRP", "IFNG", "CD19")
MAX_PANELS = 12
LEAST_VISITS = 3


def related_signals(signal: Signal, catalog: Iterable[Signal]) -> list[Signal]:
    """Signals that stand beside this one: the regions of the same tracer and metric, or the other
    signals of the same domain."""
    same_domain = [s for s in catalog if s.domain == signal.domain and s.key != signal.key]
    if signal.domain == "uptake":
        same_domain = [
            s for s in same_domain if (s.tracer_id, s.code) == (signal.tracer_id, signal.code)
        ]
    return same_domain[:MAX_PANELS]


def laboratory_beside(signal: Signal, catalog: Sequence[Signal]) -> list[Signal]:
    """Laboratory signals drawn beside blood kinetics. They are drawn and not compared: a cytokine
    peak after tocilizumab is no peak."""
    if signal.domain != "kinetics":
        return []
    found = {s.code: s for s in catalog if s.domain == "laboratory"}
    return [found[code] for code in LABORATORY_BESIDE if code in found]


def panels(
    view: View,
    related: Sequence[tuple[Signal, Sequence[Comparison]]],
    groups: pl.DataFrame,
) -> MultiplesNumbers:
    """A panel per related signal, as fold of each patient's first value, which makes different
    units share an axis."""
    made = (panel(view, signal, compared, groups) for signal, compared in related)
    return prepare_small_multiples(item for item in made if item is not None)


def panel(
    view: View, signal: Signal, compared: Sequence[Comparison], groups: pl.DataFrame
) -> Panel | None:
    """One signal's panel; None for one with too few visits to be a course."""
    series = fold_of_first(windowed(view, series_of(view, signal)))
    drawn = drawn_series(series, groups).filter(pl.col("drawn") > 0)
    if drawn.get_column("nominal_day").n_unique() < LEAST_VISITS:
        return None
    order = group_order(drawn.get_column("group").unique())
    summary = summarize(series, groups, blq=view.selection.blq)
    title = compared[0].label if compared else signal.label
    note = "<br>".join(map(panel_note, compared))
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


def panel_note(comparison: Comparison) -> str:
    """ "ratio 1.6 (1.3-1.9)", or why there is none; after the part it holds in."""
    if not comparison.estimable:
        return comparison.note
    where = f"{comparison.note}: " if comparison.note else ""
    return f"{where}ratio {ratio_words(comparison)}"


def ratio_words(comparison: Comparison) -> str:
    """ "1.6 (1.3-1.9)"."""
    low, high = (number(v) for v in (comparison.conf_low, comparison.conf_high))
    return f"{number(comparison.ratio)} ({low}{EN_DASH}{high})"
