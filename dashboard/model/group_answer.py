"""The answer to a comparison of groups over time, in cards."""

from enum import StrEnum

from dash import html
from dash.development.base_component import Component

from analysis.derive.labels import display_unit
from analysis.derive.signal import find_signal
from analysis.number_words import count, p_words
from analysis.results import Fit
from analysis.specs import ModelSpec
from dashboard.components.card import card
from dashboard.components.graph import graph
from dashboard.components.provenance_strip import figure_downloads, provenance_strip
from dashboard.components.text import sentence_case
from dashboard.model import reading
from dashboard.model.parts import interval_words, peaks_table, sensitivity_table, tests_table
from dashboard.view import View
from figures.effect_curve import draw_effect_curve, prepare_effect_curve
from figures.influence_plot import draw_influence_plot, prepare_influence_plot
from figures.ratio_forest import draw_ratio_forest, prepare_ratio_forest
from figures.residual_plots import draw_residual_plots, prepare_residual_plots

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

RELABELLED = (
    "Relabelled: the share of trials with the patients' groups exchanged that are as extreme. It "
    "assumes no distribution; where it differs much from p, believe neither alone."
)


class Ids(StrEnum):
    """Figures of an answer."""

    EFFECT = "model-effect"
    RATIOS = "model-ratios"
    RESIDUALS = "model-residuals"
    INFLUENCE = "model-influence"


def effect_card(view: View, spec: ModelSpec, fit: Fit) -> Component:
    """Fitted means over time."""
    curves = reading.fitted_curves(fit)
    measured = reading.measured_group_means(view, spec)
    prepared = prepare_effect_curve(curves, measured=measured, log=spec.transform != "none")
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
            "open marks: means as measured" if measured else "",
            downloads=figure_downloads(view, Ids.EFFECT, "curves"),
        ),
    )


def ratio_card(view: View, fit: Fit) -> Component | None:
    """The ratio at each chosen day."""
    if not fit.ratios:
        return None
    first = fit.key_ratio or fit.ratios[0]
    several = len({ratio.group for ratio in fit.ratios}) > 1
    figure = draw_ratio_forest(
        prepare_ratio_forest(reading.ratio_rows(fit), sort=False), view.theme, narrow=view.narrow,
        level=fit.conf_level,
    )  # fmt: skip
    return card(
        f"{'Each group' if several else sentence_case(first.group)} against {first.reference}",
        [
            html.P(
                f"{sentence_case(first.kind)} by {'group and day' if several else 'day'}",
                className="cg-card-lead",
            ),
            graph(figure, Ids.RATIOS, "Ratio between the groups by day"),
        ],
        footer=provenance_strip(
            view,
            INFERENCE_WORDS.get(fit.inference, fit.inference),
            downloads=figure_downloads(view, Ids.RATIOS, "ratios"),
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
    body: list[Component] = [tests_table(tests)]
    if any(test.permutation_p_value is not None for test in tests):
        body.append(html.P(RELABELLED, className="cg-card-note-below"))
    return card("All days at once", body, footer=provenance_strip(view, words))


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


def sensitivity_card(fit: Fit) -> Component | None:
    """The same ratio under other rules for values below the limit."""
    if not fit.sensitivity:
        return None
    return card("Does the rule for low values matter?", sensitivity_table(fit))


def residual_card(view: View, spec: ModelSpec, fit: Fit) -> Component | None:
    """Residual plots."""
    if not fit.residuals:
        return None
    points = ((p.usubjid, p.fitted, p.residual, p.quantile) for p in fit.residuals)
    signal = find_signal(spec.outcome, reading.signals(view))
    figure = draw_residual_plots(
        prepare_residual_plots(points), view.theme, narrow=view.narrow,
        scale=scale_words(spec, display_unit(signal.unit or "") if signal else ""),
    )  # fmt: skip
    return card(
        "Residuals",
        graph(figure, Ids.RESIDUALS, "Residuals against fitted values"),
        footer=provenance_strip(view, downloads=figure_downloads(view, Ids.RESIDUALS, "residuals")),
    )


def scale_words(spec: ModelSpec, unit: str) -> str:
    """The scale of the fit: "log10 copies/µg DNA"."""
    written = {"log10": "log10", "log10_shift": f"log10 of value + {spec.shift:g},"}
    return f"{written.get(spec.transform, '')} {unit}".strip()


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
        footer=provenance_strip(
            view, downloads=figure_downloads(view, Ids.INFLUENCE, "influence")
        ),
    )  # fmt: skip
