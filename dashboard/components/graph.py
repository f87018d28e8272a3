"""The one graph factory of the dashboard: no cloud button, no logo, words for a screen reader."""

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from figures.theme import graph_config


def graph(
    figure: go.Figure, id: str, alt: str, *, height: int | None = None, class_name: str = ""
) -> Component:
    """A figure with `alt`, one sentence that says what it shows to someone who cannot see it.

    The height is the figure's own unless `height` (px) is given; the width is the container's.
    """
    pixels = height or figure.layout.height or 360
    return html.Div(
        dcc.Graph(
            id=id,
            figure=figure,
            config=graph_config(id),
            style={"height": pixels},
            responsive=True,
        ),
        className=f"cg-graph {class_name}".strip(),
        role="img",
        style={"minHeight": pixels},
        **{"aria-label": alt},
    )
