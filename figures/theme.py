"""Colors by meaning and the Plotly template, for screen and report alike.

Every color stands for one thing on every page and has a symbol beside it, so that a reader who
cannot tell the hues apart still reads the figure. Both themes keep a contrast of 3:1 or more
between a mark and its ground (WCAG 2.2, 1.4.11).
"""

from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

FONT_FAMILY = "Inter, system-ui, sans-serif"
FIGURE_FONT_PX = 13
TICK_FONT_PX = 12

ColorScheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Theme:
    """One color scheme: surfaces, inks and the colors that carry meaning (all `#rrggbb`)."""

    scheme: ColorScheme
    ground: str
    card: str
    hairline: str
    grid: str
    ink: str
    secondary: str
    muted: str
    accent: str
    response: dict[str, str]
    signal: dict[str, str]
    crs: tuple[str, str, str]
    icans: tuple[str, str, str]
    ramp: tuple[str, ...]
    """Sequential ramp, low to high; its high end is furthest from the ground."""


LIGHT = Theme(
    scheme="light",
    ground="#F6F8F9",
    card="#FFFFFF",
    hairline="#E1E7EB",
    grid="#E9EEF1",
    ink="#16212A",
    secondary="#43525E",
    muted="#5F6F7B",
    accent="#0A6570",
    response={
        "CR": "#1F4FB0",
        "PR": "#2C8DC9",
        "SD": "#6B7781",
        "PD": "#CF4A0C",
        "NE": "#838E97",
    },
    signal={
        "reporter_gene": "#37800F",
        "blood": "#9E1B2F",
        "tumor_tracer": "#8B5A2B",
        "direct_label": "#A86A00",
        "immune_target": "#B3307C",
    },
    crs=("#D9CCEB", "#A88BD0", "#6F48AB"),
    icans=("#FBDDBA", "#F0A752", "#B05A08"),
    ramp=("#EAF2B5", "#A5D86A", "#4FB877", "#1F8F8A", "#276B8E", "#3B4A86", "#3F2A6B"),
)

DARK = Theme(
    scheme="dark",
    ground="#0E1418",
    card="#141B20",
    hairline="#27323A",
    grid="#212B32",
    ink="#E8EEF2",
    secondary="#B4C1CA",
    muted="#8E9DA8",
    accent="#57C2B8",
    response={
        "CR": "#6C9EFF",
        "PR": "#7FD0F5",
        "SD": "#A3AFB8",
        "PD": "#FF8450",
        "NE": "#75838D",
    },
    signal={
        "reporter_gene": "#84CC4F",
        "blood": "#F2757F",
        "tumor_tracer": "#CFA072",
        "direct_label": "#E8AE45",
        "immune_target": "#EE83BE",
    },
    crs=("#43346A", "#7356AE", "#A78BE0"),
    icans=("#56391A", "#96601F", "#DD9440"),
    ramp=("#3A2F73", "#35568C", "#2A7C8E", "#27A184", "#5EC567", "#B5DC45", "#F3E94D"),
)

THEMES: dict[str, Theme] = {"light": LIGHT, "dark": DARK}

RESPONSE_SYMBOLS: dict[str, str] = {
    "CR": "circle",
    "PR": "square",
    "SD": "diamond",
    "PD": "triangle-up",
    "NE": "x-thin",
}
"""Plotly marker symbol of each response category; read with `Theme.response`."""

SYMBOL_GLYPHS: dict[str, str] = {
    "circle": "\N{BLACK CIRCLE}",
    "square": "\N{BLACK SQUARE}",
    "diamond": "\N{BLACK DIAMOND}",
    "triangle-up": "\N{BLACK UP-POINTING TRIANGLE}",
    "triangle-down": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "star": "\N{BLACK STAR}",
    "x-thin": "\N{MULTIPLICATION X}",
}
"""The same symbols as text, for labels beside a figure."""

CATEGORY_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "star")


def rgba(color: str, alpha: float) -> str:
    """`#rrggbb` with an opacity of 0 to 1, as Plotly reads it."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def template(theme: Theme) -> go.layout.Template:
    """The house template: no border, no background, horizontal grid only, quiet ticks."""
    axis = {
        "showline": False,
        "zeroline": False,
        "ticks": "",
        "tickfont": {"size": TICK_FONT_PX, "color": theme.muted},
        "title": {"font": {"size": TICK_FONT_PX, "color": theme.muted}},
        "gridcolor": theme.grid,
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT_FAMILY, "size": FIGURE_FONT_PX, "color": theme.ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 56, "r": 16, "t": 8, "b": 40},
            "hoverlabel": {
                "bgcolor": theme.card,
                "bordercolor": theme.hairline,
                "font": {"family": FONT_FAMILY, "size": FIGURE_FONT_PX, "color": theme.ink},
            },
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": {**axis, "showgrid": False},
            "yaxis": {**axis, "showgrid": True},
        }
    )


def graph_config(file_name: str = "cartograph") -> dict[str, Any]:
    """The one configuration of every graph, on screen and in an exported page.

    Plotly 7 draws a button that uploads the chart to a cloud unless it is told not to: patient
    data must never leave the building, so the button and its server are switched off here.
    """
    return {
        "displaylogo": False,
        "showSendToCloud": False,
        "plotlyServerURL": "",
        "displayModeBar": False,
        "responsive": True,
        "toImageButtonOptions": {"format": "svg", "filename": file_name},
    }
