"""The fitted mean of each group over time with its interval: what the model says, in one look."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import plotly.graph_objects as go

from figures.canvas import Canvas
from figures.curves import (
    MARKED_POINTS,
    GroupMean,
    PatientLine,
    draw_band,
    draw_mean,
    draw_patients,
    group_color,
    group_symbol,
)
from figures.day_scale import DayScale, scale_for
from figures.number_text import day_text, short_tick, significant
from figures.theme import Theme, template
from figures.tracks.value_axis import linear_axis, log_axis

HEIGHT_PX = 340
USUAL_DAYS = (0.0, 3.0, 7.0, 14.0, 21.0, 28.0, 42.0, 60.0, 90.0, 180.0, 365.0)


class FittedCurve(NamedTuple):
    """One group's fitted mean at each day, in the unit of the outcome."""

    group: str
    n_patients: int
    days: tuple[float, ...]
    estimates: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


class MeasuredMean(NamedTuple):
    """Mean of the patients of a group on one day, in the unit of the outcome."""

    group: str
    day: float
    value: float
    n_patients: int


class EffectNumbers(NamedTuple):
    """Curves of the model and, behind them, what was observed: patients, and means of groups."""

    curves: tuple[FittedCurve, ...]
    observed: tuple[PatientLine, ...]
    measured: tuple[MeasuredMean, ...]
    log: bool


def prepare_effect_curve(
    curves: Sequence[FittedCurve],
    observed: Sequence[PatientLine] = (),
    measured: Sequence[MeasuredMean] = (),
    *,
    log: bool = True,
) -> EffectNumbers:
    """Curves with at least one estimate; observed points that a log axis can hold."""
    return EffectNumbers(
        tuple(curve for curve in curves if any(math.isfinite(v) for v in curve.estimates)),
        tuple(line for line in observed if not log or all(value > 0 for value in line.values)),
        tuple(mean for mean in measured if not log or mean.value > 0),
        log,
    )


def draw_effect_curve(numbers: EffectNumbers, theme: Theme, *, narrow: bool = False) -> go.Figure:
    """Fitted means bold with bands, patients thin behind them, groups named at the curve's end."""
    scale = scale_for([day for curve in numbers.curves for day in curve.days])
    colors = {c.group: group_color(c.group, i, theme) for i, c in enumerate(numbers.curves)}
    canvas = Canvas()
    draw_patients(canvas, numbers.observed, scale, colors, marks="below limit")
    means = [as_mean(curve) for curve in numbers.curves]
    for mean in means:
        draw_band(canvas, mean, scale, colors[mean.group])
    for index, mean in enumerate(means):
        draw_mean(canvas, mean, index, scale, colors[mean.group], theme)
    draw_measured(canvas, numbers, scale, colors)
    name_groups(canvas, numbers, colors)
    for knee in scale.knees:
        if knee > first_day(numbers):
            line = {"color": theme.hairline, "width": 1, "dash": "dot"}
            canvas.vline(x=scale.position(knee), line=line)
    return canvas.figure(layout_of(numbers, scale, theme, narrow=narrow))


def draw_measured(
    canvas: Canvas, numbers: EffectNumbers, scale: DayScale, colors: dict[str, str]
) -> None:
    """The measured means as marks beside the curves, which do not have to go through them."""
    for index, curve in enumerate(numbers.curves):
        own = [mean for mean in numbers.measured if mean.group == curve.group]
        color = colors[curve.group]
        canvas.scatter(
            x=[scale.position(mean.day) for mean in own],
            y=[mean.value for mean in own],
            mode="markers",
            marker={
                "symbol": f"{group_symbol(curve.group, index)}-open", "size": 7, "color": color,
                "line": {"color": color, "width": 1.5},
            },
            hovertext=[
                f"<b>{mean.group}</b>, measured, n = {mean.n_patients}<br>"
                f"Day {day_text(mean.day)}: {significant(mean.value)}"
                for mean in own
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip


def as_mean(curve: FittedCurve) -> GroupMean:
    """A fitted curve in the form that the drawing parts take."""
    counts = (curve.n_patients,) * len(curve.days)
    return GroupMean(
        curve.group, curve.n_patients, curve.days, curve.estimates, curve.lows, curve.highs, counts
    )


def layout_of(
    numbers: EffectNumbers, scale: DayScale, theme: Theme, *, narrow: bool
) -> dict[str, Any]:
    """Axes of the figure, from the first day that has a value."""
    values = shown_values(numbers)
    axis = log_axis(values, tall=True) if numbers.log else linear_axis(values)
    ticks = scale.ticks(visit_days(numbers))
    ticks = tuple(tick for tick in ticks if tick.narrow or not narrow)
    first, last = scale.position(first_day(numbers)), scale.extent[1]
    room = 0.02 * (last - first)
    return {
        "template": template(theme),
        "height": HEIGHT_PX,
        "margin": {"l": 52, "r": 16, "t": 34, "b": 44},
        "xaxis": {
            "range": [first - room, last + room],
            "tickvals": [tick.position for tick in ticks],
            "ticktext": [tick.text for tick in ticks],
            "title": {"text": axis_words(scale, first_day(numbers)), "standoff": 8},
            "fixedrange": True,
        },
        "yaxis": {
            "type": "log" if numbers.log else "linear",
            "range": [math.log10(axis.low), math.log10(axis.high)]
            if numbers.log
            else [axis.low, axis.high],
            "tickvals": list(axis.ticks),
            "ticktext": [short_tick(tick) for tick in axis.ticks],
            "fixedrange": True,
        },
    }


def axis_words(scale: DayScale, first: float) -> str:
    """The title of the day axis, with the change of scale that lies inside the drawn part."""
    note = replace(scale, low=max(scale.low, first)).note
    return f"Days from infusion. {note}" if note else "Days from infusion"


def shown_values(numbers: EffectNumbers) -> list[float]:
    """What the value axis holds: curves, patients, and bands as far as a decade beyond them."""
    values = [v for c in numbers.curves for v in c.estimates if math.isfinite(v)]
    values += [value for line in numbers.observed for value in line.values]
    values += [mean.value for mean in numbers.measured]
    ends = [v for c in numbers.curves for v in (*c.lows, *c.highs) if math.isfinite(v)]
    if numbers.log and values:
        low, high = min(values) / 10, max(values) * 10
        ends = [min(max(end, low), high) for end in ends]
    return values + ends


def first_day(numbers: EffectNumbers) -> float:
    """Day of the first value drawn; infusion when there is none."""
    days = [day for c in numbers.curves for day in c.days]
    return min([*days, *(day for line in numbers.observed for day in line.days)], default=0.0)


def visit_days(numbers: EffectNumbers) -> list[float]:
    """Days to label: the points of a curve by visit, the usual days of a smooth one."""
    days = sorted({day for curve in numbers.curves for day in curve.days})
    if len(days) <= MARKED_POINTS:
        return days
    return [day for day in USUAL_DAYS if days[0] <= day <= days[-1]]


def name_groups(canvas: Canvas, numbers: EffectNumbers, colors: dict[str, str]) -> None:
    """A legend in one line above the panel, in the groups' own colors."""
    text = "&nbsp;&nbsp;&nbsp;".join(
        f'<span style="color:{colors[curve.group]}"><b>{curve.group}</b>, '
        f"n = {curve.n_patients}</span>"
        for curve in numbers.curves
    )
    canvas.annotate(
        x=0, xref="paper", y=1, yref="paper", yshift=8, xanchor="left",
        yanchor="bottom", text=text, font={"size": 13},
    )  # fmt: skip
