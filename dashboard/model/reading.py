"""The specification that an address asks for, and its fit in the form the figures take."""

import math
from collections.abc import Mapping

import polars as pl

from analysis.checks.mean_curve import measured_means
from analysis.derive.groups import patient_groups
from analysis.derive.measured_peaks import MeasuredPeaks, measured_peaks
from analysis.derive.model_frame import study_frame
from analysis.derive.signal import Signal, signal_series
from analysis.first_spec import usual_random
from analysis.fits.model_rows import model_rows
from analysis.fits.outcome_scale import measured_scale
from analysis.fits.recipe import default_inference
from analysis.number_words import p_words
from analysis.results import Fit, GeometricMeanRatio
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec
from dashboard.model.beyond_controls import beyond_controls
from dashboard.model.outcome_controls import outcome_changes, usual_question
from dashboard.model.scope import scope_changes
from dashboard.model.windows import OWN_WINDOW, window
from dashboard.trial_signals import trial_signals
from dashboard.view import View
from figures.effect_curve import FittedCurve, MeasuredMean
from figures.influence_plot import Influence
from figures.number_text import day_text
from figures.ratio_forest import ForestRow


def signals(view: View) -> tuple[Signal, ...]:
    """The signals that the study can model."""
    return trial_signals(view.trial)


def chosen_spec(view: View) -> ModelSpec:
    """The study's default with what the filters and the page's own controls change.

    Raises:
        UserError: a value of the address is no choice of this page.
    """
    usual, params = usual_question(view.trial, view.params), view.params
    changes = scope_changes(view) | beyond_controls(params)
    if params.get("window", OWN_WINDOW) != OWN_WINDOW:
        changes["day_low"], changes["day_high"] = window(params["window"])
    if "rule" in params:  # of its own name: the filters' rule "censored" is their default
        changes["blq"] = params["rule"]
    if "adjust" in params:
        changes["adjusters"] = tuple(name for name in params["adjust"].split(",") if name)
    if usual.question in OUTCOME_QUESTIONS:
        return usual.replace(**changes | outcome_changes(params, usual, changes))
    return _by_group(usual.replace(**changes), params)


def _by_group(spec: ModelSpec, params: Mapping[str, str]) -> ModelSpec:
    """With the controls of a comparison of groups."""
    changes = {
        name: params[name]
        for name in ("group", "time", "random", "inference") if name in params
    }  # fmt: skip
    if "time" in changes:
        changes.setdefault("random", usual_random(changes["time"]))
    asked = spec.replace(**changes)
    if asked.inference == default_inference(asked):
        return asked.replace(inference="auto")  # the default by its name is the same question
    return asked


def measured(view: View, spec: ModelSpec, fit: Fit) -> MeasuredPeaks:
    """Peaks as measured in the groups of the fit, for the patients it may take."""
    trial = view.trial
    subjects = trial.subjects
    if spec.cohort:
        subjects = subjects.filter(pl.col("cohort").is_in(spec.cohort))
    groups = patient_groups(
        spec.group,
        subjects,
        characteristics=trial.characteristics,
        responses=trial.responses,
        adverse_events=trial.adverse_events,
        criterion=spec.criterion or None,
        reader=spec.reader or None,
    )
    series = signal_series(
        Signal.parse(spec.outcome),
        kinetics=trial.kinetics,
        quantifications=trial.quantifications,
        labs=trial.labs,
        lesions=trial.lesions,
    )
    order = list(group_sizes(fit)) or sorted(groups.get_column("group").drop_nulls().unique())
    return measured_peaks(series, groups, order)


def measured_group_means(view: View, spec: ModelSpec) -> list[MeasuredMean]:
    """Means of the groups around each planned day, as the fit took the values; of values below the
    limit that enter as intervals there is none."""
    if spec.time == "none" or spec.unit != "patient":
        return []
    rows = model_rows(study_frame(view.trial, spec).frame, spec)
    return [
        MeasuredMean(one.group, one.day, measured_scale(one.mean, spec), one.n)
        for one in measured_means(rows.frame)
        if spec.blq != "censored" or not one.below
    ]


def fitted_curves(fit: Fit) -> list[FittedCurve]:
    """The fitted mean of each group in time order."""
    sizes = group_sizes(fit)
    curves: list[FittedCurve] = []
    for group in dict.fromkeys(point.group for point in fit.curves):
        points = [p for p in fit.curves if p.group == group and p.day is not None]
        points.sort(key=lambda point: point.day or 0.0)
        curves.append(
            FittedCurve(
                group,
                sizes.get(group, 0),
                tuple(float(point.day or 0.0) for point in points),
                tuple(number(point.estimate) for point in points),
                tuple(number(point.conf_low) for point in points),
                tuple(number(point.conf_high) for point in points),
            )
        )
    return curves


def group_sizes(fit: Fit) -> dict[str, int]:
    """Patients of each group in the fit."""
    sizes: dict[str, int] = {}
    for ratio in fit.ratios:
        sizes |= {ratio.group: ratio.n, ratio.reference: ratio.n_reference}
    return sizes


def ratio_rows(fit: Fit) -> list[ForestRow]:
    """One row per day (and group, when there are several) in day order."""
    several = len({ratio.group for ratio in fit.ratios}) > 1
    return [
        ForestRow(
            day_label(ratio),
            row_note(ratio, several=several),
            number(ratio.ratio),
            number(ratio.conf_low),
            number(ratio.conf_high),
            number(ratio.p_value),
        )
        for ratio in sorted(fit.ratios, key=lambda r: (r.group, r.day if r.day is not None else 0))
    ]


def row_note(ratio: GeometricMeanRatio, *, several: bool) -> str:
    """The patients of both groups, and p adjusted for the number of days shown."""
    group = f"{ratio.group}, " if several else ""
    holm = "" if ratio.p_adjusted is None else f", Holm {p_words(ratio.p_adjusted)[2:]}"
    return f"{group}{counts(ratio)}{holm}"


def day_label(ratio: GeometricMeanRatio) -> str:
    """ "Day 14", or "All days" for a model without a time course."""
    return "All days" if ratio.day is None else f"Day {day_text(ratio.day)}"


def counts(ratio: GeometricMeanRatio) -> str:
    """Patients with a value that day where days are visits, else all patients of the fit."""
    upper = ratio.n if ratio.n_observed is None else ratio.n_observed
    lower = ratio.n_reference if ratio.n_observed_reference is None else ratio.n_observed_reference
    return f"{upper} against {lower}"


def influence_rows(fit: Fit, studyid: str) -> list[Influence]:
    """The key ratio without each patient; patients without the study's own prefix."""
    return [
        Influence(
            row.usubjid.removeprefix(f"{studyid}-"),
            number(row.ratio),
            number(row.conf_low),
            number(row.conf_high),
        )
        for row in fit.influence
    ]


def number(value: float | None) -> float:
    """NaN for a missing number: figures leave it out."""
    return math.nan if value is None else float(value)
