"""The roster as a table; on a phone each row becomes a card (the same markup, other CSS)."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.icon import icon
from dashboard.components.marks import grade_badge, response_mark
from dashboard.patient.page_data import patient_path
from dashboard.patient.roster import SORTS, Roster, RosterRow
from dashboard.patient.roster_sparks import Column, Spark
from dashboard.view import View
from figures.number_text import EN_DASH, day_text
from figures.sparkline import HEIGHT, WIDTH, draw_sparkline
from figures.svg_text import data_uri
from figures.tracks.toxicity import NONE_RECORDED


def roster_table(view: View, found: Roster, order: str) -> Component:
    """One row per patient; the patient's code links to the page, a head to another order."""
    heads = _heads(found)
    head = html.Thead(
        html.Tr([_head(view, key, text, unit, side, order) for key, text, unit, side in heads])
    )
    keys = [key for key, *_ in heads]
    body = html.Tbody([_row(view, row, found, keys) for row in found.rows])
    return html.Div(
        [
            html.Table(
                [
                    html.Caption("Patients", className="cg-visually-hidden"),
                    head,
                    body,
                ],
                className="cg-table cg-roster",
            ),
            html.P("No patient matches the search.", className="cg-roster-none cg-muted"),
        ],
        className="cg-roster-frame",
    )


def _heads(found: Roster) -> list[tuple[str, str, str | None, str]]:
    heads: list[tuple[str, str, str | None, str]] = [
        ("patient", "Patient", None, "left"),
        *([("group", "Cohort", None, "left")] if any(r.group for r in found.rows) else []),
        ("response", "Best response", None, "left"),
    ]
    columns: tuple[tuple[str, Column | None], ...] = (
        ("blood", found.blood), ("uptake", found.uptake), ("burden", found.burden),
    )  # fmt: skip
    heads += [(key, one.name, one.unit, "left") for key, one in columns if one is not None]
    graded = (("crs", "CRS"), ("icans", "ICANS"))
    heads += [(key, f"Max {one}", None, "center") for key, one in graded if one in found.toxicity]
    if found.has_flags:
        heads.append(("flags", "Flags", None, "right"))
    return [*heads, ("follow_up", "Last contact", "day", "right")]


def _head(view: View, key: str, text: str, unit: str | None, side: str, order: str) -> Component:
    unit_part = html.Span(unit, className="cg-unit") if unit else None
    if key not in SORTS:
        return html.Th([text, unit_part], scope="col", className=f"cg-{side}")
    here = key == order
    link = html.A(
        [text, icon("down", 12) if here else None],
        href=view.href(sort=None if key == "patient" else key),
        className="cg-sort cg-sort-here" if here else "cg-sort",
        title=f"Order by {SORTS[key][0].lower()}",
        **{"data-focus": f"sort-{key}"},
    )
    mark = {"aria-sort": "other"} if here else {}
    return html.Th([link, unit_part], scope="col", className=f"cg-{side}", **mark)


def _row(view: View, row: RosterRow, found: Roster, keys: list[str]) -> Component:
    cells = {
        "group": html.Td(row.group or EN_DASH, className="cg-left cg-roster-group"),
        "response": html.Td(_response(row), className="cg-left"),
        "blood": _spark(view, row.blood, found.blood, row.code, row.odd),
        "uptake": _spark(view, row.uptake, found.uptake, row.code),
        "burden": _spark(view, row.burden, found.burden, row.code),
        "crs": html.Td(_grade("CRS", row.has_crs, row.crs), className="cg-center"),
        "icans": html.Td(_grade("ICANS", row.has_icans, row.icans), className="cg-center"),
        "flags": html.Td(str(row.flags) if row.flags else EN_DASH, className="cg-right"),
        "follow_up": html.Td(
            EN_DASH if row.follow_up_day is None else day_text(row.follow_up_day),
            className="cg-right",
        ),
    }
    name = html.A(row.code, href=view.href(patient_path(row.usubjid)), className="cg-roster-link")
    first = html.Th(
        [name, html.Span(row.who, className="cg-roster-who") if row.who else None],
        scope="row",
        className="cg-left",
    )
    named = {"blood": found.blood, "uptake": found.uptake, "burden": found.burden}
    labels = {key: column.name for key, column in named.items() if column is not None}
    labels |= {"crs": "CRS", "icans": "ICANS", "flags": "Flags", "follow_up": "Last contact, day"}
    rest = []
    for key in keys[1:]:
        cell = cells[key]
        setattr(cell, "data-label", labels.get(key, ""))
        cell.className = f"{cell.className} cg-roster-{key}"
        rest.append(cell)
    text = f"{row.code} {row.usubjid} {row.group} {row.response or ''} {row.who}".lower()
    return html.Tr([first, *rest], **{"data-roster-text": text})


def _response(row: RosterRow) -> list[Any]:
    day = f" day {day_text(row.response_day)}" if row.response_day is not None else ""
    return [response_mark(row.response), html.Span(day, className="cg-roster-day") if day else None]


def _grade(category: str, recorded: bool, grade: int | None) -> Any:
    """The highest grade; a dash where the trial recorded the category, but not in this patient."""
    if recorded:
        return grade_badge(category, grade)
    none = html.Span(f"{category} {NONE_RECORDED}", className="cg-visually-hidden")
    return html.Span([html.Span(EN_DASH, **{"aria-hidden": "true"}), none],
                     className="cg-muted", title=f"{category}: {NONE_RECORDED}")  # fmt: skip


def _spark(view: View, spark: Spark, column: Column | None, code: str, odd: str = "") -> Component:
    """A line and its number; `odd` says what of the patient the column does not hold."""
    said = html.Span(odd, className="cg-roster-odd cg-muted") if odd else None
    if spark.line is None or column is None:
        return html.Td([EN_DASH, said], className="cg-left cg-muted")
    picture = html.Img(
        src=data_uri(draw_sparkline(spark.line, view.theme, column.color)),
        width=WIDTH,
        height=HEIGHT,
        alt=f"{column.name} of {code} by day",
    )
    value = html.Span(spark.text, className="cg-roster-value")
    body = html.Div([picture, value], className="cg-roster-spark")
    return html.Td([body, said], className="cg-left")
