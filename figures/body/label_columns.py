"""Room for labels at both sides of the body: in order of height, never closer than a line."""

from collections.abc import Sequence
from typing import NamedTuple

from figures.body.shapes import MIDDLE, Point


class Wanted(NamedTuple):
    """A label and the point that it speaks of; `left` when it would rather stand at the left."""

    key: str
    anchor: Point
    left: bool


class Slot(NamedTuple):
    """Where a label came to stand: its side and the height of its middle."""

    key: str
    left: bool
    y: float


def place_labels(
    wanted: Sequence[Wanted], top: float, bottom: float, gap: float
) -> tuple[Slot, ...]:
    """A slot for every label. A side that is too full hands over the labels that lie nearest to
    the middle; within a side labels keep the order of their anchors, so that lines do not cross."""
    room = int((bottom - top) // gap) + 1
    left = [one for one in wanted if one.left]
    right = [one for one in wanted if not one.left]
    _hand_over(left, right, room)
    _hand_over(right, left, room)
    return (*_column(left, True, top, bottom, gap), *_column(right, False, top, bottom, gap))


def _hand_over(full: list[Wanted], other: list[Wanted], room: int) -> None:
    target = max(room, 1)
    while len(full) > target and len(other) < target:
        nearest = min(full, key=lambda one: abs(one.anchor[0] - MIDDLE))
        full.remove(nearest)
        other.append(nearest)
    while len(full) - len(other) > 3:
        nearest = min(full, key=lambda one: abs(one.anchor[0] - MIDDLE))
        full.remove(nearest)
        other.append(nearest)


def _column(
    members: list[Wanted], left: bool, top: float, bottom: float, gap: float
) -> tuple[Slot, ...]:
    ordered = sorted(members, key=lambda one: (one.anchor[1], one.key))
    if not ordered:
        return ()
    step = min(gap, (bottom - top) / max(len(ordered) - 1, 1))
    heights = [min(max(one.anchor[1], top), bottom) for one in ordered]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + step)
    excess = heights[-1] - bottom
    if excess > 0:
        heights[-1] = bottom
        for place in range(len(heights) - 2, -1, -1):
            heights[place] = min(heights[place], heights[place + 1] - step)
    return tuple(Slot(one.key, left, y) for one, y in zip(ordered, heights, strict=True))
