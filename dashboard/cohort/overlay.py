"""The stored model that may lie over the curves: one of the same patients and the same groups."""

from typing import Any

from analysis.derive.groups import RESPONSE_LEVELS
from analysis.derive.response import best_response
from analysis.derive.signal import Signal
from analysis.results import Fit
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec
from dashboard.model.reading import fitted_curves
from dashboard.view import View
from figures.curves import GroupMean
from figures.effect_curve import as_mean

NO_MODEL = (
    "No stored model of this selection: none has these cohorts, this analysis set, response "
    "criterion and grouping. Only what was observed is drawn."
)


def stored_model(view: View, signal: Signal) -> Fit | None:
    """The newest stored comparison of this signal between the groups of the page, in the patients
    of the page; None where there is none."""
    fits = (run["fit"] for run in view.reader.stored_fits(view.trial))
    return next((fit for fit in fits if fit.curves and _answers(fit, view, signal)), None)


def model_overlay(view: View, signal: Signal) -> tuple[GroupMean, ...]:
    """Fitted means to draw over the curves, when the address asks for them."""
    fit = stored_model(view, signal) if view.params.get("overlay") == "model" else None
    return tuple(map(as_mean, fitted_curves(fit))) if fit else ()


def _answers(fit: Fit, view: View, signal: Signal) -> bool:
    """Whether the fit is of the signal, the patients and the groups that are drawn."""
    if fit.status == "not_estimable" or fit.spec is None:
        return False
    spec = ModelSpec.from_dict(dict(fit.spec))
    chosen = view.selection
    if spec.question in OUTCOME_QUESTIONS or (spec.unit, spec.outcome) != ("patient", signal.key):
        return False
    if chosen.site or chosen.arm or chosen.dose_level:  # no model is restricted by these
        return False
    same_patients = (
        spec.analysis_set == chosen.analysis_set
        and _cohorts(spec.cohort, view) == _cohorts(chosen.cohort, view)
    )  # fmt: skip
    return same_patients and _same_groups(spec, view)


def _cohorts(named: tuple[str, ...], view: View) -> set[Any]:
    """The cohorts named, all of the study where none is."""
    return set(named) or set(view.trial.subjects.get_column("cohort").unique())


def _same_groups(spec: ModelSpec, view: View) -> bool:
    """Whether the fit groups by what colors the page, and reads responses as the page does."""
    chosen = view.selection
    if chosen.color_by != "response":
        return spec.group == chosen.color_by
    if spec.group not in RESPONSE_LEVELS or spec.reader != chosen.reader:
        return False
    best = best_response(
        view.selected.responses, chosen.criterion or None, chosen.reader or None
    )  # fmt: skip
    read_by = best.get_column("criterion").unique().to_list()
    return len(read_by) == 1 and spec.criterion in ("", read_by[0])
