"""One patient: what happened, on one axis of days from infusion."""

from enum import StrEnum
from typing import Any
from urllib.parse import unquote

import polars as pl
from dash import Dash, Input, Output, State, ctx, dcc, html
from dash.dependencies import ClientsideFunction
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.address import read_request
from dashboard.components.empty_state import empty_state
from dashboard.components.page_header import page_header
from dashboard.components.provenance_strip import Download, provenance_strip
from dashboard.patient.body_card import body_card
from dashboard.patient.flags_card import flags_card
from dashboard.patient.header import patient_header, tiles
from dashboard.patient.kinetics_card import kinetics_card
from dashboard.patient.kinetics_table import kinetics_groups
from dashboard.patient.lesion_card import lesion_card
from dashboard.patient.lesion_table import lesion_table
from dashboard.patient.page_data import (
    PageData,
    measured_lesions,
    page_data,
    patient_flags,
)
from dashboard.patient.tracks_card import drawn_points, tracks_card
from dashboard.patient.words import tracks_title
from dashboard.selecting import build_view
from dashboard.shell import ShellIds
from dashboard.view import Services, View
from figures.body_map import prepare_body_map
from figures.patient_tracks import draw_patient_sheet
from figures.tracks.patient_frames import Row
from figures.tracks.tracer_text import tracer_rank, tracer_short

PATH = "/patients/<usubjid>"
NAME = "Patient"


class Ids(StrEnum):
    """Ids of this page."""

    SHEET_PNG = "patient-sheet-png"
    SHEET_SVG = "patient-sheet-svg"
    SHEET = "patient-sheet"


def layout(view: View) -> Component:
    """The page of `view.path_rest`; an empty state for a patient who is not in this cut."""
    data = page_data(view, view.path_rest)
    if data is None:
        return _unknown(view)
    return html.Div(
        [
            patient_header(view, data),
            tiles(data.facts),
            _columns(_main(view, data), _side(view, data)),
            dcc.Store(id=Ids.SHEET),
        ],
        className="cg-patient",
    )


def _columns(main: Component, side: Component | None) -> Component:
    """Tracks and lesions beside the cards; the whole width where there is no card."""
    if side is None:
        return html.Div(main, className="cg-patient-grid cg-patient-grid-one")
    return html.Div([main, side], className="cg-patient-grid")


def _unknown(view: View) -> Component:
    return html.Div(
        [
            page_header("Patient not found", breadcrumbs=(("Patients", view.href("/patients")),)),
            empty_state(
                f"No patient {view.path_rest} in this data cut",
                "The code may belong to another study or to a later cut.",
                html.A("All patients", href=view.href("/patients"), className="cg-button"),
            ),
        ]
    )


def _main(view: View, data: PageData) -> Component:
    if not data.numbers.tracks:
        infused = data.subject.get("infused") is not False
        why = "This data cut holds the patient's baseline data only."
        title = "Nothing was measured in this patient yet" if infused else "Never infused"
        return html.Div(empty_state(title, why))
    table = lesion_table(
        data.patient, _regions(data), measured_lesions(data), view.selection.metric
    )
    tracks = tracks_card(
        data.numbers,
        tracks_title(data.facts),
        view.theme,
        lambda day: view.href(day=day),
        _strip(view, data, "tracks", sheet=True),
        narrow=view.narrow,
    )
    flags = _flags(view, data) if _flags_left(data) else None
    return html.Div([tracks, lesion_card(table, view.theme, _strip(view, data, "lesions")), flags])


def _flags(view: View, data: PageData) -> Component | None:
    return flags_card(patient_flags(data, view), lambda flag: _source_link(view, flag))


def _flags_left(data: PageData) -> bool:
    """Whether the flags stand under the lesions, so that the columns end at about one height."""
    left = 170 + sum(track.height for track in data.numbers.tracks)
    left += 40 * len(_lesion_codes(data))
    blood = len(data.patient.of_domain("kinetics"))
    imaged = bool(data.patient.of_domain("uptake"))
    right = 230 * blood + (760 if imaged else 0)
    return left <= right


