"""Title, one live sentence and the page's actions."""

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.text import unbroken


def page_header(
    title: str,
    sentence: Any = None,
    actions: Sequence[Component] = (),
    breadcrumbs: Sequence[tuple[str, str | None]] = (),
    subtitle: Any = None,
) -> Component:
    """The head of a page. `sentence` is text or a list of text and `html.Strong`; `subtitle` is
    the quiet line of facts under the title; a breadcrumb is (label, link or None)."""
    head = [
        html.Div(
            [
                html.Div([*_breadcrumbs(breadcrumbs), html.H1(title)], className="cg-title"),
                html.Div(list(actions), className="cg-actions") if actions else None,
            ],
            className="cg-title-row",
        )
    ]
    if subtitle is not None:
        head.append(html.Div(subtitle, className="cg-subtitle"))
    if sentence is not None:
        head.append(html.P(unbroken(sentence), className="cg-sentence"))
    return html.Div(head, className="cg-page-header")


def _breadcrumbs(items: Sequence[tuple[str, str | None]]) -> list[Component]:
    if not items:
        return []
    parts = [
        html.Li(html.A(label, href=href) if href else html.Span(label)) for label, href in items
    ]
    return [html.Nav(html.Ol(parts), className="cg-breadcrumbs", **{"aria-label": "Breadcrumb"})]
