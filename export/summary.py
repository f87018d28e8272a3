"""The statistical summary of a study at one cut, for one selection of patients."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version as library_version

import polars as pl

from analysis.derive.burden import burden_series
from analysis.derive.comparison import color_groups
from analysis.derive.response import best_response
from analysis.derive.sets import analysis_sets
from analysis.derive.signal import Signal, signal_catalog, signal_series
from analysis.selection import Selection, in_day_window, select_subjects
from export import model_tables, tables
from export.document import Document, Provenance
from export.expansion import response_by_expansion
from export.questions import AskedFit, model_questions, of_selection
from models.trial import Trial

ONLY_ON_SCREEN = ("tracer", "metric", "assay", "color_by", "scale")
"""Fields of a selection that choose what a page shows; the tables hold every signal."""
ONLY_IN = {"day_low": ", trajectories only"}
"""Fields of a selection that some tables obey."""
LIBRARIES = ("numpy", "scipy", "statsmodels", "polars")


def statistical_summary(
    trial: Trial,
    selection: Selection,
    asked: Sequence[AskedFit],
    *,
    version: str,
    written_at: datetime,
) -> Document:
    """Baseline, kinetics, trajectories, response by expansion and the stored fits of the cut.

    The patients of the selection count, with its criterion, reader and rule below the limit; its
    window of days cuts the trajectories only. The fits have their own patients: those that ask
    about another cohort, set or criterion than the selection are left out and named.
    """
    fits, left_out = of_selection(asked, trial, selection)
    chosen = trial.only(selected_patients(trial, selection))
    best = best_response(chosen.responses, selection.criterion or None, selection.reader or None)
    groups = color_groups("response", chosen.subjects, best)
    blood = series_of(chosen, ("kinetics",))
    tracked = [
        (signal, in_day_window(selection, frame))
        for signal, frame in blood + series_of(chosen, ("uptake",))
    ]
    burden = burden_series(chosen.lesions, chosen.quantifications)
    return Document(
        f"Statistical summary of {trial.study['studyid']}",
        (
            tables.baseline(chosen.subjects, chosen.characteristics, groups, burden),
            tables.kinetics(blood, groups),
            tables.trajectories(tracked, groups, selection.blq),
            response_by_expansion(blood, best, chosen.subjects),
            model_questions(fits),
            *model_tables.model_estimates(fits),
            model_tables.model_ratios(fits),
            model_tables.model_rules(fits),
        ),
        replace(
            provenance(trial, selection, chosen, fits, version=version, written_at=written_at),
            fits_left_out=left_out,
        ),
    )


def selected_patients(trial: Trial, selection: Selection) -> tuple[str, ...]:
    """Patients of the selection."""
    sets = analysis_sets(trial.subjects, trial.infusions, trial.scans, trial.responses)
    return select_subjects(selection, trial.subjects, sets)


def series_of(trial: Trial, domains: Sequence[str]) -> list[tuple[Signal, pl.DataFrame]]:
    """Every signal of some domains with its per-patient series."""
    catalog = signal_catalog(trial.kinetics, trial.quantifications, trial.labs, trial.lesions)
    return [
        (
            signal,
            signal_series(
                signal,
                kinetics=trial.kinetics,
                quantifications=trial.quantifications,
                labs=trial.labs,
                lesions=trial.lesions,
            ),
        )
        for signal in catalog
        if signal.domain in domains
    ]


def provenance(
    trial: Trial,
    selection: Selection,
    chosen: Trial,
    fits: Sequence[AskedFit],
    *,
    version: str,
    written_at: datetime,
) -> Provenance:
    """Cut, filters, versions, methods and source files. Only filters that the tables obey."""
    obeyed = selection.replace(**{name: getattr(Selection(), name) for name in ONLY_ON_SCREEN})
    at_cut = trial.source_files.filter(pl.col("load_id") <= trial.cut.load_id)
    created = trial.cut.created_at
    return Provenance(
        study=str(trial.study["studyid"]),
        cut=trial.cut.name,
        cut_created_at=created.strftime("%Y-%m-%d %H:%M:%S") if created else "",
        filters=tuple(
            (f"{label}{ONLY_IN.get(name, '')}", value) for name, label, value in obeyed.chips()
        ),
        query=obeyed.to_query(),
        n_patients=trial.subjects.height,
        n_selected=chosen.subjects.height,
        versions=(("cartograph", version), *((n, library_version(n)) for n in LIBRARIES)),
        methods=tuple(dict.fromkeys(one.fit.method for one in fits if one.fit.method)),
        source_files=tuple(at_cut.select("path", "sha256").unique(maintain_order=True).rows()),
        written_at=written_at.strftime("%Y-%m-%d %H:%M:%S"),
    )
