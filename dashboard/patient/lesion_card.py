"""The card of the lesions: a table on a wide screen, a list on a phone."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.components.plain_table import Column, plain_table
from dashboard.patient.lesion_table import LesionRow, LesionTable, lesion_title
from figures.number_text import EN_DASH
from figures.sparkline import HEIGHT, WIDTH, draw_sparkline
from figures.svg_text import data_uri
from figures.theme import Theme


def lesion_card(table: LesionTable | None, theme: Theme, footer: Component) -> Component | None:
    """None for a patient without lesions."""
    if table is None:
        return None
    columns = _columns(table)
    rows = [[_cell(name, row, table, theme) for name, _ in columns] for row in table.rows]
    wide = plain_table([column for _, column in columns], rows, caption="Lesions of this patient")
    narrow = html.Ul([_item(row, table, theme) for row in table.rows], className="cg-lesion-list")
    n = len(table.rows)
    note = f"{n} lesion{'s' if n > 1 else ''}"
    if "spark" in table.has:
        note += "; sparklines share one log scale"
    body = [html.Div(wide, className="cg-wide-only"), html.Div(narrow, className="cg-phone-block")]
    return card(lesion_title(table), body, note=note, footer=footer)


def _columns(table: LesionTable) -> list[tuple[str, Column]]:
    every = [
        ("code", Column("Lesion")),
        ("site", Column("Site")),
        ("size", Column("Diameter, mm", "baseline, last", "right")),
        ("change", Column("Change", "%", "right")),
        ("spark", Column("Uptake", "by day", "left")),
        ("peak", Column("Highest", table.uptake, "right")),
        ("fold", Column("Fold of", "baseline", "right")),
        ("to_liver", Column("Lesion to", "liver", "right")),
        ("volume", Column("MTV, mL", "baseline, last", "right")),
    ]
    return [one for one in every if one[0] in ("code", "site") or one[0] in table.has]


def _cell(name: str, row: LesionRow, table: LesionTable, theme: Theme) -> Any:
    if name == "spark":
        return _spark(row, table, theme)
    if name == "peak":
        value, _, day = row.peak.partition(" ")
        return html.Span([html.Strong(value), f" {day}" if day else ""])
    return getattr(row, name)


def _spark(row: LesionRow, table: LesionTable, theme: Theme) -> Any:
    if row.spark is None:
        return EN_DASH
    return html.Img(
        src=data_uri(draw_sparkline(row.spark, theme, table.color)),
        width=WIDTH,
        height=HEIGHT,
        alt=f"Uptake of {row.code} by day",
        className="cg-spark",
    )


def _item(row: LesionRow, table: LesionTable, theme: Theme) -> Component:
    change = f" ({row.change} %)" if row.change != EN_DASH else ""
    size = f"{row.size} mm{change}" if row.size != EN_DASH else ""
    fold = f", {row.fold} ×" if row.fold != EN_DASH else ""
    peak = f"{row.peak}{fold}" if row.peak != EN_DASH else ""
    return html.Li(
        [
            html.Div([html.Strong(row.code), f" {row.site}"]),
            _spark(row, table, theme) if row.spark is not None else html.Span(),
            html.Div(size, className="cg-muted"),
            html.Div(peak, className="cg-right"),
        ]
    )
