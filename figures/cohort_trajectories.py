"""Every patient's curve and each group's geometric mean, on days from infusion.

Individuals are thin, group means bold with the 95 % interval as a band; below-limit values are
open symbols at their limit and no line joins two of them. Under the axis: patients with a value at
each visit, so that a mean of three is not read as a mean of thirty.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go
import polars as pl

from analysis.number_words import number
from figures.canvas import Canvas
from figures.curves import (
    GroupMean,
    PatientLine,
    draw_band,
    draw_mean,
    draw_patients,
    gapped,
    group_color,
    group_means,
    group_symbol,
    patient_lines,
)
from figures.day_scale import DayScale, scale_for
from figures.end_labels import end_labels
from figures.number_text import significant
from figures.theme import SYMBOL_GLYPHS, Theme, template
from figures.tracks.value_axis import ValueAxis, linear_axis, log_axis
from figures.trajectory_axes import (
    MAX_END_LABELS,
    days_on_axis,
    left_margin,
    right_margin,
    values_on_axis,
    visit_days,
)

MANY_PATIENTS = 2_000
"""Above this many patients single curves would be a smear: only means are drawn."""

ROW_PX = 18
PLOT_PX = 380


class TrajectoryNumbers(NamedTuple):
    """All that is drawn. Values are in the unit of `axis_title`; `overlay` holds the fitted means
    of a stored model, drawn dashed over what was observed."""

    lines: tuple[PatientLine, ...]
    means: tuple[GroupMean, ...]
    axis_title: str
    log: bool
    lloq: float | None
    highlighted: str | None
    overlay: tuple[GroupMean, ...] = ()


def prepare_cohort_trajectories(
    series: pl.DataFrame,
    summary: pl.DataFrame,
    groups: Sequence[str],
    axis_title: str,
    *,
    log: bool = True,
    highlighted: str | None = None,
) -> TrajectoryNumbers:
    """Numbers of the figure.

    Args:
        series: one row per patient and sample: usubjid, group, rel_day, drawn, censored,
            lloq, source. `drawn` is the value, or the limit of a censored one.
        summary: one row per group and nominal day: group, nominal_day, n,
            geometric_mean, conf_low, conf_high (null where fewer than three patients).
        groups: the groups in the order of the legend.
        axis_title: what the values are, with their unit.
        log: whether the value axis is logarithmic.
        highlighted: the patient drawn in ink, if any.
    """
    usable = series.filter(pl.col("rel_day").is_not_null() & pl.col("drawn").is_finite())
    if log:
        usable = usable.filter(pl.col("drawn") > 0)
    limits = usable.get_column("lloq").drop_nulls().unique()
    return TrajectoryNumbers(
        lines=tuple(patient_lines(usable, groups)),
        means=tuple(group_means(usable, summary, groups)),
        axis_title=axis_title,
        log=log,
        lloq=float(limits[0]) if len(limits) == 1 else None,
        highlighted=highlighted,
    )


def draw_cohort_trajectories(
    numbers: TrajectoryNumbers, theme: Theme, *, narrow: bool = False
) -> go.Figure:
    """Draw the figure; `narrow` is the phone's variant."""
    days = [day for line in numbers.lines for day in line.days]
    visits = [day for mean in numbers.means for day in mean.days]
    scale = scale_for([*days, *visits])
    values = value_axis(numbers)
    colors = {mean.group: group_color(mean.group, i, theme) for i, mean in enumerate(numbers.means)}
    canvas = Canvas()
    if len(numbers.lines) <= MANY_PATIENTS:
        draw_patients(canvas, numbers.lines, scale, colors)
    for mean in numbers.means:
        draw_band(canvas, mean, scale, colors[mean.group])
    for index, mean in enumerate(numbers.means):
        draw_mean(canvas, mean, index, scale, colors[mean.group], theme)
    draw_highlight(canvas, numbers, scale, theme)
    draw_overlay(canvas, numbers, scale, colors, theme)
    draw_counts(canvas, numbers.means, scale, colors, theme, narrow=narrow)
    annotate(canvas, numbers, scale, colors, theme, narrow=narrow)
    return canvas.figure(layout_of(numbers, scale, values, theme, narrow=narrow))


