"""The specification that an address asks for, and its fit in the form the figures take."""

import math
from collections.abc import Mapping

import polars as pl

from analysis.derive.groups import patient_groups
from analysis.derive.measured_peaks import MeasuredPeaks, measured_peaks
from analysis.derive.signal import Signal, signal_series
from analysis.errors import UserError
from analysis.fits.recipe import default_inference
from analysis.number_words import p_words
from analysis.results import Fit, GeometricMeanRatio
from analysis.specs import ModelSpec
from dashboard.components.text import sentence_case
from dashboard.filters import window_text
from dashboard.model.beyond_controls import beyond_controls
from dashboard.model.scope import scope_changes
from dashboard.trial_signals import first_question, trial_signals
from dashboard.view import View
from figures.effect_curve import FittedCurve
from figures.influence_plot import Influence
from figures.number_text import day_text
from figures.ratio_forest import ForestRow

WINDOWS: Mapping[str, tuple[float | None, float | None]] = {
    "0-28": (0.0, 28.0),
    "7-28": (7.0, 28.0),
    "14-28": (14.0, 28.0),
    "0-90": (0.0, 90.0),
    "from-0": (0.0, None),
    "all": (None, None),
}
OWN_WINDOW = "own"
"""A window without a name here: that of the address, or of the study's first question."""
WINDOW_LABELS = (
    ("0-28", "Days 0 to 28"),
    ("7-28", "Days 7 to 28"),
    ("14-28", "Days 14 to 28"),
    ("0-90", "Days 0 to 90"),
    ("from-0", "From day 0"),
    ("all", "All days"),
)


def signals(view: View) -> tuple[Signal, ...]:
    """The signals that the study can model."""
    return trial_signals(view.trial)


def chosen_spec(view: View) -> ModelSpec:
    """The study's default with what the filters and the page's own controls change.

    Raises:
        UserError: a value of the address is no choice of this page.
    """
    spec = first_question(view.trial, view.params.get("signal", ""))
    params = view.params
    changes = scope_changes(view) | beyond_controls(params)
    for name in ("group", "time", "random", "transform", "inference"):
        if name in params:
            changes[name] = params[name]
    if params.get("window", OWN_WINDOW) != OWN_WINDOW:
        changes["day_low"], changes["day_high"] = window(params["window"])
    if "rule" in params:  # of its own name: the filters' rule "censored" is their default
        changes["blq"] = params["rule"]
    if "time" in changes:
        changes.setdefault("random", "matching" if changes["time"] == "spline" else "intercept")
    if "adjust" in params:
        changes["adjusters"] = tuple(name for name in params["adjust"].split(",") if name)
    asked = spec.replace(**changes)
    if asked.inference == default_inference(asked):
        return asked.replace(inference="auto")  # the default by its name is the same question
    return asked


def window(name: str) -> tuple[float | None, float | None]:
    """First and last day of a named window."""
    if name not in WINDOWS:
        raise UserError(f"window '{name}' is not one of {', '.join(WINDOWS)}; choose one above")
    return WINDOWS[name]


def window_name(spec: ModelSpec) -> str | None:
    """The name of a specification's window, None when it is one of its own."""
    ends = (spec.day_low, spec.day_high)
    return next((name for name, days in WINDOWS.items() if days == ends), None)


def window_options(spec: ModelSpec) -> list[dict[str, str]]:
    """The windows to choose from, with the one of the address when it has no name."""
    named = [{"value": value, "label": label} for value, label in WINDOW_LABELS]
    if window_name(spec) is not None:
        return named
    words = window_text(spec.day_low, spec.day_high)
    own_window = sentence_case(words)
    return [*named, {"value": OWN_WINDOW, "label": own_window}]


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
