"""What the overview shows, computed once from a view."""

from functools import lru_cache, partial
from typing import NamedTuple

import polars as pl

from analysis.derive.completeness import planned_visits, visit_states
from analysis.derive.response import best_response
from analysis.derive.sets import analysis_sets
from analysis.derive.toxicity import maximum_grade
from analysis.derive.trial_overview import TrialOverview, trial_overview
from analysis.selection import enrolled_subjects
from analysis.tracers import TRACERS
from dashboard.contact import last_contacts, last_measurements
from dashboard.view import View
from figures.scan_completeness import CompletenessNumbers, prepare_scan_completeness
from models.trial import Trial

_SIGNAL_OF_CLASS = {"target_antigen": "tumor_tracer", "pretargeting": "reporter_gene"}
_CLASS_ORDER = ("reporter_gene", "direct_label", "pretargeting", "immune_target")


class TrialNumbers(NamedTuple):
    """The overview's numbers; `completeness` is None when no visit can be told, and
    `examinations` names what it counts ("scans", "blood samples" or "samples"). last_measured_day:
    median of the last sample or scan of the infused patients, None without one."""

    overview: TrialOverview
    completeness: CompletenessNumbers | None
    examinations: str
    last_measured_day: float | None


def trial_numbers(view: View) -> TrialNumbers:
    """Everything above the fold of the overview, of the selected patients."""
    criterion = view.selection.criterion or None
    reader = view.selection.reader or None
    trial, selected = view.trial, view.selected
    best = best_response(trial.responses, criterion, reader)
    contact = last_contacts(partial(getattr, trial))
    sets = analysis_sets(trial.subjects, trial.infusions, trial.scans, trial.responses)
    usubjids = selected.subjects["usubjid"].to_list()
    enrolled = enrolled_subjects(view.applied, trial.subjects)
    overview = trial_overview(
        sets, best, maximum_grade(trial.adverse_events), contact, usubjids, enrolled
    )
    scanned = not trial.scans.is_empty()
    examined = _scans(trial) if scanned else _samples(trial)
    return TrialNumbers(
        overview,
        _completeness(view, examined, best, contact, scanned),
        "scans" if scanned else _sample_words(trial),
        _median_day(last_measurements(partial(getattr, trial)), sets, usubjids),
    )


def _median_day(last: pl.DataFrame, sets: pl.DataFrame, usubjids: list[str]) -> float | None:
    """Of the infused among the selected patients."""
    infused = sets.filter(pl.col("infused").fill_null(False))["usubjid"]
    chosen = pl.col("usubjid").is_in(usubjids) & pl.col("usubjid").is_in(infused.implode())
    median = last.filter(chosen)["last_day"].median()
    return None if median is None else float(median)  # type: ignore[arg-type]


def _scans(trial: Trial) -> pl.DataFrame:
    """Scans as examinations: one series a tracer."""
    return trial.scans.select(
        "usubjid",
        pl.col("tracer_id").fill_null(pl.col("modality")).alias("series"),
        "nominal_day",
        "rel_day",
        "evaluable",
        pl.col("not_evaluable_reason").alias("reason"),
    )


def _samples(trial: Trial) -> pl.DataFrame:
    """Kinetics samples as examinations: one series an assay and matrix."""
    return trial.kinetics.select(
        "usubjid",
        pl.format("{} {}", "assay", "matrix").alias("series"),
        "nominal_day",
        "rel_day",
        pl.lit(True).alias("evaluable"),
        pl.lit(None, dtype=pl.String).alias("reason"),
    )


def _sample_words(trial: Trial) -> str:
    """Blood where all of them are."""
    return "blood samples" if set(trial.kinetics["matrix"]) <= {"BLOOD"} else "samples"


def _completeness(
    view: View, examined: pl.DataFrame, best: pl.DataFrame, contact: pl.DataFrame, scans: bool
) -> CompletenessNumbers | None:
    chosen = view.selection.tracer if scans else view.selection.assay
    if chosen:
        examined = examined.filter(pl.col("series").str.starts_with(chosen))
    usubjids = view.selected.subjects["usubjid"]
    examined = examined.filter(pl.col("usubjid").is_in(usubjids.implode()))
    visits = planned_visits(examined, max(usubjids.len(), 1))
    if visits.is_empty() or usubjids.is_empty():
        return None
    states = visit_states(examined, visits, usubjids, contact)
    names = {series: series_name(series) for series in _series_order(visits["series"].to_list())}
    colors = {series: _signal_color(series) for series in names}
    return prepare_scan_completeness(states, best, names, colors)


def _series_order(series: list[str]) -> list[str]:
    """Signals that follow the cells first, tumor tracers last."""

    def place(code: str) -> tuple[int, str]:
        kind = TRACERS[code].tracer_class if code in TRACERS else ""
        order = _CLASS_ORDER.index(kind) if kind in _CLASS_ORDER else len(_CLASS_ORDER)
        return order, code

    return sorted(dict.fromkeys(series), key=place)


@lru_cache(maxsize=256)
def series_name(series: str) -> str:
    """How a tracer, or an assay with its matrix, is called."""
    if series in TRACERS:
        return TRACERS[series].name
    assay, _, matrix = series.partition(" ")
    words = {"BLOOD": "blood", "MARROW": "marrow", "TISSUE": "tissue"}
    return f"{assay}, {words.get(matrix, matrix)}" if matrix else series


def _signal_color(series: str) -> str:
    if series not in TRACERS:
        return "blood"
    kind = TRACERS[series].tracer_class
    return _SIGNAL_OF_CLASS.get(kind, kind)
