"""A line the size of a word: the course of a patient or a lesion on a scale its table shares."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from figures.day_scale import DayScale
from figures.svg_text import number, svg_document
from figures.theme import Theme
from figures.tracks.pen import color_of

WIDTH, HEIGHT, MARGIN = 96.0, 24.0, 4.0


class SparkScale(NamedTuple):
    """The scale that all lines of one column share; `low` and `high` are logs on a log scale."""

    days: DayScale
    low: float
    high: float
    log: bool


class SparkPoint(NamedTuple):
    """One sample: a day, its drawn value, and whether that is only a limit."""

    day: float
    value: float
    at_limit: bool


class Sparkline(NamedTuple):
    """Positions 0 to 1, y upward; segments run between neighboring exact values only."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    open: tuple[bool, ...]
    peak: int | None
    infusion: float | None
    zero: float | None
    """Height of the no-change line of a linear scale; None on a log scale."""


def spark_scale(lines: Iterable[Sequence[SparkPoint]], days: DayScale, log: bool) -> SparkScale:
    """The scale that holds every line of a column."""
    heights = [
        math.log10(point.value) if log else point.value
        for line in lines
        for point in line
        if not log or point.value > 0
    ]
    if not log:
        heights.append(0.0)
    if not heights:
        return SparkScale(days, 0.0, 1.0, log)
    low, high = min(heights), max(heights)
    return SparkScale(days, low, high if high > low else low + 1.0, log)


def prepare_sparkline(points: Sequence[SparkPoint], scale: SparkScale) -> Sparkline | None:
    """One line on the shared scale; None without a point inside it."""
    days = scale.days
    kept = [
        point
        for point in sorted(points)
        if days.low - 0.5 <= point.day <= days.high + 0.5 and (not scale.log or point.value > 0)
    ]
    if not kept:
        return None
    span = scale.high - scale.low
    heights = [math.log10(p.value) if scale.log else p.value for p in kept]
    exact = [place for place, point in enumerate(kept) if not point.at_limit]
    peak = max(exact, key=lambda place: heights[place], default=None)
    return Sparkline(
        xs=tuple(days.fraction(point.day) for point in kept),
        ys=tuple(min(max((height - scale.low) / span, 0.0), 1.0) for height in heights),
        open=tuple(point.at_limit for point in kept),
        peak=peak if scale.log else len(kept) - 1,
        infusion=days.fraction(0.0) if days.low < 0 else None,
        zero=None if scale.log else (0.0 - scale.low) / span,
    )


def draw_sparkline(
    numbers: Sparkline, theme: Theme, color: str, width: float = WIDTH, height: float = HEIGHT
) -> str:
    """SVG text of a line; `color` names a meaning."""
    ink = color_of(color, theme)

    def at(x: float, y: float) -> tuple[str, str]:
        return (
            number(MARGIN + x * (width - 2 * MARGIN)),
            number(height - MARGIN - y * (height - 2 * MARGIN)),
        )

    parts = []
    if numbers.infusion is not None:
        x, _ = at(numbers.infusion, 0)
        parts.append(f'<path d="M{x} 1V{height - 1:g}" stroke="{theme.hairline}"/>')
    if numbers.zero is not None:
        _, y = at(0, numbers.zero)
        parts.append(f'<path d="M{MARGIN:g} {y}H{width - MARGIN:g}" stroke="{theme.hairline}"/>')
    spots = [at(x, y) for x, y in zip(numbers.xs, numbers.ys, strict=True)]
    for faint in (True, False):
        path = _path(spots, numbers.open, faint)
        if path:
            style = 'stroke-opacity=".5"' if faint else 'stroke-width="1.6"'
            parts.append(f'<path d="{path}" fill="none" stroke="{ink}" {style}/>')
    for place, (x, y) in enumerate(spots):
        if numbers.open[place]:
            parts.append(f'<circle cx="{x}" cy="{y}" r="1.8" fill="{theme.card}" stroke="{ink}"/>')
    if numbers.peak is not None and not numbers.open[numbers.peak]:
        x, y = spots[numbers.peak]
        parts.append(f'<circle cx="{x}" cy="{y}" r="2.6" fill="{ink}"/>')
    return svg_document(width, height, "".join(parts))


def _path(spots: Sequence[tuple[str, str]], is_open: Sequence[bool], faint: bool) -> str:
    """Strokes between exact neighbors, or (faint) from an exact to a censored neighbor."""
    made = []
    for place in range(len(spots) - 1):
        pair = is_open[place] + is_open[place + 1]
        if pair == (1 if faint else 0):
            (x0, y0), (x1, y1) = spots[place], spots[place + 1]
            made.append(f"M{x0} {y0}L{x1} {y1}")
    return "".join(made)
