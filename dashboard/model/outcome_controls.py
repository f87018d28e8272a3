"""Questions whose outcome is a response or an event: what an address asks, and their controls."""

from collections.abc import Callable, Mapping
from typing import Any

from dash.development.base_component import Component

from analysis.derive.signal import Signal
from analysis.errors import UserError
from analysis.exposure_rules import EXPOSURE_QUESTIONS, RESPONSE_QUESTIONS
from analysis.first_spec import outcome_spec
from analysis.joint_rules import JOINT_QUESTIONS
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec
from dashboard.components.signal_options import signal_options
from dashboard.components.url_control import url_segmented, url_select
from dashboard.model.adjuster_options import adjuster_options
from dashboard.model.windows import OWN_WINDOW, window_name, window_options
from dashboard.trial_signals import first_question
from dashboard.view import View
from models.trial import Trial

QUESTION_WORDS: Mapping[str, str] = {
    "response_by_exposure": "Response by exposure",
    "event_by_exposure": "Event by exposure",
    "joint_binary": "Response by course",
    "joint": "Event by course",
}
BY_GROUP_WORDS = "Signal by group"
RESPONSE_OUTCOMES = {
    "response:responder": "Response (CR or PR)",
    "response:complete_response": "Complete response",
}
EVENT_WORDS = {
    "PFS": "Progression-free survival", "OS": "Overall survival", "DOR": "Duration of response",
}  # fmt: skip
PARAMETER_WORDS = {
    "peak": "Peak", "auc": "Area under the curve", "mean": "Geometric mean", "last": "Last value",
}  # fmt: skip
ASSOCIATION_WORDS = {
    "value": "Its value", "slope": "Its slope", "value,slope": "Value and slope",
}  # fmt: skip
BASELINE_WORDS = {"piecewise": "Stepwise", "spline": "Smooth curve", "weibull": "Weibull"}
LANDMARKS = (28.0, 60.0, 90.0, 180.0)
WINDOW_END = "end"
"""The landmark at the end of the exposure's window."""
RULE_WORDS = {"half_lloq": "Half the limit", "censored": "Censored", "drop": "Left out"}


def usual_question(trial: Trial, params: Mapping[str, str]) -> ModelSpec:
    """The question of an address before anything but its kind and signal was chosen.

    Raises UserError where the study has no such outcome or no signal, or the address names none of
    its signals.
    """
    first = first_question(trial, params.get("signal", ""))
    question = params.get("question", "")
    if question not in OUTCOME_QUESTIONS:
        return first
    known = list(outcome_words(trial, question))
    if not known:
        what = "responses" if question in RESPONSE_QUESTIONS else "times to an event"
        raise UserError(f"this data cut holds no {what}, so '{question}' has no outcome")
    asked = params.get("outcome", "")
    # That of another kind of question was chosen before this one, and says nothing here.
    fits = asked.partition(":")[0] == known[0].partition(":")[0]
    return outcome_spec(first, question, asked if fits else known[0])


def outcome_changes(
    params: Mapping[str, str], usual: ModelSpec, days: Mapping[str, Any]
) -> dict[str, Any]:
    """Fields of a question of an outcome that its controls change. days: the changed ends of its
    window. Raises UserError for a landmark that is no day."""
    changes: dict[str, Any] = {}
    if usual.landmark_day is not None:
        end = days.get("day_high", usual.day_high)
        changes["landmark_day"] = landmark_of(params, usual.landmark_day if end is None else end)
    if usual.question not in RESPONSE_QUESTIONS:
        changes |= {"criterion": "", "reader": ""}  # of no meaning to the time to an event
    if usual.question in EXPOSURE_QUESTIONS:
        return changes | {name: params[name] for name in ("parameter",) if name in params}
    changes |= {name: params[name] for name in ("random",) if name in params}
    chosen = _listed(params.get("association", ""))
    changes["association"] = () if chosen == ("value",) else chosen
    if usual.question == "joint" and params.get("baseline", "piecewise") != "piecewise":
        changes["baseline"] = params["baseline"]
    return changes


def landmark_of(params: Mapping[str, str], end: float) -> float:
    """The landmark of an address: a day, or the end of the window."""
    text = params.get("landmark", WINDOW_END)
    if text == WINDOW_END:
        return end
    try:
        return float(text)
    except ValueError as error:
        raise UserError(
            f"landmark {text!r} in the address is no day; give a number, or '{WINDOW_END}'"
        ) from error


