"""Exposure-response model: choose the question, read the sentence, then check the fit."""

from dash import Dash, html
from dash.development.base_component import Component

from analysis.derive.signal import Signal
from analysis.errors import UserError
from analysis.results import Fit
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec
from dashboard.components.card import card
from dashboard.components.empty_state import empty_state
from dashboard.components.page_header import page_header
from dashboard.components.provenance_strip import provenance_strip
from dashboard.components.text import present
from dashboard.model import downloads, reading, scope
from dashboard.model.beyond_controls import beyond_words
from dashboard.model.builder import builder
from dashboard.model.fit_job import fitting_card, register_fit_job
from dashboard.model.group_answer import (
    effect_card,
    influence_card,
    peaks_card,
    ratio_card,
    residual_card,
    sensitivity_card,
    tests_card,
)
from dashboard.model.outcome_answer import answer_card, exposure_card
from dashboard.model.parts import (
    checks_list,
    estimate_table,
    method_note,
    saved_runs,
    variance_table,
)
from dashboard.model.scope import scope_words
from dashboard.view import Services, View

PATH = "/model"
NAME = "Models"
TITLE = "Exposure-response model"
FILTERS = scope.FILTERS
applied_filters = scope.applied
DOWNLOADS = downloads.DOWNLOADS


def layout(view: View) -> Component:
    """The page of one question: its fit when there is one, else the fit being made."""
    catalog = reading.signals(view)
    if not catalog:
        return html.Div(
            [
                page_header(TITLE),
                empty_state(
                    "Nothing to model",
                    "This data cut holds no kinetics, imaging or laboratory values.",
                    html.A("See what was loaded", href=view.href("/data")),
                ),
            ]
        )
    spec = None
    try:
        spec = reading.chosen_spec(view)
        spec.validate()
    except UserError as error:
        return refused(view, catalog, spec, str(error))
    fit = view.reader.stored_fit(view.trial, spec.spec_hash())
    if fit is None:
        return waiting(view, catalog, spec)
    return fitted(view, catalog, spec, fit)


def register(app: Dash, services: Services) -> None:
    """Start the fit that the page asks for, follow it, cancel it."""
    register_fit_job(app, services)


def refused(
    view: View, catalog: tuple[Signal, ...], spec: ModelSpec | None, reason: str
) -> Component:
    """A question that must not be asked so: why, and the right way; `spec` where it could be
    read."""
    return html.Div(
        [
            page_header(TITLE, "This question is not fitted."),
            builder(view, catalog, spec),
            empty_state(
                "Not fitted", reason, html.A("Back to the default question", href=view.path)
            ),
        ],
        className="cg-stack",
    )


def waiting(view: View, catalog: tuple[Signal, ...], spec: ModelSpec) -> Component:
    """The page while its fit is made."""
    parts = [
        page_header(TITLE, "This question has no answer at this cut yet."),
        builder(view, catalog, spec),
        scope_note(view, spec),
        fitting_card(str(view.trial.study["studyid"]), view.trial.cut.name, spec),
    ]
    return html.Div(present(parts), className="cg-stack")


def scope_note(view: View, spec: ModelSpec) -> Component | None:
    """Which patients the fit takes, where the filters alone do not say it, and what the address
    asks that no control shows."""
    words = " ".join(part for part in (scope_words(view), beyond_words(spec, view)) if part)
    return html.P(words, className="cg-muted", role="note") if words else None


def fitted(view: View, catalog: tuple[Signal, ...], spec: ModelSpec, fit: Fit) -> Component:
    """The sentence, then the table and the plots, then what to doubt."""
    body: list[Component | None] = [
        page_header(TITLE, finding(fit)),
        builder(view, catalog, spec),
        scope_note(view, spec),
    ]
    if fit.status == "not_estimable":
        body.append(empty_state("No number is shown", fit.sentence, fit.advice))
    else:
        main, side = cards(view, spec, fit)
        columns = [
            html.Div(present(cards), className="cg-stack cg-top-aligned") for cards in (main, side)
        ]
        body.append(html.Div(columns, className="cg-grid-side"))
    body += [
        html.Div([checks_card(fit), method_card(fit)], className="cg-grid-2 cg-ragged"),
        runs_card(view),
    ]
    return html.Div(present(body), className="cg-stack")


Cards = list[Component | None]


def cards(view: View, spec: ModelSpec, fit: Fit) -> tuple[Cards, Cards]:
    """The wide column and the narrow one."""
    if spec.question in OUTCOME_QUESTIONS:
        return [exposure_card(view, spec), estimates_card(view, fit)], [
            answer_card(view, spec, fit)
        ]
    return (
        [effect_card(view, spec, fit), residual_card(view, spec, fit), estimates_card(view, fit)],
        [
            ratio_card(view, fit),
            tests_card(view, fit),
            peaks_card(view, spec, fit),
            sensitivity_card(fit),
            influence_card(view, fit),
        ],
    )


def finding(fit: Fit) -> list[Component | str]:
    """The sentence; its caution on a quieter line, so that the finding is read first."""
    said, _, caution = fit.sentence.partition(" Caution: ")
    return [said, html.Span(f"Caution: {caution}", className="cg-caution")] if caution else [said]


def estimates_card(view: View, fit: Fit) -> Component:
    """The fixed effects as the statistician signs them."""
    return card(
        "Estimates",
        [estimate_table(fit), *([variance_table(fit)] if fit.variance_components else [])],
        note="scale of the fit",
        footer=provenance_strip(view, fit.formula),
    )


def checks_card(fit: Fit) -> Component:
    """What was checked."""
    return card("What was checked", checks_list(fit))


def method_card(fit: Fit) -> Component:
    """Method, references, code."""
    return card("Method", method_note(fit))


def runs_card(view: View) -> Component | None:
    """Earlier fits of this study."""
    runs = view.reader.stored_fits(view.trial)
    return card("Saved runs", saved_runs(view, runs)) if runs else None
