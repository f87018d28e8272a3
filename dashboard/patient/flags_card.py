"""The card of quantification flags: what a reader must know before trusting a number."""

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.components.icon import icon
from figures.tracks.patient_frames import Row, source_text

_ICONS = {"error": "cross", "warning": "warning", "info": "info"}
_ORDER = {"error": 0, "warning": 1, "info": 2}
MOST = 8


def flags_card(flags: Sequence[Row], source_href: Any) -> Component | None:
    """Errors first; None when there is nothing to say. `source_href(flag)` links to the row."""
    if not flags:
        return None
    ordered = sorted(flags, key=lambda flag: _ORDER.get(str(flag.get("severity")), 3))
    shown = [_flag(flag, source_href(flag)) for flag in ordered[:MOST]]
    hidden = [_flag(flag, source_href(flag)) for flag in ordered[MOST:]]
    body: list[Component] = [html.Ul(shown, className="cg-flags")]
    if hidden:
        body.append(
            html.Details(
                [html.Summary(f"{len(hidden)} more"), html.Ul(hidden, className="cg-flags")],
                className="cg-more",
            )
        )
    return card("Quantification flags", body, note=str(len(flags)))


def _flag(flag: Row, href: str) -> Component:
    severity = str(flag.get("severity") or "info")
    source = source_text(flag)
    link = html.A("Source row", href=href, title=source) if source else None
    return html.Li(
        [
            html.Span(icon(_ICONS.get(severity, "info"), 16), className=f"cg-flag-{severity}"),
            html.Div(
                [
                    html.Strong(str(flag.get("title") or "")),
                    html.P([str(flag.get("detail") or ""), " ", link]),
                ]
            ),
        ]
    )