def _lesion_codes(data: PageData) -> set[str]:
    return {str(row["region_code"]) for row in _regions(data) if row.get("kind") == "lesion"}


def _side(view: View, data: PageData) -> Component | None:
    body = prepare_body_map(data.patient, data.choices, data.numbers.day, _regions(data))
    found = {one.signal.tracer_id or "" for one in data.patient.of_domain("uptake")}
    tracers = sorted(found, key=tracer_rank)
    cohort = list(data.order)
    groups = kinetics_groups(data.records, data.patient, cohort, view.selection.metric)
    cards = [
        body_card(
            body,
            view.theme,
            tuple((tracer_id, tracer_short(tracer_id)) for tracer_id in tracers),
            lambda tracer_id: view.href(map=tracer_id),
        ),
        kinetics_card(groups, len({*cohort, data.patient.usubjid}), view.theme),
        None if _flags_left(data) else _flags(view, data),
    ]
    shown = [one for one in cards if one is not None]
    return html.Div(shown, className="cg-patient-side") if shown else None


def _source_link(view: View, flag: Row) -> str:
    return view.href("/data", file=flag.get("source_file"), row=flag.get("source_row"))


def _regions(data: PageData) -> list[Row]:
    return data.records.patient("regions", data.patient.usubjid).to_dicts()


def _strip(view: View, data: PageData, name: str, *, sheet: bool = False) -> Component:
    method = "BLQ at its limit, never zero" if name == "tracks" else "geometric means of lesions"
    table = Download("CSV", href=view.download_href(name))
    if not sheet:
        return provenance_strip(view, data.patient.usubjid, method, downloads=(table,))
    buttons = [
        html.Button("PNG", id=Ids.SHEET_PNG, className="cg-download", type="button"),
        html.Button("SVG", id=Ids.SHEET_SVG, className="cg-download", type="button"),
        html.A("CSV", href=table.href, download="", className="cg-download"),
    ]
    strip = provenance_strip(view, data.patient.usubjid, method)
    return html.Div(
        [strip, html.Div(buttons, className="cg-downloads")], className="cg-sheet-strip"
    )


def _tracks_table(view: View) -> pl.DataFrame:
    data = page_data(view, view.path_rest)
    return pl.DataFrame() if data is None else drawn_points(data.numbers)


def _lesions_table(view: View) -> pl.DataFrame:
    data = page_data(view, view.path_rest)
    if data is None:
        return pl.DataFrame()
    table = lesion_table(
        data.patient, _regions(data), measured_lesions(data), view.selection.metric
    )
    rows = table.rows if table else ()
    return pl.DataFrame(
        [{name: value for name, value in row._asdict().items() if name != "spark"} for row in rows]
    )


DOWNLOADS = {"tracks": _tracks_table, "lesions": _lesions_table}


def register(app: Dash, services: Services) -> None:
    """The one-figure sheet of a patient, drawn when it is asked for."""

    @app.callback(
        Output(Ids.SHEET, "data"),
        Input(Ids.SHEET_PNG, "n_clicks"),
        Input(Ids.SHEET_SVG, "n_clicks"),
        State(ShellIds.REQUEST, "data"),
        prevent_initial_call=True,
    )
    def _sheet(png: int | None, svg: int | None, request: Any) -> dict[str, Any]:
        if not (png or svg):
            raise PreventUpdate
        return sheet(request, "png" if ctx.triggered_id == Ids.SHEET_PNG else "svg", services)

    app.clientside_callback(
        ClientsideFunction("cartographPatient", "saveSheet"), Input(Ids.SHEET, "data")
    )


def sheet(request: Any, file_format: str, services: Services) -> dict[str, Any]:
    """Figure, format and file name of the sheet of the patient in the address."""
    asked = read_request(request)
    usubjid = asked.path.rstrip("/").rsplit("/", 1)[-1]
    view = build_view(asked, unquote(usubjid), services)
    data = page_data(view, view.path_rest)
    if data is None:
        raise PreventUpdate
    figure = draw_patient_sheet(data.numbers, view.theme)
    return {
        "figure": figure.to_plotly_json(),
        "format": file_format,
        "name": f"{view.trial.study['studyid']}_{data.patient.usubjid}",
    }
