"""Overview."""

from dash import Dash, html
from dash.development.base_component import Component

from dashboard.components.page_header import page_header
from dashboard.view import Services, View

PATH = "/"
NAME = "Overview"


def layout(view: View) -> Component:
    return html.Div([page_header(NAME)])


def register(app: Dash, services: Services) -> None:
    """No callbacks of its own: the address holds the state."""