def value_axis(numbers: TrajectoryNumbers) -> ValueAxis:
    """Room for every patient and every mean; bands may leave the panel where n is three."""
    drawn = [value for line in numbers.lines for value in line.values]
    drawn += [value for mean in numbers.means for value in mean.means if math.isfinite(value)]
    return log_axis(drawn, tall=True) if numbers.log else linear_axis(drawn)


def draw_highlight(
    canvas: Canvas, numbers: TrajectoryNumbers, scale: DayScale, theme: Theme
) -> None:
    """The chosen patient in ink, above all others."""
    lines = [line for line in numbers.lines if line.usubjid == numbers.highlighted]
    if lines:
        x, y = gapped(lines, scale)
        canvas.scatter(
            x=x, y=y, mode="lines+markers", hoverinfo="skip",
            line={"color": theme.ink, "width": 2}, marker={"size": 6, "color": theme.ink},
        )  # fmt: skip


def draw_overlay(
    canvas: Canvas,
    numbers: TrajectoryNumbers,
    scale: DayScale,
    colors: dict[str, str],
    theme: Theme,
) -> None:
    """The fitted mean of each group of the model: dashed, named at its height, in the color of
    the group where that is drawn too, else of its meaning."""
    parts = [
        (place, mean, [i for i, day in enumerate(mean.days) if scale.low <= day <= scale.high])
        for place, mean in enumerate(numbers.overlay)
    ]
    tops = [max(mean.means[i] for i in inside) for _, mean, inside in parts if inside]
    for place, mean, inside in parts:
        if not inside:
            continue
        color = colors.get(mean.group) or group_color(mean.group, place, theme)
        canvas.scatter(
            x=[scale.position(mean.days[i]) for i in inside],
            y=[mean.means[i] for i in inside],
            mode="lines",
            line={"color": color, "width": 2, "dash": "dash"},
            hovertext=[f"Model, {mean.group}: {number(mean.means[i])}" for i in inside],
            hovertemplate="%{hovertext}<extra></extra>",
        )
        top = max(inside, key=mean.means.__getitem__)
        height = mean.means[top]
        canvas.annotate(
            x=scale.position(mean.days[top]), xanchor="center",
            y=math.log10(height) if numbers.log else height,
            yanchor="bottom" if height == max(tops) else "top",
            text=f"Model, {mean.group}", font={"size": 12, "color": color},
            bgcolor=theme.card, opacity=0.9,
        )  # fmt: skip


def draw_counts(
    canvas: Canvas,
    means: Sequence[GroupMean],
    scale: DayScale,
    colors: dict[str, str],
    theme: Theme,
    *,
    narrow: bool,
) -> None:
    """Patients with a value at each visit, one row per group, under the axis."""
    shown = {tick.day for tick in scale.ticks(visit_days(means)) if tick.narrow or not narrow}
    for row, mean in enumerate(means):
        columns = [(day, n) for day, n in zip(mean.days, mean.counts, strict=True)
                   if round(day) in shown]  # fmt: skip
        canvas.scatter(
            x=[scale.position(day) for day, _ in columns],
            y=[row] * len(columns),
            yaxis="y2",
            mode="text",
            text=[str(n) for _, n in columns],
            textfont={"size": 12, "color": theme.secondary},
            hoverinfo="skip",
        )
        glyph = SYMBOL_GLYPHS[group_symbol(mean.group, row)]
        canvas.annotate(
            x=0, xref="paper", xanchor="left", xshift=4 - left_margin(means, narrow=narrow),
            y=row, yref="y2", yanchor="middle",
            text=f'<span style="color:{colors[mean.group]}">{glyph}</span> {mean.group}',
            font={"size": 12, "color": theme.secondary},
        )  # fmt: skip


