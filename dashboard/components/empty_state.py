"""What stands where data would be: why it is empty and what to do."""

import re
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.icon import icon


def empty_state(title: str, why: Any, action: Any = None) -> Component:
    """`title` says what is missing, `why` the reason, `action` a link or the command to run."""
    return html.Div(
        [
            icon("empty", 22),
            html.Div(
                [
                    html.P(title, className="cg-empty-title"),
                    html.P(why, className="cg-empty-why"),
                    html.Div(action, className="cg-empty-action") if action else None,
                ]
            ),
        ],
        className="cg-empty",
    )


def no_patient(path: str, study: str) -> Component:
    """The filters leave nobody; `path` is the page to show again without them."""
    link = html.A("Remove all filters", href=f"{path}?study={study}", className="cg-button")
    why = "The filters in the bar above leave none of the enrolled patients."
    return empty_state("No patient is left", why, link)


def command(text: str) -> Component:
    """A command to run in a terminal, as it is typed; a line ends before an option only."""
    parts = [html.Span(part, className="cg-nowrap") for part in re.split(r" (?=--)", text)]
    spaced = [one for part in parts for one in (part, " ")][:-1]
    return html.Code(spaced, className="cg-command", tabIndex=0)
