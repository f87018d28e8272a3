"""One patient's parameter among the cohort: a tick per patient, quartile box, median, a dot."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from figures.svg_text import number, svg_document
from figures.theme import Theme, rgba
from figures.tracks.pen import color_of

WIDTH, HEIGHT, MARGIN = 90.0, 18.0, 6.0


class CohortStrip(NamedTuple):
    """Positions are 0 to 1 along the strip; the patient is one of the cohort."""

    ticks: tuple[float, ...]
    lower_quartile: float
    median: float
    upper_quartile: float
    own: float | None
    percentile: int | None
    """Share of the cohort below the patient in percent, ties counted half; None below five."""
    n: int
    median_value: float


def prepare_cohort_strip(
    values: Sequence[float], own: float | None, log: bool
) -> CohortStrip | None:
    """The strip of a parameter; None with fewer than three patients.

    On a log strip values that are not positive have no place and are left out.
    """
    usable = sorted(v for v in values if math.isfinite(v) and (not log or v > 0))
    if len(usable) < 3:
        return None
    scaled = [math.log10(v) if log else v for v in usable]
    low, high = scaled[0], scaled[-1]
    width = high - low or 1.0

    def place(value: float) -> float:
        return min(max((value - low) / width, 0.0), 1.0) if high > low else 0.5

    middle = quantile(scaled, 0.5)
    shown = own is not None and math.isfinite(own) and (not log or own > 0)
    own_scaled = (math.log10(own) if log else own) if shown and own is not None else None
    return CohortStrip(
        ticks=tuple(place(v) for v in scaled),
        lower_quartile=place(quantile(scaled, 0.25)),
        median=place(middle),
        upper_quartile=place(quantile(scaled, 0.75)),
        own=None if own_scaled is None else place(own_scaled),
        percentile=percentile(usable, own) if shown and own is not None else None,
        n=len(usable),
        median_value=10**middle if log else middle,
    )


def percentile(values: Sequence[float], own: float) -> int | None:
    """Mid-rank percentile of `own` among `values`; None with fewer than five values."""
    if len(values) < 5:
        return None
    below = sum(v < own for v in values)
    equal = sum(v == own for v in values)
    return math.floor(100.0 * (below + 0.5 * equal) / len(values) + 0.5)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Quantile of ordered values by linear interpolation (type 7)."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def draw_cohort_strip(numbers: CohortStrip, theme: Theme, color: str) -> str:
    """SVG text of a strip; `color` is the meaning of the patient's signal."""
    middle = HEIGHT / 2

    def x(position: float) -> str:
        return number(MARGIN + position * (WIDTH - 2 * MARGIN))

    left, right = float(x(numbers.lower_quartile)), float(x(numbers.upper_quartile))
    box = (
        f'<rect x="{number(left)}" y="{number(middle - 5)}" width="{number(max(right - left, 1))}" '
        f'height="10" rx="1" fill="{rgba(theme.muted, 0.22)}"/>'
    )
    ticks = "".join(f"M{x(tick)} {middle - 3.5:g}v7" for tick in numbers.ticks)
    lines = f'<path d="{ticks}" stroke="{theme.muted}" stroke-opacity=".7" fill="none"/>'
    median = (
        f'<path d="M{x(numbers.median)} {middle - 6.5:g}v13" stroke="{theme.ink}" '
        'stroke-width="2" fill="none"/>'
    )
    dot = ""
    if numbers.own is not None:
        dot = (
            f'<circle cx="{x(numbers.own)}" cy="{middle:g}" r="4.6" '
            f'fill="{color_of(color, theme)}" stroke="{theme.card}" stroke-width="1.4"/>'
        )
    return svg_document(WIDTH, HEIGHT, box + lines + median + dot)
