"""Margins, days and values on the axes of the trajectories."""

import math
from collections.abc import Sequence
from typing import Any

from figures.curves import GroupMean
from figures.day_scale import DayScale
from figures.number_text import short_tick
from figures.tracks.value_axis import ValueAxis

MAX_END_LABELS = 5


def left_margin(means: Sequence[GroupMean], *, narrow: bool) -> int:
    """Room for the tick labels and, under the axis, for the group names, px."""
    longest = max((len(mean.group) for mean in means), default=0)
    return max(52, min(26 + 7 * longest, 110 if narrow else 150))


def visit_days(means: Sequence[GroupMean]) -> list[float]:
    """The visits that at least one group has."""
    return sorted({day for mean in means for day in mean.days})


def right_margin(means: Sequence[GroupMean], *, narrow: bool) -> int:
    """Room for the longest name at the end of a line, where names stand there."""
    if narrow or len(means) > MAX_END_LABELS:
        return 14
    return 22 + 8 * max((len(f"{mean.group}, n = {mean.n_patients}") for mean in means), default=0)


def days_on_axis(scale: DayScale, visits: Sequence[float], *, narrow: bool) -> dict[str, Any]:
    """Range and ticks of the days, with a little room at both ends."""
    ticks = [tick for tick in scale.ticks(visits) if tick.narrow or not narrow]
    first, last = scale.extent
    room = 0.02 * (last - first)
    return {
        "range": [first - room, last + room],
        "tickvals": [tick.position for tick in ticks],
        "ticktext": [tick.text for tick in ticks],
    }


def values_on_axis(values: ValueAxis, *, log: bool) -> dict[str, Any]:
    """Scale, range and ticks of the values."""
    ends = [values.low, values.high]
    return {
        "type": "log" if log else "linear",
        "range": [math.log10(end) for end in ends] if log else ends,
        "tickvals": list(values.ticks),
        "ticktext": [short_tick(tick) for tick in values.ticks],
    }
