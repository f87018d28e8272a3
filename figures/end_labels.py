"""Names of groups beside the ends of their means, pushed apart."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from figures.curves import GroupMean
from figures.day_scale import DayScale
from figures.tracks.value_axis import ValueAxis


class EndLabel(NamedTuple):
    """A group's name beside the last point of its mean; height 0 to 1 of the panel."""

    group: str
    text: str
    position: float
    height: float


def end_labels(
    means: Sequence[GroupMean],
    axis: ValueAxis,
    scale: DayScale,
    *,
    log: bool,
    gap: float = 0.07,
) -> tuple[EndLabel, ...]:
    """Labels at the ends of the means, pushed apart where two would lie on each other.

    All stand beside the panel, each at the height at which its mean ends.
    """
    found = []
    for mean in means:
        known = [value for value in mean.means if math.isfinite(value)]
        if known:
            height = panel_height(known[-1], axis, log=log)
            text = f"{mean.group}, n = {mean.n_patients}"
            found.append(EndLabel(mean.group, text, scale.extent[1], height))
    placed: list[EndLabel] = []
    for label in sorted(found, key=lambda item: item.height):
        below = [item.height for item in placed if item.position == label.position]
        placed.append(label._replace(height=max([label.height, 0.02, *(h + gap for h in below)])))
    overflow = max([0.0, *(label.height - 0.98 for label in placed)])
    return tuple(label._replace(height=label.height - overflow) for label in placed)


def panel_height(value: float, axis: ValueAxis, *, log: bool) -> float:
    """Where a value lies between the ends of its axis, 0 to 1."""
    if log:
        return math.log(value / axis.low) / math.log(axis.high / axis.low)
    return (value - axis.low) / (axis.high - axis.low)
