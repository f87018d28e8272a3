"""The card of kinetics against the cohort."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.patient.kinetics_table import Group, Parameter
from figures.cohort_strip import HEIGHT, WIDTH, draw_cohort_strip
from figures.number_text import significant
from figures.svg_text import data_uri
from figures.theme import Theme
from figures.tracks.pen import color_of


def kinetics_card(groups: Sequence[Group], n: int, theme: Theme) -> Component | None:
    """Parameter, value, strip and percentile, a block per signal; None without a signal."""
    if not groups:
        return None
    head = html.Thead(
        html.Tr(
            [
                html.Th("Parameter", scope="col", className="cg-left"),
                html.Th("Value", scope="col", className="cg-right"),
                html.Th(f"Cohort, n = {n}", scope="col", className="cg-center"),
                html.Th(
                    html.Abbr("Pct", title="Percentile in the cohort"),
                    scope="col",
                    className="cg-right",
                ),
            ]
        )
    )
    bodies = [_body(group, theme) for group in groups]
    table = html.Table([head, *bodies], className="cg-table cg-kinetics")
    note = html.P("Ticks patients, box quartiles, bar median, dot this patient",
                  className="cg-small-note")  # fmt: skip
    return card("Kinetics against the cohort", [table, note])


def _body(group: Group, theme: Theme) -> Component:
    dot = html.Span(
        className="cg-signal-dot", style={"background": color_of(group.color, theme)},
        **{"aria-hidden": "true"},
    )  # fmt: skip
    title = html.Tr(
        html.Th([dot, group.title], colSpan=4, scope="rowgroup", className="cg-left"),
        className="cg-kinetics-group",
    )
    return html.Tbody([title, *(_row(row, group, theme) for row in group.rows)])


def _row(row: Parameter, group: Group, theme: Theme) -> Component:
    strip = row.strip
    picture = None
    if strip is not None:
        words = f"n = {strip.n}, median {significant(strip.median_value)} {row.unit}".strip()
        picture = html.Img(
            src=data_uri(draw_cohort_strip(strip, theme, group.color)),
            width=WIDTH,
            height=HEIGHT,
            alt=words,
            title=words,
        )
    share = None if strip is None else strip.percentile
    return html.Tr(
        [
            html.Th(
                [row.name, html.Span(row.unit, className="cg-unit") if row.unit else None],
                scope="row",
                className="cg-left",
            ),
            html.Td(row.text, className="cg-right cg-strong", title=row.reason or None),
            html.Td(picture, className="cg-center"),
            html.Td("\N{EN DASH}" if share is None else str(share), className="cg-right"),
        ]
    )
