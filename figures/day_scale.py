"""The one day axis of a patient: true to scale around infusion, compressed where little happens.

Days 0 to 28 hold most of the events and most of the samples; follow-up takes months. Drawn on a
plain axis the first month would be a smear, so the scale changes at marked knees: one to four
before day -7 and after day 28, one to sixteen after day 98, since a day 90 visit may be a week
late. Positions are the unit of every figure; labels and hovers always show days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from figures.number_text import day_text, whole_day

KNEES: tuple[tuple[float, float], ...] = ((28.0, 0.25), (98.0, 0.0625))
"""Day from which a scale holds, and the scale in positions per day; 1 before the first knee."""

EARLY_KNEE = -7.0
EARLY_SCALE = 0.25

PREFERRED_TICKS: tuple[int, ...] = (
    0, 28, 90, 14, 7, 60, -7, 21, 180, 365, 10, 3, 42, 5, -5, 75, 17, -3, 2, 120, 270, 1, 45, 35,
)  # fmt: skip
"""Days in the order in which they claim a place on the axis."""

MARGIN = 0.014
WIDE_GAP = 0.036
NARROW_GAP = 0.085


class Tick(NamedTuple):
    """A labelled day; `narrow` ticks still fit on a phone."""

    day: int
    position: float
    text: str
    narrow: bool


@dataclass(frozen=True)
class DayScale:
    """Days from infusion `low` to `high` and their positions on the axis."""

    low: float
    high: float

    def position(self, day: float) -> float:
        """Where `day` lies on the axis; position 0 is the infusion."""
        if day < EARLY_KNEE:
            return EARLY_KNEE + (day - EARLY_KNEE) * EARLY_SCALE
        position, start, scale = 0.0, 0.0, 1.0
        for knee, next_scale in KNEES:
            if day <= knee:
                break
            position += (knee - start) * scale
            start, scale = knee, next_scale
        return position + (day - start) * scale

    def day(self, position: float) -> float:
        """The day at a position: the inverse of `position`."""
        if position < EARLY_KNEE:
            return EARLY_KNEE + (position - EARLY_KNEE) / EARLY_SCALE
        start, scale, origin = 0.0, 1.0, 0.0
        for knee, next_scale in KNEES:
            at_knee = origin + (knee - start) * scale
            if position <= at_knee:
                break
            start, scale, origin = knee, next_scale, at_knee
        return start + (position - origin) / scale

    @property
    def extent(self) -> tuple[float, float]:
        """First and last position of the axis: the days with a margin, so that a mark on the
        first or last day does not stand on the tick labels."""
        first, last = self.position(self.low), self.position(self.high)
        margin = MARGIN * (last - first)
        return first - margin, last + margin

    def fraction(self, day: float) -> float:
        """How far along the axis `day` lies, 0 to 1."""
        first, last = self.extent
        return (self.position(day) - first) / (last - first)

    @property
    def knees(self) -> tuple[float, ...]:
        """Days inside the axis at which the scale changes."""
        days = (EARLY_KNEE, *(knee for knee, _ in KNEES))
        return tuple(day for day in days if self.low < day < self.high)

    @property
    def note(self) -> str:
        """The scale in words, empty when the whole axis is true to scale."""
        parts = []
        if self.low < EARLY_KNEE:
            parts.append(f"1:4 before day {day_text(EARLY_KNEE)}")
        if self.high > 28:
            parts.append("1:4 after day 28")
        if self.high > 98:
            parts.append("1:16 after day 98")
        return "Day scale " + ", ".join(parts) if parts else ""

    def ticks(self, days: Iterable[float]) -> tuple[Tick, ...]:
        """Labelled days: infusion and the visit days that fit beside each other."""
        first, last = self.extent
        wanted = _in_order_of_claim(days, self.low, self.high)
        wide = _spaced(wanted, self, WIDE_GAP * (last - first), ())
        narrow = set(_spaced(wide, self, NARROW_GAP * (last - first), ()))
        return tuple(
            Tick(day, self.position(day), day_text(day), day in narrow) for day in sorted(wide)
        )


def scale_for(
    days: Iterable[float], low: float | None = None, high: float | None = None
) -> DayScale:
    """The axis that holds all `days`, at least day -1 to 7, cut to the chosen window."""
    kept = [
        day
        for day in days
        if (low is None or day >= low - 0.5) and (high is None or day <= high + 0.5)
    ]
    return DayScale(low=min([-1.0, *kept]), high=max([7.0, *kept]))


def _in_order_of_claim(days: Iterable[float], low: float, high: float) -> list[int]:
    sampled = {whole_day(day) for day in days if low - 0.5 <= day <= high + 0.5}
    preferred = [day for day in PREFERRED_TICKS if day in sampled or day in (0, 28)]
    rest = sorted(sampled - set(preferred), key=lambda day: (-abs(day), day))
    return [day for day in [*preferred[:3], *_ends(sampled), *preferred[3:], *rest]
            if low - 0.5 <= day <= high + 0.5]  # fmt: skip


def _ends(sampled: set[int]) -> tuple[int, ...]:
    return (max(sampled), min(sampled)) if sampled else ()


def _spaced(
    candidates: Sequence[int], scale: DayScale, gap: float, taken: tuple[int, ...]
) -> list[int]:
    chosen = list(taken)
    for day in candidates:
        here = scale.position(day)
        if day not in chosen and all(
            abs(here - scale.position(other)) >= gap * _room(day, other) for other in chosen
        ):
            chosen.append(day)
    return chosen


def _room(day: int, other: int) -> float:
    """How much more room two labels need than two labels of two characters."""
    characters = (len(str(day)) + len(str(other))) / 2
    return 1.0 + 0.3 * max(0.0, characters - 2.0)
