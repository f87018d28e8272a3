"""Exposure-response model: choose the question, read the sentence, then check the fit."""

from collections.abc import Sequence
from enum import StrEnum

from dash import Dash, html
from dash.development.base_component import Component

from analysis.derive.labels import display_unit
from analysis.derive.signal import Signal, find_signal
from analysis.errors import UserError
from analysis.number_words import count, p_words
from analysis.results import Fit
from analysis.specs import ModelSpec
from dashboard.components.card import card
from dashboard.components.empty_state import empty_state
from dashboard.components.graph import graph
from dashboard.components.page_header import page_header
from dashboard.components.provenance_strip import figure_downloads, provenance_strip
from dashboard.components.text import sentence_case
from dashboard.model import reading, scope
from dashboard.model.beyond_controls import beyond_words
from dashboard.model.builder import builder
from dashboard.model.exposure_answers import exposure_answers
from dashboard.model.fit_job import fitting_card, register_fit_job
from dashboard.model.parts import (
    checks_list,
    estimate_table,
    interval_words,
    method_note,
    peaks_table,
    saved_runs,
    sensitivity_table,
    tests_table,
    variance_table,
)
from dashboard.model.scope import scope_words
from dashboard.view import Services, View
from figures.effect_curve import draw_effect_curve, prepare_effect_curve
from figures.influence_plot import draw_influence_plot, prepare_influence_plot
from figures.ratio_forest import draw_ratio_forest, prepare_ratio_forest
from figures.residual_plots import draw_residual_plots, prepare_residual_plots

PATH = "/model"
NAME = "Models"
TITLE = "Exposure-response model"
FILTERS = scope.FILTERS
applied_filters = scope.applied
INFERENCE_WORDS = {
    "satterthwaite": "Satterthwaite degrees of freedom",
    "kenward_roger": "Kenward-Roger",
    "bootstrap": "Parametric bootstrap",
    "robust": "t with robust variances",
    "wald": "Wald, without small-sample correction",
}
JOINT_WORDS = {
    "satterthwaite": "F with Satterthwaite degrees of freedom",
    "kenward_roger": "Kenward-Roger's scaled F",
    "robust": "Hotelling's T2 with robust variances",
    "wald": "Wald, without small-sample correction",
}


class Ids(StrEnum):
    """Elements of this page."""

    EFFECT = "model-effect"
    RATIOS = "model-ratios"
    RESIDUALS = "model-residuals"
    INFLUENCE = "model-influence"


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
    try:
        spec = reading.chosen_spec(view)
        spec.validate()
    except UserError as error:
        return refused(view, catalog, str(error))
    fit = view.reader.stored_fit(view.trial, spec.spec_hash())
    if fit is None:
        return waiting(view, catalog, spec)
    return fitted(view, catalog, spec, fit)


def register(app: Dash, services: Services) -> None:
    """Start the fit that the page asks for, follow it, cancel it."""
    register_fit_job(app, services)


def refused(view: View, catalog: tuple[Signal, ...], reason: str) -> Component:
    """A question that must not be asked so: why, and the right way."""
    return html.Div(
        [
            page_header(TITLE, "This question is not fitted."),
            builder(view, catalog, None),
            empty_state(
                "Not fitted", reason, html.A("Back to the default question", href=view.path)
            ),
        ],
        className="cg-stack",
    )


