"""The guided question: one control for each of its fields."""

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from analysis.derive.signal import Signal
from analysis.fits.recipe import default_inference
from analysis.specs import GROUPS, OUTCOME_QUESTIONS, ModelSpec
from dashboard.components.signal_options import signal_options
from dashboard.components.text import present, sentence_case
from dashboard.components.url_control import url_select
from dashboard.model.adjuster_options import adjuster_options
from dashboard.model.outcome_controls import (
    RULE_WORDS,
    options_of,
    outcome_controls,
    question_choice,
)
from dashboard.model.windows import OWN_WINDOW, window_name, window_options
from dashboard.trial_signals import first_question
from dashboard.view import View

RESPONSE_WORDS = "best overall response: "
"""Said of every comparison of responses; too long for the box of a choice."""
INFERENCE_CHOICES = {
    "satterthwaite": "Satterthwaite",
    "kenward_roger": "Kenward-Roger",
    "bootstrap": "Bootstrap (simulated)",
    "robust": "Robust (patients as clusters)",
    "wald": "Wald (large samples)",
}


def builder(view: View, catalog: tuple[Signal, ...], spec: ModelSpec | None) -> Component:
    """The guided question: its kind first, then its fields."""
    chosen = spec or first_question(view.trial)
    if chosen.question in OUTCOME_QUESTIONS:
        controls = outcome_controls(view, catalog, chosen)
    else:
        controls = [*_what(view, catalog, chosen), *_how(view, chosen)]
    return html.Div(
        present([question_choice(view, chosen), html.Div(controls, className="cg-controls")]),
        className="cg-builder",
    )


def _what(view: View, catalog: tuple[Signal, ...], chosen: ModelSpec) -> list[Component]:
    """What is compared, between whom and when."""
    groups = [
        {"value": name, "label": sentence_case(label.removeprefix(RESPONSE_WORDS))}
        for name, (_, label) in GROUPS.items()
        if name in ("responder", "complete_response", "best_response")
        or view.trial.subjects.get_column(name).drop_nulls().n_unique() > 1
    ]
    return [
        url_select("signal", chosen.outcome, signal_options(catalog),
                   label="Outcome over time", width=300, searchable=True),
        url_select("group", chosen.group, groups, label="Compared between", width=320),
        url_select("window", window_name(chosen) or OWN_WINDOW, window_options(chosen),
                   label="Days", width=150),
    ]  # fmt: skip


def _how(view: View, chosen: ModelSpec) -> list[Component]:
    """How it is modeled."""
    return [
        url_select("time", chosen.time, [
            {"value": "visit", "label": "Planned visits"},
            {"value": "spline", "label": "Smooth curve"},
            {"value": "none", "label": "One level"},
        ], label="Time course", width=150),
        *_bends(chosen),
        url_select("random", chosen.random, [
            {"value": "matching", "label": "Own curve"},
            {"value": "intercept", "label": "Own level"},
        ], label="Each patient has", width=140),
        url_select("adjust", chosen.adjusters[0] if chosen.adjusters else "",
                   adjuster_options(view.trial.characteristics),
                   label="Adjusted for", width=220, searchable=True),
        url_select("rule", chosen.blq, options_of(RULE_WORDS), label="Below limit", width=140),
        url_select("inference", inference_choice(chosen), [
            {"value": name, "label": label} for name, label in inference_choices(chosen).items()
        ], label="Tests and intervals", width=240),
    ]  # fmt: skip


def _bends(chosen: ModelSpec) -> list[Component]:
    """How freely a smooth curve bends."""
    if chosen.time != "spline":
        return []
    degrees = [{"value": "3", "label": "Little (3 df)"}, {"value": "4", "label": "More (4 df)"}]
    return [url_select("spline_df", str(chosen.spline_df), degrees, label="It bends", width=140)]


def inference_choices(spec: ModelSpec) -> Mapping[str, str]:
    """The methods that exist for the question."""
    if spec.blq != "censored":
        return INFERENCE_CHOICES
    return {default_inference(spec): "By patient", "wald": INFERENCE_CHOICES["wald"]}


def inference_choice(spec: ModelSpec) -> str:
    """What "auto" stands for, so that the reader sees the method and not a word for it."""
    return default_inference(spec) if spec.inference == "auto" else spec.inference
