"""One small panel per region or assay, on shared axes, so that panels compare by eye."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from figures.canvas import Canvas
from figures.curves import (
    GroupMean,
    PatientLine,
    draw_band,
    draw_mean,
    draw_patients,
    group_color,
)
from figures.day_scale import DayScale, scale_for
from figures.number_text import day_text, short_tick
from figures.ratio_forest import wrapped
from figures.theme import Theme, rgba, template
from figures.tracks.value_axis import log_axis

PANEL_PX = 150
TITLE_PX = 46
FOOT_PX = 44
LINE_PX = 17
TICKS_PX = 20
"""Under every row of panels but the last: its day ticks."""
GAP = 0.022


class Panel(NamedTuple):
    """One panel: its title, a note under it (such as a ratio) and its curves."""

    title: str
    note: str
    lines: tuple[PatientLine, ...]
    means: tuple[GroupMean, ...]


class MultiplesNumbers(NamedTuple):
    """Panels in drawing order; `noise` is the band inside which a fold change is noise."""

    panels: tuple[Panel, ...]
    noise: tuple[float, float] | None


def prepare_small_multiples(
    panels: Iterable[Panel], noise: tuple[float, float] | None = None
) -> MultiplesNumbers:
    """Panels that have a curve; empty ones are left out rather than drawn empty."""
    return MultiplesNumbers(tuple(p for p in panels if p.lines or p.means), noise)


def draw_small_multiples(numbers: MultiplesNumbers, theme: Theme, *, columns: int = 6) -> go.Figure:
    """Draw the panels in rows of `columns`; one value axis and one day axis for all."""
    characters = 20 if columns < 4 else 26
    titles = [wrapped(panel.title, characters) for panel in numbers.panels]
    added = max((t.count("<br>") for t in titles), default=0)
    added += max((panel.note.count("<br>") for panel in numbers.panels), default=0)
    grid = grid_for(len(numbers.panels), columns, added)
    days = [day for panel in numbers.panels for line in panel.lines for day in line.days]
    scale = scale_for(days)
    canvas = Canvas()
    for index, panel in enumerate(numbers.panels):
        draw_panel(canvas.panel(index + 1), panel, titles[index], scale, theme)
        if numbers.noise:
            low, high = numbers.noise
            canvas.panel(index + 1).hband(low, high, rgba(theme.muted, 0.12))
    canvas.annotate(
        "Days from infusion", x=0, xref="paper", y=0, yref="paper", yshift=-24,
        xanchor="left", yanchor="top", font={"size": 12, "color": theme.muted},
    )  # fmt: skip
    layout = {
        "template": template(theme),
        "height": grid.height,
        "margin": {"l": 44, "r": 10, "t": grid.title, "b": FOOT_PX},
        **axes_of(numbers, scale, grid),
    }
    return canvas.figure(layout)


class Grid(NamedTuple):
    """Where panels stand: columns, rows, px of the whole figure and of a panel's title."""

    columns: int
    rows: int
    height: int
    title: int

    def domains(self, index: int) -> tuple[list[float], list[float]]:
        """Horizontal and vertical share of a panel, 0 to 1 from the lower left corner."""
        row, column = divmod(index, self.columns)
        width = (1 - GAP * (self.columns - 1)) / self.columns
        left = column * (width + GAP)
        inner = self.height - self.title - FOOT_PX
        top = 1 - row * (PANEL_PX + TICKS_PX + self.title) / inner
        return [left, min(1.0, left + width)], [max(0.0, top - PANEL_PX / inner), top]


def grid_for(count: int, columns: int, added: int = 0) -> Grid:
    """Rows of at most `columns` panels, with `added` lines of text above each."""
    title = TITLE_PX + LINE_PX * added
    wide = max(1, min(columns, count))
    rows = max(1, math.ceil(count / wide))
    height = rows * (PANEL_PX + title) + (rows - 1) * TICKS_PX + FOOT_PX
    return Grid(wide, rows, height, title)


def draw_panel(canvas: Canvas, panel: Panel, title: str, scale: DayScale, theme: Theme) -> None:
    """Curves, title and infusion of one panel."""
    colors = {mean.group: group_color(mean.group, i, theme) for i, mean in enumerate(panel.means)}
    draw_patients(canvas, panel.lines, scale, colors, marks="below limit")
    for mean in panel.means:
        draw_band(canvas, mean, scale, colors[mean.group])
    for i, mean in enumerate(panel.means):
        draw_mean(canvas, mean, i, scale, colors[mean.group], theme, size=6)
    canvas.vline(0, {"color": theme.muted, "width": 1})
    text = f"<b>{title}</b>"
    if panel.note:
        text += f'<br><span style="color:{theme.muted};font-size:12px">{panel.note}</span>'
    canvas.annotate(
        text, x=0, xref=f"{canvas.x} domain", y=1, yref=f"{canvas.y} domain", yshift=8,
        xanchor="left", yanchor="bottom", align="left", font={"size": 13},
    )  # fmt: skip


def axes_of(numbers: MultiplesNumbers, scale: DayScale, grid: Grid) -> dict[str, Any]:
    """The axes of every panel; values are labelled in the first column only."""
    values = log_axis(shown_values(numbers.panels))
    first, last = scale.extent
    ticks = few_ticks(scale, days_of(numbers.panels))
    axes: dict[str, Any] = {}
    for index in range(len(numbers.panels)):
        suffix = "" if index == 0 else str(index + 1)
        across, up = grid.domains(index)
        axes[f"xaxis{suffix}"] = {
            "domain": across,
            "anchor": f"y{suffix}",
            "range": [first - 0.03 * (last - first), last + 0.03 * (last - first)],
            "tickvals": scale_positions(scale, ticks),
            "ticktext": [day_text(day) for day in ticks],
            "tickangle": 0,
            "showgrid": False,
            "fixedrange": True,
        }
        axes[f"yaxis{suffix}"] = {
            "domain": up,
            "anchor": f"x{suffix}",
            "type": "log",
            "range": [math.log10(values.low), math.log10(values.high)],
            "tickvals": list(values.ticks),
            "ticktext": [short_tick(tick) for tick in values.ticks],
            "showticklabels": index % grid.columns == 0,
            "fixedrange": True,
        }
    return axes


def scale_positions(scale: DayScale, days: Iterable[float]) -> list[float]:
    """Axis positions of days."""
    return [scale.position(day) for day in days]


def few_ticks(scale: DayScale, visits: Sequence[float]) -> list[float]:
    """Infusion, the last visit and what fits between in a narrow panel."""
    first, last = scale.extent
    least = 0.15 * (last - first)
    chosen: list[float] = []
    for day in [0.0, *visits[-1:], 14.0, 28.0, 7.0, *visits]:
        here = scale.position(day)
        if scale.low <= day <= scale.high and all(
            abs(here - scale.position(other)) >= least for other in chosen
        ):
            chosen.append(day)
    return sorted(chosen)


def shown_values(panels: Sequence[Panel]) -> list[float]:
    """Everything the shared value axis must hold."""
    lines = [value for panel in panels for line in panel.lines for value in line.values]
    means = [value for panel in panels for mean in panel.means for value in mean.means]
    return [value for value in [*lines, *means] if math.isfinite(value)]


def days_of(panels: Sequence[Panel]) -> list[float]:
    """Visit days of all panels."""
    return sorted({day for panel in panels for mean in panel.means for day in mean.days})
