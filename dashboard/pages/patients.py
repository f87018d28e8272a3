"""The roster: who is in the trial, what was seen in each, on scales that all rows share."""

from enum import StrEnum

import polars as pl
from dash import Dash, dcc, html
from dash.development.base_component import Component

from analysis.derive.flags import quantification_flags
from dashboard.components.card import card
from dashboard.components.empty_state import no_patient
from dashboard.components.page_header import page_header
from dashboard.components.provenance_strip import Download, provenance_strip
from dashboard.components.text import lower_first
from dashboard.patient.records import CutRecords, records_of
from dashboard.patient.roster import SORTS, Roster, roster, roster_sentence
from dashboard.patient.roster_table import roster_table
from dashboard.view import Services, View

PATH = "/patients"
NAME = "Patients"


class Ids(StrEnum):
    """Ids of this page."""

    SEARCH = "patients-search"


def layout(view: View) -> Component:
    """All selected patients; an empty state when the filters leave none."""
    found, order = _roster(view)
    header = page_header(NAME, roster_sentence(found, view.trial.subjects.height))
    if not found.rows:
        return html.Div([header, no_patient(PATH, view.trial.study["studyid"])])
    footer = provenance_strip(
        view,
        f"n = {len(found.rows)} of {view.trial.subjects.height}",
        "lines share one scale per column, days −14 to 90"
        + ", burden cut at +100 %" * (found.burden is not None),
        *([f"blood: {found.odd}"] if found.odd else []),
        downloads=(Download("CSV", href=view.download_href("roster")),),
    )
    title = f"Ordered by {lower_first(SORTS[order][0])}"
    note = "Dot: highest value. Open: below the limit. Hairline: infusion."
    body = [_search(), roster_table(view, found, order)]
    return html.Div([header, card(title, body, note=note, footer=footer)])


def _search() -> Component:
    return html.Div(
        [
            html.Label("Find a patient", htmlFor=Ids.SEARCH, className="cg-visually-hidden"),
            dcc.Input(
                id=Ids.SEARCH,
                type="search",
                placeholder="Find a patient, cohort or response",
                className="cg-search",
            ),
        ],
        className="cg-search-row",
    )


def _roster(view: View) -> tuple[Roster, str]:
    records = records_of(view.trial)
    order = view.params.get("sort", "patient")
    order = order if order in SORTS else "patient"
    selection = view.selection
    found = roster(
        records,
        view.selected.subjects.to_dicts(),
        _flags(view, records),
        selection.criterion,
        selection.reader,
        order,
    )
    return found, order


def _flags(view: View, records: CutRecords) -> pl.DataFrame:
    trial = view.trial
    flags: pl.DataFrame = records.kept(
        "flags",
        lambda: quantification_flags(
            trial.scans,
            trial.quantifications,
            trial.lesions,
            trial.labs,
            trial.interventions,
            tracer_administrations=trial.tracer_administrations,
            infusions=trial.infusions,
            kinetics=trial.kinetics,
        ),
    )
    return flags


def _roster_table(view: View) -> pl.DataFrame:
    found, _ = _roster(view)
    return pl.DataFrame(
        [
            {
                "usubjid": row.usubjid,
                "group": row.group,
                "best_response": row.response,
                "best_response_day": row.response_day,
                "blood_peak": row.blood.sort,
                "uptake_highest": row.uptake.sort,
                "burden_change_percent": row.burden.sort,
                "max_crs": row.crs,
                "max_icans": row.icans,
                "n_flags": row.flags,
                "last_contact_day": row.follow_up_day,
                "last_sample_or_scan_day": row.last_measured_day,
            }
            for row in found.rows
        ],
        infer_schema_length=None,
    )


DOWNLOADS = {"roster": _roster_table}


def register(app: Dash, services: Services) -> None:
    """No callbacks of its own: the address holds the order, the browser does the search."""
