"""What the body map holds: one scan of one tracer, region by region."""

from typing import NamedTuple


class Region(NamedTuple):
    """One labelled region of the map; `value` colors it, `text` is printed."""

    code: str
    name: str
    value: float | None
    text: str
    hover: str
    physiologic: bool = False
    place: tuple[float, float] | None = None
    """Center of a lesion; None for an organ, and for a lesion whose place is not known."""


class BodyMap(NamedTuple):
    """One scan of one tracer."""

    title: str
    unit: str
    tracer_id: str
    tracer_class: str
    day: int
    organs: tuple[Region, ...]
    lesions: tuple[Region, ...]
    unplaced: tuple[Region, ...]
    low: float
    high: float
