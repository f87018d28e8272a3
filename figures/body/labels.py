"""Labels of the body map: a name, a value and a line to the region that they speak of."""

import math
from typing import Any

from figures.body.label_columns import Slot, Wanted, place_labels
from figures.body.region import BodyMap, Region
from figures.body.shapes import MIDDLE, WIDTH, Organ
from figures.theme import TICK_FONT_PX, Theme, rgba

TOP, BOTTOM, LINE = 24.0, 372.0, 37.0
"""Heights between which labels stand, and the room of one."""


def label_slots(numbers: BodyMap, shapes: dict[str, Organ]) -> dict[str, Slot]:
    wanted = [
        Wanted(one.code, shapes[one.code].anchor, shapes[one.code].left_label)
        for one in numbers.organs
    ]
    wanted += [
        Wanted(one.code, one.place, one.place[0] < MIDDLE - 1)
        for one in numbers.lesions
        if one.place is not None
    ]
    return {slot.key: slot for slot in place_labels(wanted, TOP, BOTTOM, LINE)}


def label_traces(
    numbers: BodyMap, shapes: dict[str, Organ], slots: dict[str, Slot], theme: Theme
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    xs: list[float | None] = []
    ys: list[float | None] = []
    dots: list[tuple[float, float]] = []
    texts: list[dict[str, Any]] = []
    lesion_codes = {one.code for one in numbers.lesions}
    for region in (*numbers.organs, *numbers.lesions):
        slot = slots[region.code]
        end = region.place or shapes[region.code].anchor
        is_lesion = region.code in lesion_codes
        start = _text_end(region, slot)
        bend = start + (12 if slot.left else -12)
        stop = _before_ring(end, (bend, slot.y + 8)) if is_lesion else end
        xs += [start, bend, stop[0], None]
        ys += [slot.y + 8, slot.y + 8, stop[1], None]
        if not is_lesion:
            dots.append(end)
        texts += _words(region, slot, is_lesion, theme)
    line = {
        "type": "scatter", "mode": "lines", "x": xs, "y": ys, "hoverinfo": "skip",
        "line": {"color": theme.secondary, "width": 1},
    }  # fmt: skip
    dot = {
        "type": "scatter", "mode": "markers", "hoverinfo": "skip",
        "x": [x for x, _ in dots], "y": [y for _, y in dots],
        "marker": {"size": 4.5, "color": theme.ink, "line": {"width": 1, "color": theme.card}},
    }  # fmt: skip
    return line, dot, texts


def _text_end(region: Region, slot: Slot) -> float:
    width = 7.4 * len(region.text) + 6
    return width if slot.left else WIDTH - width


def _before_ring(end: tuple[float, float], start: tuple[float, float]) -> tuple[float, float]:
    """The leader line ends at the ring, not in it."""
    dx, dy = start[0] - end[0], start[1] - end[1]
    length = math.hypot(dx, dy) or 1.0
    return end[0] + dx / length * 8, end[1] + dy / length * 8


def _words(region: Region, slot: Slot, is_lesion: bool, theme: Theme) -> list[dict[str, Any]]:
    base: dict[str, Any] = {
        "x": 0 if slot.left else WIDTH,
        "xanchor": "left" if slot.left else "right",
        "showarrow": False,
        "bgcolor": rgba(theme.card, 0.8),
        "borderpad": 0,
    }
    name_color = theme.ink if is_lesion else theme.secondary
    value_color = theme.ink if region.value is not None else theme.muted
    return [
        {**base, "y": slot.y - 8, "text": region.name,
         "font": {"size": TICK_FONT_PX, "color": name_color, "weight": 600 if is_lesion else 400}},
        {**base, "y": slot.y + 8, "text": region.text,
         "font": {"size": 13, "color": value_color, "weight": 600 if region.value else 400}},
    ]  # fmt: skip