def annotate(
    canvas: Canvas,
    numbers: TrajectoryNumbers,
    scale: DayScale,
    colors: dict[str, str],
    theme: Theme,
    *,
    narrow: bool,
) -> None:
    """Infusion, knee and limit lines; group labels at the ends of their curves."""
    canvas.vline(x=0, line={"color": theme.muted, "width": 1})
    canvas.annotate(
        x=0, y=1, yref="y domain", text="Infusion", xanchor="left", xshift=4,
        yanchor="bottom", font={"size": 12, "color": theme.muted},
    )  # fmt: skip
    for knee in scale.knees:
        canvas.vline(
            x=scale.position(knee), line={"color": theme.hairline, "width": 1, "dash": "dot"}
        )
    _name_limit(canvas, numbers, theme, narrow=narrow)
    canvas.annotate(
        x=1, xref="paper", y=0, yref="paper", yanchor="top", xanchor="right", yshift=-4,
        text="Days from infusion" + (f". {scale.note}" if scale.note and not narrow else ""),
        font={"size": 12, "color": theme.muted},
    )  # fmt: skip
    canvas.annotate(
        x=0, xref="paper", y=0, yref="paper", yanchor="top", xanchor="left", yshift=-4,
        xshift=4 - left_margin(numbers.means, narrow=narrow), text="Patients with a value",
        font={"size": 12, "color": theme.muted},
    )  # fmt: skip
    if not narrow and len(numbers.means) <= MAX_END_LABELS:
        _name_groups(canvas, numbers, scale, colors)


def _name_limit(canvas: Canvas, numbers: TrajectoryNumbers, theme: Theme, *, narrow: bool) -> None:
    """The limit of quantification, named at its right end."""
    if numbers.lloq is None:
        return
    limit = math.log10(numbers.lloq) if numbers.log else numbers.lloq
    canvas.hline(y=numbers.lloq, line={"color": theme.muted, "width": 1, "dash": "dash"})
    beside = not narrow and len(numbers.means) <= MAX_END_LABELS
    canvas.annotate(
        x=1, xref="x domain", y=limit, text=f"LLOQ {significant(numbers.lloq)}",
        xanchor="left" if beside else "right", xshift=10 if beside else 0,
        yanchor="middle" if beside else "top", font={"size": 12, "color": theme.muted},
    )  # fmt: skip


def _name_groups(
    canvas: Canvas, numbers: TrajectoryNumbers, scale: DayScale, colors: dict[str, str]
) -> None:
    axis = value_axis(numbers)
    for label in end_labels(numbers.means, axis, scale, log=numbers.log):
        canvas.annotate(
            x=label.position, y=label.height, yref="y domain", xanchor="left",
            xshift=10, text=f"<b>{label.text}</b>",
            font={"size": 13, "color": colors[label.group]},
        )  # fmt: skip


def layout_of(
    numbers: TrajectoryNumbers,
    scale: DayScale,
    values: ValueAxis,
    theme: Theme,
    *,
    narrow: bool,
) -> dict[str, Any]:
    """Axes, ticks and the strip of counts."""
    n_rows = max(1, len(numbers.means))
    strip = ROW_PX * n_rows + 8
    below = 30
    height = PLOT_PX + below + strip
    return {
        "template": template(theme),
        "height": height + 24 + 28,
        "margin": {
            "l": left_margin(numbers.means, narrow=narrow),
            "r": right_margin(numbers.means, narrow=narrow),
            "t": 24,
            "b": 28,
        },
        "hovermode": "closest",
        "dragmode": False if narrow else "select",
        "xaxis": {
            **days_on_axis(scale, visit_days(numbers.means), narrow=narrow),
            "anchor": "y",
            "showgrid": False,
            "fixedrange": True,
        },
        "yaxis": {
            "domain": [(strip + below) / height, 1],
            **values_on_axis(values, log=numbers.log),
            "fixedrange": True,
        },
        "yaxis2": {
            "domain": [0, strip / height],
            "range": [n_rows - 0.5, -0.5],
            "anchor": "x",
            "visible": False,
            "fixedrange": True,
        },
    }
