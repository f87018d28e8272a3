"""Where words stand in a track without covering data or each other.

Positions are weighed on a drawing of nominal width; a word for which no free place is found
is left out, because the right column names every line anyway.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from figures.day_scale import DayScale
from figures.tracks.track import Mark, Series, Track

WIDE_PX, NARROW_PX = 560.0, 280.0
"""Nominal widths of the plot on a desk and on a phone."""
CHAR_PX = 7.2
WORD_PX = 16.0
GAP_PX = 6.0
"""On either side of a word, so that two of them never read as one."""


class Placed(NamedTuple):
    """One word: anchor point in axis units, shift in pixels, color meaning."""

    text: str
    x: float
    y: float
    anchor: str
    shift_x: float
    shift_y: float
    color: str
    strong: bool


class _Box(NamedTuple):
    left: float
    right: float
    low: float
    high: float

    def meets(self, other: "_Box") -> bool:
        return not (
            self.right < other.left
            or other.right < self.left
            or self.high < other.low
            or other.high < self.low
        )


def name_series(track: Track, scale: DayScale, width: float = WIDE_PX) -> tuple[Placed, ...]:
    """Names of lines beside them, above or below a point where nothing else is drawn."""
    to_px = _Pixels(track, scale, width)
    ink = [box for series in track.series for box in to_px.line_boxes(series)]
    ink += [to_px.limit_box(limit.value) for limit in track.limits]
    placed: list[Placed] = []
    taken: list[_Box] = []
    for series in track.series:
        if not series.named:
            continue
        found = _place(series, to_px, ink, taken)
        if found is not None:
            word, box = found
            placed.append(word)
            taken.append(box._replace(left=box.left - GAP_PX, right=box.right + GAP_PX))
    return tuple(placed)


def _place(
    series: Series, to_px: "_Pixels", ink: Sequence[_Box], taken: Sequence[_Box]
) -> tuple[Placed, _Box] | None:
    name = series.named
    width = CHAR_PX * len(name)
    for point in sorted(
        series.points, key=lambda p: -p.value if series.dash == "solid" else -p.day
    ):
        x, y = to_px.at(point.day, point.value)
        for anchor, left, shift_x, shift_y in (
            ("left", x + 7, 7.0, 9.0),
            ("right", x - 7 - width, -7.0, 11.0),
            ("center", x - width / 2, 0.0, 15.0),
            ("left", x + 7, 7.0, -9.0),
            ("right", x - 7 - width, -7.0, -11.0),
            ("center", x - width / 2, 0.0, -15.0),
        ):
            box = _Box(
                left - GAP_PX,
                left + width + GAP_PX,
                y + shift_y - WORD_PX / 2,
                y + shift_y + WORD_PX / 2,
            )
            inside = (
                box.left > 4 and box.right < to_px.width and box.low > 0 and box.high < to_px.height
            )
            if inside and not any(box.meets(other) for other in (*ink, *taken)):
                word = Placed(name, to_px.scale.position(point.day), point.value, anchor,
                              shift_x, shift_y, series.color, True)  # fmt: skip
                return word, box
    return None


def free_stretch(
    track: Track, scale: DayScale, width: float = WIDE_PX, value: float | None = None
) -> float:
    """Position after infusion where the word of a limit meets no line: the middle of the widest
    free stretch, the middle of the axis when there is none."""
    to_px = _Pixels(track, scale, width)
    ceiling = 0.42 * to_px.height
    if value is not None:  # the line may lie higher, and its word above that
        ceiling = max(ceiling, to_px.at(0.0, value)[1] + WORD_PX)
    busy = sorted(
        (box.left, box.right)
        for series in track.series
        for box in to_px.line_boxes(series, linked_only=True)
        if box.low < ceiling
    )
    start = to_px.at(0.0, 1.0)[0] + 6
    best_width, best_middle = 0.0, (start + width) / 2
    for left, right in [*busy, (width, width)]:
        if left - start > best_width:
            best_width, best_middle = left - start, (left + start) / 2
        start = max(start, right)
    first, last = scale.extent
    return first + best_middle / width * (last - first)


class _Pixels:
    """Axis units of one track to nominal pixels, origin at the lower left."""

    def __init__(self, track: Track, scale: DayScale, width: float) -> None:
        self.scale = scale
        self.width = width
        self.height = float(track.height - 12)
        self._log = track.scale == "log"
        self._low, self._high = self._y(track.low), self._y(track.high)

    def _y(self, value: float) -> float:
        return math.log10(value) if self._log else value

    def at(self, day: float, value: float) -> tuple[float, float]:
        height = (self._y(value) - self._low) / (self._high - self._low) * self.height
        return self.scale.fraction(day) * self.width, height

    def limit_box(self, value: float) -> _Box:
        _, y = self.at(0.0, value)
        return _Box(0.0, self.width, y - 1, y + 15)

    def line_boxes(self, series: Series, linked_only: bool = False) -> list[_Box]:
        """Small boxes along a line, so that a word may stand under its slope; `linked_only`
        leaves out stretches between censored points, where no line is drawn."""
        spots = [self.at(point.day, point.value) for point in series.points]
        boxes = [_Box(x - 4, x + 4, y - 4, y + 4) for x, y in spots]
        hollow = [point.censored != "none" for point in series.points]
        for place, ((x0, y0), (x1, y1)) in enumerate(pairwise(spots)):
            if linked_only and hollow[place] and hollow[place + 1]:
                continue
            steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) / 6))
            for step in range(steps + 1):
                x, y = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
                boxes.append(_Box(x - 2, x + 2, y - 2, y + 2))
        return boxes


def beside_marks(track: Track, scale: DayScale, width: float = WIDE_PX) -> tuple[Placed, ...]:
    """Words beside symbols and bars of a lane, on the side with more room."""
    words = [_beside_span(scale, span.first_day, span.last_day, span.lane, span.beside)
             for span in track.spans if span.beside]  # fmt: skip
    for lane in range(len(track.lanes)):
        marks = sorted((mark for mark in track.marks if mark.lane == lane), key=lambda m: m.day)
        words += _mark_words(marks, scale, width)
    return tuple(words)


def _beside_span(
    scale: DayScale, first: float | None, last: float | None, lane: int, text: str
) -> Placed:
    first = scale.low if first is None else max(first, scale.low)
    last = scale.high if last is None else min(last, scale.high)
    right = 1.0 - scale.fraction(last) >= scale.fraction(first)
    day, anchor, shift = (last, "left", 8.0) if right else (first, "right", -8.0)
    return Placed(text, scale.position(day), lane, anchor, shift, 0.0, "secondary", False)


def _mark_words(marks: Sequence[Mark], scale: DayScale, axis_px: float) -> list[Placed]:
    words: list[Placed] = []
    busy_until = -math.inf
    for place, mark in enumerate(marks):
        if not mark.text:
            continue
        if mark.first_day is not None:
            words.append(_beside_span(scale, mark.first_day, mark.day, mark.lane, mark.text))
            continue
        x = scale.fraction(mark.day) * axis_px
        width = CHAR_PX * len(mark.text) + 10
        after = marks[place + 1].day if place + 1 < len(marks) else None
        next_x = axis_px + 8 if after is None else scale.fraction(after) * axis_px - 7
        if x + 8 + width <= next_x:
            anchor, shift, busy = "left", 9.0, x + 8 + width
        elif x - 8 - width >= busy_until and (
            place == 0 or _far(marks[place - 1], x - 8 - width, scale, axis_px)
        ):
            anchor, shift, busy = "right", -9.0, x + 8
        else:
            continue
        busy_until = busy
        words.append(Placed(mark.text, scale.position(mark.day), mark.lane, anchor, shift, 0.0,
                            "ink", True))  # fmt: skip
    return words


def _far(before: Mark, left: float, scale: DayScale, axis_px: float) -> bool:
    return scale.fraction(before.day) * axis_px + 8 <= left
