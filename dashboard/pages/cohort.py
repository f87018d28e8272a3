"""Cohort trajectories: every patient's curve, the groups' means, and how far they differ."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import polars as pl
from dash import Dash, Input, Output, html
from dash.dependencies import ClientsideFunction
from dash.development.base_component import Component

from analysis.derive.signal import Signal
from dashboard.cohort import numbers, visit_table, words
from dashboard.cohort.brushed import brushed
from dashboard.cohort.finding import sentence
from dashboard.cohort.nothing_drawn import nothing_drawn
from dashboard.cohort.numbers import CohortNumbers
from dashboard.cohort.overlay import NO_MODEL, model_overlay, stored_model
from dashboard.components.card import card
from dashboard.components.empty_state import empty_state, no_patient
from dashboard.components.graph import graph
from dashboard.components.marks import response_mark
from dashboard.components.page_header import page_header
from dashboard.components.plain_table import Column, plain_table
from dashboard.components.provenance_strip import figure_downloads, provenance_strip
from dashboard.components.signal_options import signal_options
from dashboard.components.url_control import url_segmented, url_select
from dashboard.patient.blood import odd_samples
from dashboard.patient.records import records_of
from dashboard.view import Services, View
from figures.cohort_trajectories import draw_cohort_trajectories, prepare_cohort_trajectories
from figures.number_text import EN_DASH, day_text
from figures.ratio_forest import draw_ratio_forest
from figures.small_multiples import draw_small_multiples

PATH = "/cohort"
NAME = "Trajectories"
TITLE = "Cohort trajectories"

COLOR_CHOICES = (
    ("response", "Response"),
    ("cohort", "Cohort"),
    ("dose_level", "Dose level"),
    ("arm", "Arm"),
    ("site", "Site"),
)


class Ids(StrEnum):
    """Elements of this page."""

    CURVES = "cohort-curves"
    BRUSHED = "cohort-brushed"
    FOREST = "cohort-forest"
    PANELS = "cohort-panels"


def layout(view: View) -> Component:
    """The whole page for one address."""
    if view.selected.subjects.is_empty():
        return html.Div(
            [page_header(TITLE), card(None, no_patient(PATH, view.trial.study["studyid"]))]
        )
    catalog = numbers.signals(view)
    if not catalog:
        return html.Div(
            [
                page_header(TITLE),
                empty_state(
                    "Nothing to draw over time",
                    "This data cut holds no imaging, kinetics or laboratory values for the "
                    "selected patients.",
                    html.A("See what was loaded", href=view.href("/data")),
                ),
            ]
        )
    found = numbers.cohort_numbers(view, numbers.chosen_signal(view, catalog), catalog)
    return html.Div(
        [
            page_header(TITLE, sentence(found), actions=[color_control(view)]),
            _unknown_signal(view, found.signal),
            html.Div(
                [signal_control(view, catalog, found.signal), overlay_control(view, found)],
                className="cg-controls",
            ),
            html.Div(
                [curves_card(view, found), forest_card(view, found)], className="cg-grid-side"
            ),
            html.Div(id=Ids.BRUSHED, className="cg-brushed"),
            panels_card(view, found),
            table_card(view, found) if found.n_with_values else None,
        ],
        className="cg-stack",
    )


def register(app: Dash, services: Services) -> None:
    """A click on a point opens its patient; a brush over points lists them."""

    @app.callback(
        Output(Ids.BRUSHED, "children"),
        Input(Ids.CURVES, "selectedData"),
        prevent_initial_call=True,
    )
    def _brush(selected: dict[str, Any] | None) -> Any:
        return brushed(selected)

    app.clientside_callback(
        ClientsideFunction("cartograph", "openPatient"),
        Input(Ids.CURVES, "clickData"),
        prevent_initial_call=True,
    )


def _unknown_signal(view: View, shown: Signal) -> Component | None:
    """A link to a signal that this cut does not hold is not answered by another one in silence."""
    wanted = view.params.get("signal")
    if not wanted or wanted == shown.key:
        return None
    words = f"This data cut holds no signal '{wanted}'; {shown.label} is shown instead."
    return html.P(words, className="cg-small-note", role="status")


def color_control(view: View) -> Component:
    """What the groups are: only the choices that part the patients into groups."""
    subjects = view.trial.subjects
    useful = [
        (value, text)
        for value, text in COLOR_CHOICES
        if value == "response"
        or subjects.get_column("siteid" if value == "site" else value).drop_nulls().n_unique() > 1
    ]
    return url_segmented(view, "color_by", view.selection.color_by, useful, label="Groups")


def signal_control(view: View, catalog: tuple[Signal, ...], signal: Signal) -> Component:
    """Which signal is drawn."""
    return url_select(
        "signal", signal.key, signal_options(catalog), label="Signal", width=360, searchable=True
    )


def overlay_control(view: View, found: CohortNumbers) -> Component | None:
    """Whether the fitted means of a stored model lie over the curves; only where there is one of
    this selection, and a word when the address asks for one that is not there."""
    if not stored_model(view, found.signal):
        asked = view.params.get("overlay") == "model"
        return html.P(NO_MODEL, className="cg-small-note", role="status") if asked else None
    choices = (("none", "Observed"), ("model", "Observed and model"))
    return url_segmented(
        view, "overlay", view.params.get("overlay", "none"), choices, label="Model overlay"
    )


def curves_card(view: View, found: CohortNumbers) -> Component:
    """The main figure."""
    if not found.n_with_values:
        return card(found.signal.label, nothing_drawn(view, found), footer=provenance_strip(view))
    prepared = prepare_cohort_trajectories(
        found.series,
        found.summary,
        found.groups,
        found.signal.axis_title,
        log=view.selection.scale == "log",
        highlighted=view.params.get("patient"),
    )
    prepared = prepared._replace(overlay=model_overlay(view, found.signal))
    odd = odd_samples(records_of(view.trial), found.signal)
    caution = words.course_note(found.signal)
    figure = draw_cohort_trajectories(prepared, view.theme, narrow=view.narrow)
    return card(
        words.curves_title(found),
        [
            graph(
                figure, Ids.CURVES, f"{found.signal.axis_title} over days from infusion by group"
            ),
            html.P(caution, className="cg-card-note-below") if caution else None,
        ],
        note=found.signal.axis_title,
        footer=provenance_strip(
            view,
            f"n = {found.n_with_values} of {found.n_selected}",
            "Bold: geometric mean from 3 patients, band 95 % CI from 5; open: below limit",
            *([odd] if odd else []),
            *(
                ["dashed: fitted mean of the stored model of these patients"]
                if prepared.overlay
                else []
            ),
            "drag over points to list them, click one to open the patient",
            downloads=figure_downloads(view, Ids.CURVES, "curves"),
        ),
    )


def forest_card(view: View, found: CohortNumbers) -> Component:
    """Ratios of peaks, responders to non-responders."""
    if not found.forest.rows:
        return card(
            "Responders against non-responders",
            empty_state(
                "No comparison",
                "A ratio needs at least three responders and three non-responders.",
            ),
        )
    figure = draw_ratio_forest(words.marked(found.forest), view.theme, narrow=view.narrow)
    return card(
        words.forest_title(found),
        [
            html.P(
                words.forest_lead(found),
                className="cg-card-lead",
            ),
            graph(figure, Ids.FOREST, "Ratio of peaks, responders to non-responders"),
            html.P(
                words.forest_note(found),
                className="cg-card-note-below",
            ),
        ],
        footer=provenance_strip(
            view, "Welch t on log", downloads=figure_downloads(view, Ids.FOREST, "forest")
        ),
    )


def panels_card(view: View, found: CohortNumbers) -> Component | None:
    """Small multiples of the related signals."""
    if len(found.panels.panels) < 2:
        return None
    figure = draw_small_multiples(found.panels, view.theme, columns=2 if view.narrow else 6)
    return card(
        words.panels_title(found),
        graph(figure, Ids.PANELS, "Related signals over days from infusion by group"),
        note=words.panels_note(found),
        footer=provenance_strip(
            view,
            f"n = {found.n_with_values} of {found.n_selected}",
            downloads=figure_downloads(view, Ids.PANELS),
        ),
    )


def table_card(view: View, found: CohortNumbers) -> Component:
    """The numbers of the main figure by visit."""
    days = visit_table.table_days(found)
    columns = [
        Column("Group"),
        Column("Patients", align="right"),
        Column("Peak to day 28", align="right"),
        Column("Day of peak", "median (range)", align="right"),
        *(Column(f"Day {day_text(day)}", align="right") for day in days),
    ]
    peaks = visit_table.peak_cells(found)
    rows = [
        table_row(found, group, days, peaks.get(group, (EN_DASH, EN_DASH)))
        for group in found.groups
    ]
    unit = f", {found.signal.shown_unit}" if found.signal.shown_unit else ""
    return card(
        f"{found.signal.label} by visit",
        plain_table(
            columns,
            rows,
            caption=f"{found.signal.axis_title} by group and visit",
            narrow=True,
        ),
        note=f"Geometric mean (95 % CI){unit}; under 3 patients the values themselves",
        footer=provenance_strip(
            view,
            words.blq_note(found),
            downloads=figure_downloads(view, Ids.CURVES, "table")[-1:],
        ),
    )


def table_row(
    found: CohortNumbers, group: str, days: list[float], peak: tuple[str, str]
) -> list[Any]:
    """One group's cells."""
    cells = {
        row["nominal_day"]: visit_table.mean_cell(row)
        for row in found.summary.filter(pl.col("group") == group).to_dicts()
    }
    mark = response_mark(group) if group in ("CR", "PR", "SD", "PD", "NE") else group
    return [
        mark,
        str(visit_table.patients_in(found, group)),
        *peak,
        *(cells.get(day, EN_DASH) for day in days),
    ]


DOWNLOADS: Mapping[str, Callable[[View], pl.DataFrame]] = {
    "curves": numbers.curves_frame,
    "forest": numbers.forest_frame,
    "table": numbers.table_frame,
}
