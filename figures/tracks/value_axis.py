"""Value axes of the tracks: ranges without an empty quarter, ticks a reader can count by."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class ValueAxis(NamedTuple):
    """Range and ticks in data units (also on a log axis)."""

    low: float
    high: float
    ticks: tuple[float, ...]
    minor_ticks: tuple[float, ...] = ()


def log_axis(values: Iterable[float], *, tall: bool = False) -> ValueAxis:
    """Room for all positive `values`; ticks 1, 10, 100, with a 3 between when two decades or less,
    and more within one.

    tall: a figure of its own, with room for twice the ticks of a track. A series within one
    decade still gets half a decade on either side at most, so that noise does not look like a
    trend.
    """
    positive = [value for value in values if value > 0]
    if not positive:
        return ValueAxis(0.5, 20.0, (1.0, 10.0))
    low, high = math.log10(min(positive)), math.log10(max(positive))
    if high - low < 0.6:
        middle = (low + high) / 2
        low, high = middle - 0.3, middle + 0.3
    margin = 0.07 * (high - low)
    low, high = low - margin, high + margin
    return ValueAxis(10**low, 10**high, _log_ticks(low, high, tall), _log_minor(low, high))


def _log_ticks(low: float, high: float, tall: bool) -> tuple[float, ...]:
    decades = (high - low) / (2.0 if tall else 1.0)
    if decades > 4.2:
        steps: tuple[float, ...] = (1.0,)
        stride = math.ceil(decades / 3.5)
    elif decades > 2.1:
        steps, stride = (1.0,), 1
    elif decades > 1.05:
        steps, stride = (1.0, 3.0), 1
    elif decades > 0.8:
        steps, stride = (1.0, 2.0, 5.0), 1
    else:  # so that values from 0.9 to 4 are not read off 1 and 2 alone
        steps, stride = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0), 1
    powers = range(math.floor(low), math.ceil(high) + 1)
    found = [
        step * 10.0**power for power in powers if power % stride == 0 for step in steps
        if low <= math.log10(step) + power <= high
    ]  # fmt: skip
    return tuple(found)


def _log_minor(low: float, high: float) -> tuple[float, ...]:
    if high - low > 4.2:
        return tuple(10.0**p for p in range(math.ceil(low), math.floor(high) + 1))
    powers = range(math.floor(low), math.ceil(high) + 1)
    every = [step * 10.0**power for power in powers for step in range(1, 10)]
    return tuple(value for value in every if low <= math.log10(value) <= high)


def linear_axis(values: Sequence[float], include: float = 0.0) -> ValueAxis:
    """Room for all `values` and for `include`, three to five round ticks."""
    low, high = min([include, *values]), max([include, *values])
    if high - low < 1e-9:
        low, high = low - 1.0, high + 1.0
    margin = 0.08 * (high - low)
    low, high = low - margin, high + margin
    step = _round_step((high - low) / 3.2)
    first = math.ceil(low / step)
    ticks = tuple(index * step for index in range(first, math.floor(high / step) + 1))
    return ValueAxis(low, high, ticks)


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return float(min((1, 2, 2.5, 5, 10), key=lambda step: abs(step * power - raw)) * power)
