"""What one track of a patient holds: numbers, words and meanings, no pixels and no colors.

`color` names a meaning (`blood`, `reporter_gene`, `ink` ...), never a hue; the theme resolves it
when the track is drawn, so that a track can be compared and tested as plain numbers.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

Dash = Literal["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"]
Weight = Literal["bold", "normal", "thin"]
Scale = Literal["log", "linear", "lanes"]
Censored = Literal["none", "left", "right", "interval"]


class Point(NamedTuple):
    """One sample: where it is drawn, what it says, where it came from."""

    day: float
    value: float
    """Drawn height; the limit itself when the value is censored."""
    censored: Censored
    text: str
    """The value; "< 50" when below the limit."""
    unit: str
    hover: str


class Series(NamedTuple):
    """Samples of one quantity in one place, in order of day."""

    key: str
    label: str
    points: tuple[Point, ...]
    color: str
    dash: Dash = "solid"
    weight: Weight = "normal"
    named: str = ""
    """Word that may stand beside the line; empty for a line that only the legend names."""


class Mark(NamedTuple):
    """A symbol on a lane: a scan, a response call, a single dose."""

    day: float
    lane: int
    symbol: str
    color: str
    hover: str
    text: str = ""
    """Word beside the symbol."""
    first_day: float | None = None
    """First day of the group that the word names, when it stands for several symbols."""


class Span(NamedTuple):
    """A stretch of days on a lane: a grade that held, a drug that was given."""

    start: float
    end: float
    lane: int
    color: str
    hover: str
    inside: str = ""
    beside: str = ""
    first_day: float | None = None
    last_day: float | None = None
    """First and last day of the course that the word beside names."""
    open_end: bool = False
    """The end is not recorded or lies after the axis."""
    band: bool = False
    """A filled band as high as its lane (a grade) instead of a bar (a drug)."""


class Limit(NamedTuple):
    """A horizontal line with a word: the lower limit of quantification."""

    value: float
    text: str
    color: str


class ReadRow(NamedTuple):
    """One line of the right column: legend and read-out in one."""

    label: str
    value: str
    series: str = ""
    """Key of the series whose line stands before the label."""
    symbol: str = ""
    color: str = ""
    at: str = ""
    """The day of the value when it is a neighbor of the chosen day."""


class Track(NamedTuple):
    """One horizontal strip of the page, on the shared day axis."""

    key: str
    name: str
    note: str
    """What is drawn with its unit: the title of the value axis."""
    scale: Scale
    height: int
    low: float = 0.0
    high: float = 1.0
    ticks: tuple[float, ...] = ()
    minor_ticks: tuple[float, ...] = ()
    lanes: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    marks: tuple[Mark, ...] = ()
    spans: tuple[Span, ...] = ()
    limits: tuple[Limit, ...] = ()
    reference: float | None = None
    rows: tuple[ReadRow, ...] = ()

    @property
    def days(self) -> tuple[float, ...]:
        """Every day at which this track shows something."""
        found = [point.day for series in self.series for point in series.points]
        found += [mark.day for mark in self.marks]
        for span in self.spans:
            found += [span.start, span.end]
        return tuple(sorted(found))


class Segments(NamedTuple):
    """One polyline with gaps: `None` lifts the pen."""

    days: tuple[float | None, ...]
    values: tuple[float | None, ...]


def solid_segments(points: Sequence[Point]) -> Segments:
    """The line through neighboring exact values; it stops at every censored one."""
    return _joined(points, lambda a, b: a.censored == "none" and b.censored == "none")


def leading_segments(points: Sequence[Point]) -> Segments:
    """Faint links from an exact value to a censored neighbor; never between two censored ones."""
    return _joined(points, lambda a, b: (a.censored == "none") != (b.censored == "none"))


def _joined(points: Sequence[Point], wanted: Callable[[Point, Point], bool]) -> Segments:
    days: list[float | None] = []
    values: list[float | None] = []
    for first, second in pairwise(points):
        if not wanted(first, second):
            continue
        if days and days[-1] == first.day and values[-1] == first.value:
            days.append(second.day)
            values.append(second.value)
            continue
        if days:
            days.append(None)
            values.append(None)
        days += [first.day, second.day]
        values += [first.value, second.value]
    return Segments(tuple(days), tuple(values))
