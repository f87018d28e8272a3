"""The trial at one glance: who was treated, who responded, what is complete, what is new."""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any

import polars as pl
from dash import Dash, html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.components.empty_state import command, empty_state, no_patient
from dashboard.components.graph import graph
from dashboard.components.page_header import page_header
from dashboard.components.provenance_strip import figure_downloads, provenance_strip
from dashboard.components.stat_tile import stat_strip
from dashboard.components.text import join_facts
from dashboard.contact import SEEN, timed
from dashboard.overview_tiles import SET_WORDS, overview_sentence, overview_tiles, uncounted
from dashboard.quality_list import quality_list
from dashboard.recent_changes import changed_kinds, recent_changes
from dashboard.trial_numbers import TrialNumbers, trial_numbers
from dashboard.view import Services, View
from figures.accrual import draw_accrual, prepare_accrual
from figures.follow_up import draw_follow_up, prepare_follow_up
from figures.scan_completeness import draw_scan_completeness

PATH = "/"
NAME = "Overview"


_LONG_LIST = 7
"""From this many kinds of records on, the list of changes is longer than the accrual."""


class Ids(StrEnum):
    ACCRUAL = "overview-accrual"
    FOLLOW_UP = "overview-follow-up"
    COMPLETENESS = "overview-completeness"


def layout(view: View) -> Component:
    """Header, tiles, accrual beside what changed, completeness over the whole width."""
    if view.selected.subjects.is_empty():
        return html.Div(
            [_header(view, None), card(None, no_patient(PATH, view.trial.study["studyid"]))]
        )
    numbers = trial_numbers(view)
    return html.Div(
        [
            _header(view, overview_sentence(numbers, view.applied)),
            stat_strip(overview_tiles(view, numbers)),
            html.Div(
                [
                    _upper_cards(view),
                    _completeness_card(view, numbers),
                ],
                className="cg-stack",
            ),
        ]
    )


def _upper_cards(view: View) -> Component:
    """Time on the left, changes on the right; what to look at goes under the shorter of them."""
    time, changes, quality = _time_card(view), recent_changes(view), quality_list(view)
    dated = view.selected.infusions["dtm_utc"].drop_nulls().len() > 1
    left, right = [time], [changes]
    (left if dated and changed_kinds(view) > _LONG_LIST else right).append(quality)
    return html.Div(
        [html.Div(left, className="cg-stack"), html.Div(right, className="cg-stack")],
        className="cg-grid-side",
    )


def register(app: Dash, services: Services) -> None:
    """No callbacks of its own: the address holds the state."""


def completeness_table(view: View) -> pl.DataFrame:
    """One row per patient and planned visit: its state, day and reason."""
    found = trial_numbers(view).completeness
    if found is None:
        return pl.DataFrame({"usubjid": []})
    rows = [
        {
            "usubjid": patient,
            "best_response": found.responses[column],
            "series": found.series_names.get(series, series),
            "nominal_day": day,
            "state": found.states[row][column],
            "rel_day": found.days[row][column],
            "reason": found.reasons[row][column],
        }
        for row, (series, day) in enumerate(found.visits)
        for column, patient in enumerate(found.patients)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def accrual_table(view: View) -> pl.DataFrame:
    """One row per infused patient: date of the first infusion and cohort."""
    infused = view.selected.infusions.filter(pl.col("infusion_no") == 1)
    return infused.join(
        view.selected.subjects.select("usubjid", "cohort"), on="usubjid", how="left"
    ).select("usubjid", "cohort", "dtm_utc", "dtm_text")


DOWNLOADS = {"completeness": completeness_table, "accrual": accrual_table}


def _header(view: View, sentence: Any) -> Component:
    study = view.trial.study
    products = view.trial.infusions["product"].drop_nulls().unique().sort().to_list()
    facts = [study["title"], _phase(study), study["disease"], ", ".join(products)]
    return page_header(study["studyid"], sentence, subtitle=join_facts(facts))


def _phase(study: Mapping[str, Any]) -> str | None:
    return f"Phase {study['phase']}" if study["phase"] else None


def _time_card(view: View) -> Component:
    """Accrual by calendar date; where the delivery holds no dates, last contact by patient."""
    dated = view.selected.infusions.drop_nulls("dtm_utc")
    if dated.height > 1:
        numbers = prepare_accrual(dated, view.selected.subjects)
        first, last = numbers.dates[0], numbers.dates[-1]
        n = numbers.total[-1]
        chosen = SET_WORDS.get(view.applied.analysis_set)
        only = f", {chosen} only" if chosen else ""
        return card(
            f"{n} patients infused between {first:%B %Y} and {last:%B %Y}{only}",
            graph(
                draw_accrual(numbers, view.theme),
                Ids.ACCRUAL,
                f"Cumulative number of infused patients by date, {n} in all",
            ),
            footer=provenance_strip(
                view,
                "first infusion of each patient",
                downloads=figure_downloads(view, Ids.ACCRUAL, "accrual"),
            ),
        )
    return _follow_up_card(view)


def _follow_up_card(view: View) -> Component:
    numbers = prepare_follow_up(
        view.selected.survival,
        view.selected.responses,
        timed(partial(getattr, view.selected), SEEN),
    )
    if numbers is None:
        return card("Last contact of each patient", _no_days(view))
    n = len(numbers.patients)
    return card(
        "Last contact of each patient",
        graph(
            draw_follow_up(numbers, view.theme, _patient_links(view, numbers.patients)),
            Ids.FOLLOW_UP,
            f"Days from infusion to the last contact of {n} patients, by best response",
        ),
        note="No dates of infusion were delivered; by best response, then length",
        footer=provenance_strip(view, f"n = {n}", downloads=figure_downloads(view, Ids.FOLLOW_UP)),
    )


def _no_days(view: View) -> Component:
    return empty_state(
        "No time axis yet",
        "Neither infusion dates nor days from infusion were delivered.",
        command(f"cartograph load infusions.csv --study {view.trial.study['studyid']}"),
    )


def _completeness_card(view: View, numbers: TrialNumbers) -> Component | None:
    found = numbers.completeness
    if found is None:
        return None
    done, due = found.share
    what = numbers.examinations
    state = "are evaluable" if what == "scans" else "were taken"
    return card(
        f"{done} of {due} planned {what} {state}" if due
        else f"Planned {what}: no visit can be missed",
        graph(
            draw_scan_completeness(
                found,
                view.theme,
                _patient_links(view, found.patients),
                width_px=250 if view.narrow else 1100,
            ),
            Ids.COMPLETENESS,
            f"Which planned {what} each patient had: {done} of {due} that were due",
        ),
        note=_legend(what),
        footer=provenance_strip(
            view,
            f"n = {len(found.patients)}",
            "sorted by best response, then number done",
            "planned: a fifth of the patients have it; counted for those who ever had the series",
            uncounted(found),
            downloads=figure_downloads(view, Ids.COMPLETENESS, "completeness"),
        ),
    )  # fmt: skip


def _legend(what: str) -> Component:
    words = [("square", "evaluable" if what == "scans" else "taken")]
    if what == "scans":
        words.append(("cross", "not evaluable"))
    words += [("ring", "missing"), ("blank", "blank: not due, or never used")]
    return html.Div(
        [
            html.Span(
                [html.Span(className=f"cg-key cg-key-{key}", **{"aria-hidden": "true"}), text]
                if key != "blank"
                else text
            )
            for key, text in words
        ],
        className="cg-key-row",
    )


def _patient_links(view: View, patients: tuple[str, ...]) -> dict[str, str]:
    return {usubjid: view.href(f"/patients/{usubjid}") for usubjid in patients}
