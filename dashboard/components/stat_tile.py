"""One number of a strip of numbers; drills to where it comes from."""

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component


def stat_tile(
    label: str,
    value: Any,
    detail: Any = None,
    href: str | None = None,
    note: Any = None,
) -> Component:
    """`label` above, `value` bold with its `detail` (unit, day, interval) beside, `note` on a
    third quiet line. With `href` the whole tile is one link."""
    parts = [
        html.Div(label, className="cg-tile-label"),
        html.Div(
            [
                html.Span(value, className="cg-tile-value"),
                html.Span(detail, className="cg-tile-detail") if detail else None,
            ],
            className="cg-tile-line",
        ),
        html.Div(note, className="cg-tile-note") if note else None,
    ]
    if href is None:
        return html.Div(parts, className="cg-tile")
    return html.A(parts, href=href, className="cg-tile cg-tile-link")


def stat_strip(tiles: Sequence[Component]) -> Component:
    """A row of tiles between two hairlines, as under a patient's name."""
    return html.Div(list(tiles), className="cg-tiles")