def outcome_params(spec: ModelSpec) -> dict[str, str]:
    """The page's own parameters that ask a question of an outcome, but for its days."""
    at_end = spec.landmark_day is None or spec.landmark_day == spec.day_high
    params = {
        "question": spec.question, "outcome": spec.outcome, "signal": spec.exposure,
        "parameter": spec.parameter, "association": ",".join(spec.association),
        "landmark": WINDOW_END if at_end else f"{spec.landmark_day!r}",
        "baseline": spec.baseline, "rule": spec.blq, "adjust": ",".join(spec.adjusters),
    }  # fmt: skip
    return params | ({"random": spec.random} if spec.question in JOINT_QUESTIONS else {})


def question_choice(view: View, chosen: ModelSpec) -> Component | None:
    """The kinds of question that the trial can answer. Each starts from its own usual choices; the
    signal goes with it."""
    trial, signal = view.trial, view.params.get("signal")
    options = [("", BY_GROUP_WORDS)] + [
        (question, words) for question, words in QUESTION_WORDS.items()
        if outcome_words(trial, question)
    ]  # fmt: skip
    if len(options) == 1:
        return None
    value = chosen.question if chosen.question in QUESTION_WORDS else ""
    return url_segmented(
        view, "question", value, options, label="Question", alone={"signal": signal}
    )


def outcome_words(trial: Trial, question: str) -> dict[str, str]:
    """The outcomes of a kind of question that the trial has, in words."""
    if question in RESPONSE_QUESTIONS:
        return RESPONSE_OUTCOMES if trial.responses.height else {}
    there = set(trial.survival.get_column("endpoint").to_list())
    return {f"event:{code}": words for code, words in EVENT_WORDS.items() if code in there}


def outcome_controls(view: View, catalog: tuple[Signal, ...], chosen: ModelSpec) -> list[Component]:
    """One control for each field of a question of an outcome."""
    outcomes = outcome_words(view.trial, chosen.question)
    return [
        url_select("outcome", chosen.outcome, options_of(outcomes), label="Outcome", width=230),
        url_select("signal", chosen.exposure, signal_options(catalog),
                   label="Exposure", width=300, searchable=True),
        *_of_question(chosen),
        url_select("adjust", chosen.adjusters[0] if chosen.adjusters else "",
                   adjuster_options(view.trial.characteristics),
                   label="Adjusted for", width=220, searchable=True),
        url_select("rule", chosen.blq, options_of(RULE_WORDS, _accepts(chosen, "blq")),
                   label="Below limit", width=140),
    ]  # fmt: skip


def _of_question(chosen: ModelSpec) -> list[Component]:
    days = url_select("window", window_name(chosen) or OWN_WINDOW, window_options(chosen),
                      label="Days of the exposure", width=170)  # fmt: skip
    if chosen.question in EXPOSURE_QUESTIONS:
        parameter = url_select("parameter", chosen.parameter, options_of(PARAMETER_WORDS),
                               label="Summarized by", width=180)  # fmt: skip
        return [parameter, days, _landmark(chosen)]
    course = [
        url_select("association", ",".join(chosen.association) or "value",
                   options_of(ASSOCIATION_WORDS), label="Goes with", width=160),
        url_select("random", chosen.random,
                   [{"value": "matching", "label": "Own level and slope"},
                    {"value": "intercept", "label": "Own level"}],
                   label="Each patient has", width=190),
    ]  # fmt: skip
    if chosen.question == "joint_binary":
        return [days, _landmark(chosen), *course]
    baseline = url_select("baseline", chosen.baseline or "piecewise", options_of(BASELINE_WORDS),
                          label="Baseline hazard", width=150)  # fmt: skip
    return [days, *course, baseline]


def _landmark(chosen: ModelSpec) -> Component:
    """The day from which the outcome counts; a day of the address of its own too."""
    own = chosen.landmark_day
    days = {*LANDMARKS, *(() if own is None else (own,))}
    later = sorted(day for day in days if day > (chosen.day_high or 0.0))
    at_end = own is None or own == chosen.day_high
    options = [{"value": WINDOW_END, "label": "End of those days"}]
    options += [{"value": repr(day), "label": f"Day {day:g}"} for day in later]
    return url_select("landmark", WINDOW_END if at_end else repr(own), options,
                      label="Outcome counts from", width=180)  # fmt: skip


def _accepts(spec: ModelSpec, name: str) -> Callable[[str], bool]:
    """Whether a value of a field is refused in the question."""
    refused = set(spec.problems())
    return lambda value: not set(spec.replace(**{name: value}).problems()) - refused


def options_of(
    words: Mapping[str, str], accepted: Callable[[str], bool] = lambda _: True
) -> list[dict[str, str]]:
    """The choices of a select, those that are accepted."""
    return [{"value": value, "label": text} for value, text in words.items() if accepted(value)]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)