def waiting(view: View, catalog: tuple[Signal, ...], spec: ModelSpec) -> Component:
    """The page while its fit is made."""
    parts = [
        page_header(TITLE, "This question has not been fitted at this cut; fitting it now."),
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
        main = [effect_card(view, spec, fit), residual_card(view, fit), estimates_card(view, fit)]
        side = [
            ratio_card(view, fit),
            tests_card(view, fit),
            peaks_card(view, spec, fit),
            sensitivity_card(fit),
            influence_card(view, fit),
        ]
        columns = [
            html.Div(present(cards), className="cg-stack cg-top-aligned") for cards in (main, side)
        ]
        body.append(html.Div(columns, className="cg-grid-side"))
    body += [
        html.Div([checks_card(fit), method_card(fit)], className="cg-grid-2 cg-ragged"),
        runs_card(view),
        exposure_answers(view),
    ]
    return html.Div(present(body), className="cg-stack")


def present(parts: Sequence[Component | None]) -> list[Component]:
    """The parts that there are."""
    return [part for part in parts if part is not None]


def finding(fit: Fit) -> list[Component | str]:
    """The sentence; its caution on a quieter line, so that the finding is read first."""
    said, _, caution = fit.sentence.partition(" Caution: ")
    return [said, html.Span(f"Caution: {caution}", className="cg-caution")] if caution else [said]


def effect_card(view: View, spec: ModelSpec, fit: Fit) -> Component:
    """Fitted means over time."""
    curves = reading.fitted_curves(fit)
    prepared = prepare_effect_curve(curves, log=spec.transform != "none")
    figure = draw_effect_curve(prepared, view.theme, narrow=view.narrow)
    signal = find_signal(spec.outcome, reading.signals(view))
    return card(
        "Fitted mean of each group",
        graph(figure, Ids.EFFECT, "Fitted geometric mean of each group over days from infusion"),
        note=signal.axis_title if signal else spec.outcome,
        footer=provenance_strip(
            view,
            f"n = {fit.n_subjects} of {count(view.selected.subjects.height, 'patient')}, "
            f"{count(fit.n_observations, 'value')}",
            f"band: {interval_words(fit)} of the mean",
            downloads=figure_downloads(view, Ids.EFFECT),
        ),
    )


def ratio_card(view: View, fit: Fit) -> Component | None:
    """The ratio at each chosen day."""
    if not fit.ratios:
        return None
    first = fit.key_ratio or fit.ratios[0]
    figure = draw_ratio_forest(
        prepare_ratio_forest(reading.ratio_rows(fit), sort=False), view.theme, narrow=view.narrow,
        level=fit.conf_level,
    )  # fmt: skip
    return card(
        f"{sentence_case(first.group)} against {first.reference}",
        [
            html.P(f"{sentence_case(first.kind)} by day", className="cg-card-lead"),
            graph(figure, Ids.RATIOS, "Ratio between the groups by day"),
        ],
        footer=provenance_strip(
            view,
            INFERENCE_WORDS.get(fit.inference, fit.inference),
            downloads=figure_downloads(view, Ids.RATIOS),
        ),
    )


def tests_card(view: View, fit: Fit) -> Component | None:
    """The groups over all days at once, so that no day is picked."""
    tests = [test for test in (fit.group_test, fit.interaction) if test is not None]
    if not tests:
        return None
    words = JOINT_WORDS.get(fit.joint_inference or fit.inference, "")
    if any(test.method.startswith("permutation") for test in tests):
        words = "p-values of relabelled patients (permutation)"
    return card("All days at once", tests_table(tests), footer=provenance_strip(view, words))


def peaks_card(view: View, spec: ModelSpec, fit: Fit) -> Component:
    """The size of the signal before any model."""
    found = reading.measured(view, spec, fit)
    rank = "" if found.p_value is None else f"rank test (Mann-Whitney) {p_words(found.p_value)}"
    signal = find_signal(spec.outcome, reading.signals(view))
    unit = display_unit(signal.unit or "") if signal else ""
    return card(
        "Peaks as measured, before any model",
        peaks_table(found),
        note=unit,
        footer=provenance_strip(view, "highest value of days 1 to 28, zeros included", rank),
    )


def estimates_card(view: View, fit: Fit) -> Component:
    """The fixed effects as the statistician signs them."""
    return card(
        "Estimates",
        [estimate_table(fit), variance_table(fit)],
        note="scale of the fit",
        footer=provenance_strip(view, fit.formula),
    )


def sensitivity_card(fit: Fit) -> Component | None:
    """The same ratio under other rules for values below the limit."""
    if not fit.sensitivity:
        return None
    return card("Does the rule for low values matter?", sensitivity_table(fit))


def residual_card(view: View, fit: Fit) -> Component | None:
    """Residual plots."""
    if not fit.residuals:
        return None
    points = ((p.usubjid, p.fitted, p.residual, p.quantile) for p in fit.residuals)
    figure = draw_residual_plots(prepare_residual_plots(points), view.theme, narrow=view.narrow)
    return card("Residuals", graph(figure, Ids.RESIDUALS, "Residuals against fitted values"))


def influence_card(view: View, fit: Fit) -> Component | None:
    """The key ratio without each patient."""
    rows = reading.influence_rows(fit, str(view.trial.study["studyid"]))
    if not rows or fit.key_ratio is None:
        return None
    prepared = prepare_influence_plot(rows, fit.key_ratio.ratio)
    return card(
        "Does one patient carry the result?",
        graph(
            draw_influence_plot(prepared, view.theme), Ids.INFLUENCE,
            "The key ratio with each patient left out",
        ),
        note=f"{len(prepared.rows)} most influential of {prepared.n_patients}",
    )  # fmt: skip


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
