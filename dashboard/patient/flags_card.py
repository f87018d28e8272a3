"""The card of quantification flags: what a reader must know before trusting a number."""

from collections.abc import Callable, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.components.icon import icon
from dashboard.components.text import sentence_case
from figures.tracks.patient_frames import Row, source_text

_ICONS = {"error": "cross", "warning": "warning", "info": "info"}
_ORDER = {"error": 0, "warning": 1, "info": 2}
MOST = 2
"""Findings of one kind that are listed before the rest folds."""


def flags_card(flags: Sequence[Row], source_href: Callable[[Row], str]) -> Component | None:
    """Errors first, findings of one kind together; None when there is nothing to say.
    `source_href(flag)` links to the row that a flag speaks of."""
    if not flags:
        return None
    groups: dict[tuple[int, str], list[Row]] = {}
    for flag in flags:
        severity = str(flag.get("severity") or "info")
        groups.setdefault((_ORDER.get(severity, 3), str(flag.get("title") or "")), []).append(flag)
    items = [_group(members, source_href) for _, members in sorted(groups.items())]
    return card("Quantification flags", html.Ul(items, className="cg-flags"), note=str(len(flags)))


def _group(members: Sequence[Row], source_href: Callable[[Row], str]) -> Component:
    severity = str(members[0].get("severity") or "info")
    title = str(members[0].get("title") or "")
    lines = [_line(flag, source_href(flag)) for flag in members]
    body: list[Any] = [
        html.Strong(title if len(members) == 1 else f"{title}, {len(members)} times")
    ]
    body += lines[:MOST]
    if len(lines) > MOST:
        more = html.Summary(f"{len(lines) - MOST} more")
        body.append(html.Details([more, *lines[MOST:]], className="cg-more"))
    mark = html.Span(icon(_ICONS.get(severity, "info"), 16), className=f"cg-flag-{severity}")
    return html.Li([mark, html.Div(body)])


def _line(flag: Row, href: str) -> Component:
    source = source_text(flag)
    link = html.A("Source row", href=href, title=source) if source else None
    detail = str(flag.get("detail") or "")
    return html.P([sentence_case(detail), " ", link])
