"""The one container: a hairline, a title that says what is shown, a body, a foot."""

from typing import Any

from dash import html
from dash.development.base_component import Component


def card(
    title: str | None,
    body: Any,
    note: Any = None,
    footer: Any = None,
    *,
    class_name: str = "",
) -> Component:
    """`note` stands at the right of the title (unit, legend, n); `footer` is the provenance."""
    head = (
        html.Div(
            [html.H2(title), html.Div(note, className="cg-card-note") if note else None],
            className="cg-card-head",
        )
        if title
        else None
    )
    foot = html.Div(footer, className="cg-card-foot") if footer is not None else None
    return html.Section(
        [head, html.Div(body, className="cg-card-body"), foot],
        className=f"cg-card {class_name}".strip(),
    )
