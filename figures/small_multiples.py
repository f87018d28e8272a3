"""One small panel per region or assay, on shared axes, so that panels compare by eye."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

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
from figures.theme import Theme, rgba, template
from figures.tracks.value_axis import log_axis

PANEL_PX = 150
TITLE_PX = 46


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
    count = max(1, len(numbers.panels))
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    height = rows * (PANEL_PX + TITLE_PX) + 34
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        horizontal_spacing=0.022,
        vertical_spacing=TITLE_PX / height if rows > 1 else 0,
    )
    days = [day for panel in numbers.panels for line in panel.lines for day in line.days]
    scale = scale_for(days)
    for index, panel in enumerate(numbers.panels):
        draw_panel(figure, panel, scale, theme, place(index, columns))
    lay_out(figure, numbers, scale, theme, columns, height)
    return figure


def place(index: int, columns: int) -> dict[str, int]:
    """Row and column of a panel."""
    return {"row": index // columns + 1, "col": index % columns + 1}


def draw_panel(
    figure: go.Figure, panel: Panel, scale: DayScale, theme: Theme, where: dict[str, int]
) -> None:
    """Curves of one panel."""
    colors = {mean.group: group_color(mean.group, i, theme) for i, mean in enumerate(panel.means)}
    draw_patients(figure, panel.lines, scale, colors, points=False, **where)
    for mean in panel.means:
        draw_band(figure, mean, scale, colors[mean.group], **where)
    for i, mean in enumerate(panel.means):
        draw_mean(figure, mean, i, scale, colors[mean.group], theme, size=6, **where)
    figure.add_vline(x=0, line={"color": theme.muted, "width": 1}, **where)


def lay_out(
    figure: go.Figure,
    numbers: MultiplesNumbers,
    scale: DayScale,
    theme: Theme,
    columns: int,
    height: int,
) -> None:
    """Shared axes, the noise band and the titles."""
    axis = log_axis(shown_values(numbers.panels))
    first, last = scale.extent
    ticks = few_ticks(scale, days_of(numbers.panels))
    figure.update_layout(
        template=template(theme), height=height, margin={"l": 44, "r": 10, "t": TITLE_PX, "b": 34}
    )
    figure.update_xaxes(
        range=[first - 0.03 * (last - first), last + 0.03 * (last - first)],
        tickvals=scale_positions(scale, ticks),
        ticktext=[day_text(day) for day in ticks],
        tickangle=0,
        showgrid=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        type="log",
        range=[math.log10(axis.low), math.log10(axis.high)],
        tickvals=list(axis.ticks),
        ticktext=[short_tick(tick) for tick in axis.ticks],
        fixedrange=True,
    )
    for index, panel in enumerate(numbers.panels):
        title_panel(figure, panel, theme, index)
        if numbers.noise:
            figure.add_hrect(
                y0=numbers.noise[0], y1=numbers.noise[1], line_width=0, layer="below",
                fillcolor=rgba(theme.muted, 0.12), **place(index, columns),
            )  # fmt: skip


def scale_positions(scale: DayScale, days: Iterable[float]) -> list[float]:
    """Axis positions of days."""
    return [scale.position(day) for day in days]


def few_ticks(scale: DayScale, visits: Sequence[float]) -> list[float]:
    """Infusion, the last visit and what fits between in a narrow panel."""
    first, last = scale.extent
    wanted = [0.0, *visits[-1:], 14.0, 28.0, 7.0, *visits]
    chosen: list[float] = []
    for day in wanted:
        far = all(
            abs(scale.position(day) - scale.position(c)) >= 0.15 * (last - first) for c in chosen
        )
        if far and scale.low <= day <= scale.high:
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


def title_panel(figure: go.Figure, panel: Panel, theme: Theme, index: int) -> None:
    """Title and note above the panel's left edge."""
    axis = "" if index == 0 else str(index + 1)
    text = f"<b>{panel.title}</b>"
    if panel.note:
        text += f'<br><span style="color:{theme.muted};font-size:12px">{panel.note}</span>'
    figure.add_annotation(
        x=0, xref=f"x{axis} domain", y=1, yref=f"y{axis} domain", yshift=8, showarrow=False,
        xanchor="left", yanchor="bottom", align="left", text=text, font={"size": 13},
    )  # fmt: skip
