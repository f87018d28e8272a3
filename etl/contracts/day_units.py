"""Units in which a length of time may be delivered where days are stored."""

import re
from collections.abc import Mapping

DAYS_PER: Mapping[str, float] = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
"""Days in one unit: a year of the Julian calendar and its twelfth."""

_SHORT: Mapping[str, tuple[str, ...]] = {
    "days": ("d", "day"),
    "weeks": ("w", "wk", "wks", "week"),
    "months": ("mo", "mos", "mth", "mths", "month"),
    "years": ("y", "yr", "yrs", "year"),
}
WORDS: Mapping[str, str] = {word: unit for unit, words in _SHORT.items() for word in (unit, *words)}
"""How exports write the units, in lower case."""

DAY_FIELDS = frozenset({"time_day", "rel_day", "end_rel_day", "nominal_day"})
"""Fields of an incoming table that hold days."""

_LONGER = re.compile(
    r"(weeks|months|years)|(?<![a-z])(w|wks?|week|mo|mos|mths?|month|y|yrs?|year)(?![a-z])",
    re.IGNORECASE,
)
_DAY = re.compile(r"days|(?<![a-z])(?:d|day)(?![a-z])", re.IGNORECASE)


def longer_unit(header: str) -> str | None:
    """The unit that a header states instead of days ("PFS months"); None where it says days too, as
    "Week 4 (day)" does, or states none."""
    found = _LONGER.search(header)
    if found is None or _DAY.search(header):
        return None
    return WORDS[found.group(0).lower()]
