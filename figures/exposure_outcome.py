"""The exposure of each patient beside the outcome: what an answer by exposure rests on.

A response is drawn as two lanes of marks with the median of each; a time to an event as the days
followed at each exposure, filled where the event was seen and open where follow-up ended without.
"""

import math
from collections.abc import Iterable
from statistics import median
from typing import Any, NamedTuple

import plotly.graph_objects as go

from figures.canvas import Canvas
from figures.curves import group_color, group_symbol
from figures.number_text import day_text, short_tick, significant
from figures.theme import Theme, rgba, template
from figures.tracks.value_axis import linear_axis, log_axis

LANES = {True: "responder", False: "non-responder"}
RESPONSE_HEIGHT_PX, EVENT_HEIGHT_PX = 250, 340
SPREAD = 0.28
"""Half the height of a lane that its marks fill."""


class Exposed(NamedTuple):
    """One patient: exposure in the unit of the signal, and `day` (from infusion) of the event or of
    the end of follow-up; None for a response."""

    usubjid: str
    exposure: float
    happened: bool
    day: float | None = None


class ExposureNumbers(NamedTuple):
    """Patients by exposure; of a response also the place of each across its lane, -1 to 1.
    words: with the outcome and without, as lanes or legend name them."""

    patients: tuple[Exposed, ...]
    offsets: tuple[float, ...]
    words: tuple[str, str]
    log: bool


def prepare_exposure_outcome(
    patients: Iterable[Exposed], words: tuple[str, str], *, log: bool = True
) -> ExposureNumbers:
    """Patients sorted by exposure, those that a log axis cannot hold left out; neighbors in a lane
    take turns across it, so that none hides another."""
    drawn = sorted(
        (one for one in patients if not log or one.exposure > 0),
        key=lambda one: (one.exposure, one.usubjid),
    )
    seen = {True: 0, False: 0}
    offsets = []
    for one in drawn:
        offsets.append((-1.0, 0.0, 1.0)[seen[one.happened] % 3])
        seen[one.happened] += 1
    return ExposureNumbers(tuple(drawn), tuple(offsets), words, log)


def draw_exposure_outcome(
    numbers: ExposureNumbers, theme: Theme, *, unit: str, narrow: bool = False
) -> go.Figure:
    """Lanes of a response, or days followed of an event. unit: of the exposure."""
    canvas = Canvas()
    timed = any(one.day is not None for one in numbers.patients)
    for happened in (True, False):
        if timed:
            _draw_followed(canvas, numbers, happened, theme, unit)
        else:
            _draw_lane(canvas, numbers, happened, theme, unit)
    return canvas.figure(
        {
            "template": template(theme),
            "height": EVENT_HEIGHT_PX if timed else RESPONSE_HEIGHT_PX,
            "margin": {"l": 52 if timed else 110, "r": 16, "t": 30, "b": 48},
            "showlegend": timed,
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
            "xaxis": {**_exposure_axis(numbers, narrow), "title": {"text": unit, "standoff": 8}},
            "yaxis": _day_axis(numbers) if timed else _lane_axis(numbers),
        }
    )


def _draw_lane(
    canvas: Canvas, numbers: ExposureNumbers, happened: bool, theme: Theme, unit: str
) -> None:
    """The patients of one lane, and their median."""
    own = [
        (one, offset)
        for one, offset in zip(numbers.patients, numbers.offsets, strict=True)
        if one.happened is happened
    ]
    if not own:
        return
    lane, color = (0 if happened else 1), group_color(LANES[happened], 0, theme)
    middle = median(one.exposure for one, _ in own)
    canvas.scatter(
        x=[middle, middle], y=[lane - 0.4, lane + 0.4], mode="lines",
        line={"color": color, "width": 3},
        hovertemplate=f"Median {significant(middle)} {unit}<extra></extra>",
    )  # fmt: skip
    canvas.scatter(
        x=[one.exposure for one, _ in own],
        y=[lane + SPREAD * offset for _, offset in own],
        mode="markers",
        marker={
            "symbol": group_symbol(LANES[happened], 0), "size": 9, "color": rgba(color, 0.65),
            "line": {"width": 1, "color": color},
        },
        hovertext=[f"{one.usubjid}: {significant(one.exposure)} {unit}" for one, _ in own],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _draw_followed(
    canvas: Canvas, numbers: ExposureNumbers, happened: bool, theme: Theme, unit: str
) -> None:
    """The patients with the event, or those without."""
    own = [one for one in numbers.patients if one.happened is happened]
    canvas.scatter(
        x=[one.exposure for one in own],
        y=[one.day for one in own],
        mode="markers",
        name=f"{numbers.words[0 if happened else 1]} (n = {len(own)})",
        marker={
            "symbol": "circle" if happened else "circle-open", "size": 9,
            "color": theme.ink if happened else theme.secondary, "line": {"width": 1.5},
        },
        hovertext=[
            f"{one.usubjid}: {significant(one.exposure)} {unit}, day {day_text(one.day or 0.0)}"
            for one in own
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _exposure_axis(numbers: ExposureNumbers, narrow: bool) -> dict[str, Any]:
    values = [one.exposure for one in numbers.patients]
    axis = log_axis(values, tall=not narrow) if numbers.log else linear_axis(values)
    ends = [axis.low, axis.high]
    return {
        "type": "log" if numbers.log else "linear",
        "range": [math.log10(end) for end in ends] if numbers.log else ends,
        "tickvals": list(axis.ticks),
        "ticktext": [short_tick(tick) for tick in axis.ticks],
        "showgrid": True,
        "fixedrange": True,
    }


def _lane_axis(numbers: ExposureNumbers) -> dict[str, Any]:
    counts = [
        sum(one.happened is happened for one in numbers.patients) for happened in (True, False)
    ]
    return {
        "tickvals": [0, 1],
        "ticktext": [
            f"{word}<br>n = {n}" for word, n in zip(numbers.words, counts, strict=True)
        ],
        "range": [1.6, -0.6],
        "showgrid": False,
        "fixedrange": True,
    }  # fmt: skip


def _day_axis(numbers: ExposureNumbers) -> dict[str, Any]:
    axis = linear_axis([one.day or 0.0 for one in numbers.patients])
    return {
        "range": [axis.low, axis.high],
        "tickvals": list(axis.ticks),
        "ticktext": [day_text(tick) for tick in axis.ticks],
        "title": {"text": "Days from infusion", "standoff": 4},
        "fixedrange": True,
    }
