"""The answer to a question whose outcome is a response or an event, in cards."""

import math
from enum import StrEnum

from dash.development.base_component import Component

from analysis.derive.labels import display_unit
from analysis.derive.model_frame import study_frame
from analysis.derive.signal import Signal, find_signal
from analysis.exposure_rules import EXPOSURE_QUESTIONS, RATIO_WORDS
from analysis.fits.exposure_question import exposure_patients
from analysis.joint_rules import JOINT_QUESTIONS
from analysis.number_words import count
from analysis.results import Fit, SensitivityRow
from analysis.specs import ModelSpec
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.provenance_strip import figure_downloads, provenance_strip
from dashboard.components.text import sentence_case
from dashboard.model.outcome_controls import EVENT_WORDS, PARAMETER_WORDS, RULE_WORDS
from dashboard.model.parts import interval_words
from dashboard.model.reading import number, signals
from dashboard.view import View
from figures.exposure_outcome import Exposed, draw_exposure_outcome, prepare_exposure_outcome
from figures.ratio_forest import ForestRow, draw_ratio_forest, prepare_ratio_forest

RESPONSE_LANES = {
    "response:responder": ("Response", "No response"),
    "response:complete_response": ("CR", "No CR"),
}


class Ids(StrEnum):
    """Figures of an answer."""

    EXPOSURE = "model-exposure"
    RATIO = "model-ratio"


def exposure_card(view: View, spec: ModelSpec) -> Component | None:
    """The exposure of each patient beside the outcome; None where the exposure is a course."""
    if spec.question not in EXPOSURE_QUESTIONS:
        return None
    patients = exposed(view, spec)
    signal = find_signal(spec.exposure, signals(view)) or Signal.parse(spec.exposure)
    what = f"{signal.label}: {PARAMETER_WORDS[spec.parameter].lower()}"
    figure = draw_exposure_outcome(
        prepare_exposure_outcome(patients, _words(spec), log=spec.transform != "none"),
        view.theme, unit=_unit(spec, signal), narrow=view.narrow,
    )  # fmt: skip
    return card(
        "What the answer rests on",
        graph(figure, Ids.EXPOSURE, f"{what} of each patient, beside the outcome"),
        note=f"{what}, days {spec.day_low or 0:g} to {spec.day_high:g}",
        footer=provenance_strip(
            view,
            f"n = {len(patients)} of {count(view.selected.subjects.height, 'patient')}",
            f"outcomes before day {spec.landmark_day:g}, the landmark, are left out",
            f"below the limit: {RULE_WORDS[spec.blq].lower()}",
            "bar: median" if spec.question == "response_by_exposure" else "",
            downloads=figure_downloads(view, Ids.EXPOSURE, "exposure"),
        ),
    )


def exposed(view: View, spec: ModelSpec) -> list[Exposed]:
    """The patients behind the answer, whom the fit took."""
    found = exposure_patients(study_frame(view.trial, spec).frame, spec)
    if spec.question == "response_by_exposure":
        return [Exposed(*row) for row in found.select("usubjid", "exposure", "success").iter_rows()]
    rows = found.select("usubjid", "exposure", "event", "event_day")
    return [
        Exposed(patient, value, bool(had), day) for patient, value, had, day in rows.iter_rows()
    ]


def _words(spec: ModelSpec) -> tuple[str, str]:
    if spec.outcome in RESPONSE_LANES:
        return RESPONSE_LANES[spec.outcome]
    code = spec.outcome.partition(":")[2]
    name = EVENT_WORDS.get(code, code)
    return f"{name}: event", "followed without"


def _unit(spec: ModelSpec, signal: Signal) -> str:
    """Unit of the exposure; of an area times days."""
    unit = display_unit(signal.unit or "") or ("SUV" if signal.code.startswith("SUV") else "")
    return f"{unit} \N{MULTIPLICATION SIGN} days".strip() if spec.parameter == "auc" else unit


def answer_card(view: View, spec: ModelSpec, fit: Fit) -> Component | None:
    """The ratio of the sentence; beside it the same under each rule for low values, or by the
    simpler analyses of a joint model."""
    rows = answer_rows(spec, fit)
    if not rows:
        return None
    figure = draw_ratio_forest(
        prepare_ratio_forest(rows, sort=False), view.theme, narrow=view.narrow, level=fit.conf_level
    )
    below = "for values below the limit" if spec.question in EXPOSURE_QUESTIONS else ""
    beside = below if fit.sensitivity else ""
    return card(
        sentence_case(RATIO_WORDS[spec.question]),
        graph(figure, Ids.RATIO, f"{sentence_case(RATIO_WORDS[spec.question])} with its interval"),
        note=f"of {_step(spec)}",
        footer=provenance_strip(
            view, interval_words(fit), f"one row for each rule {beside}" if beside else "",
            downloads=figure_downloads(view, Ids.RATIO, "ratios"),
        ),
    )  # fmt: skip


def _step(spec: ModelSpec) -> str:
    """What the ratio is for."""
    logarithm = spec.transform.startswith("log10")
    if spec.question in JOINT_QUESTIONS:
        return "a 10-fold higher signal" if logarithm else "one unit more"
    return "ten times the exposure" if logarithm else "one unit more of the exposure"


def answer_rows(spec: ModelSpec, fit: Fit) -> list[ForestRow]:
    """One row per rule or analysis, else the ratio alone; none where the step of an estimate is not
    the one that the card names."""
    if fit.sensitivity:
        return [_sensitivity_row(row, spec) for row in fit.sensitivity]
    if spec.question in JOINT_QUESTIONS and not spec.transform.startswith("log10"):
        return []
    key = next(
        (item for item in fit.estimates
         if item.term == "exposure" or (item.part == "association" and item.term == "value")),
        None,
    )  # fmt: skip
    if key is None:
        return []
    low, high = (math.exp(number(end)) for end in (key.conf_low, key.conf_high))
    note = count(fit.n_subjects, "patient")
    label = (
        "All patients of the fit" if fit.n_events is None else f"{fit.n_events} with the outcome"
    )
    return [ForestRow(label, note, math.exp(key.estimate), low, high, number(key.p_value))]


def _sensitivity_row(row: SensitivityRow, spec: ModelSpec) -> ForestRow:
    by_exposure = spec.question in EXPOSURE_QUESTIONS
    when = "" if row.day is None else f", day {row.day:g}"
    label = RULE_WORDS.get(row.rule, sentence_case(row.rule)) + when
    note = count(row.n_observations, "patient" if by_exposure else "value")
    if row.ratio is None:
        note += "; not estimable"
    ratio, low, high, p_value = map(number, (row.ratio, row.conf_low, row.conf_high, row.p_value))
    return ForestRow(label, note, ratio, low, high, p_value)
