"""The key ratio without each patient in turn: does one patient carry the result?"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import plotly.graph_objects as go

from analysis.number_words import number
from figures.number_text import plain
from figures.theme import Theme, rgba, template

ROWS_SHOWN = 12
ROW_PX = 22


class Influence(NamedTuple):
    """The ratio and its interval when one patient is left out."""

    usubjid: str
    ratio: float
    conf_low: float
    conf_high: float


class InfluenceNumbers(NamedTuple):
    """Patients who move the ratio most, first; the ratio with everyone."""

    rows: tuple[Influence, ...]
    n_patients: int
    ratio: float


def prepare_influence_plot(rows: Iterable[Influence], ratio: float) -> InfluenceNumbers:
    """The `ROWS_SHOWN` patients whose absence moves `ratio` most."""
    known = [row for row in rows if math.isfinite(row.ratio) and row.ratio > 0]
    known.sort(key=lambda row: -abs(math.log(row.ratio / ratio)))
    return InfluenceNumbers(tuple(known[:ROWS_SHOWN]), len(known), ratio)


def draw_influence_plot(numbers: InfluenceNumbers, theme: Theme) -> go.Figure:
    """One row per patient left out; the vertical line is the ratio with everyone."""
    figure = go.Figure()
    for index, row in enumerate(numbers.rows):
        figure.add_scatter(
            x=[row.conf_low, row.conf_high], y=[index, index], mode="lines", hoverinfo="skip",
            line={"color": rgba(theme.secondary, 0.5), "width": 2},
        )  # fmt: skip
    figure.add_scatter(
        x=[row.ratio for row in numbers.rows],
        y=list(range(len(numbers.rows))),
        mode="markers",
        marker={"size": 7, "color": theme.secondary, "symbol": "square"},
        hovertext=[f"Without {row.usubjid}: {number(row.ratio)}" for row in numbers.rows],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.add_vline(x=numbers.ratio, line={"color": theme.ink, "width": 1})
    figure.add_vline(x=1, line={"color": theme.muted, "width": 1, "dash": "dot"})
    figure.update_layout(
        template=template(theme),
        height=ROW_PX * max(3, len(numbers.rows)) + 56,
        margin={"l": 110, "r": 16, "t": 8, "b": 44},
        xaxis={
            "type": "log",
            "range": log_range(numbers),
            "title": {"text": "Ratio without the patient", "standoff": 8},
            "tickvals": ratio_ticks(numbers),
            "ticktext": [plain(tick) for tick in ratio_ticks(numbers)],
            "fixedrange": True,
        },
        yaxis={
            "tickvals": list(range(len(numbers.rows))),
            "ticktext": [f"without {row.usubjid}" for row in numbers.rows],
            "range": [len(numbers.rows) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure


def log_range(numbers: InfluenceNumbers) -> list[float]:
    """Ends of the axis (log10): every interval and 1, with room on either side."""
    low, high = (math.log10(end) for end in ratio_ends(numbers))
    room = max(0.03, 0.06 * (high - low))
    return [low - room, high + room]


def ratio_ends(numbers: InfluenceNumbers) -> tuple[float, float]:
    """Smallest and largest ratio that the axis holds."""
    ends = [1.0, numbers.ratio, *(v for row in numbers.rows for v in (row.conf_low, row.conf_high))]
    return min(ends), max(ends)


def ratio_ticks(numbers: InfluenceNumbers) -> list[float]:
    """Round ratios inside the range, 1 always among them; at most six."""
    low, high = ratio_ends(numbers)
    width = high / low
    steps = (1, 1.5, 2, 3, 5, 7) if width < 5 else (1, 2, 5) if width < 30 else (1, 3)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**power for power in decades for step in steps if step < 2 or width < 300]
    inside = [tick for tick in ticks if low / 1.05 <= tick <= high * 1.05]
    return inside if len(inside) <= 6 else [tick for tick in inside if math.log10(tick) % 1 == 0]
