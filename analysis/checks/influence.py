"""Does one patient decide the answer?"""

from math import log
from typing import TYPE_CHECKING

from analysis.results import Check

if TYPE_CHECKING:
    from analysis.checks.answer import Answer

LARGE_CHANGE = 1.5


def check_influence(answer: "Answer") -> Check:
    """Largest change of the key ratio when one patient is left out; and whether the interval then
    crosses one."""
    moved = [point for point in answer.influence if point.change]
    key = answer.fit.key_ratio
    if not moved or key is None:
        return Check("influence", "note", "Leave-one-patient-out was not run.")
    worst = max(moved, key=lambda point: abs(log(point.change or 1.0)))
    factor = worst.change or 1.0
    flips = _excludes_one(key.conf_low, key.conf_high) and any(
        not _excludes_one(point.conf_low, point.conf_high) for point in moved
    )
    text = (f"Leaving out patient {worst.usubjid} moves the ratio most, by a factor of "
            f"{factor:.2f}.")
    if flips:
        return Check("influence", "warning", f"{text} Without a single patient the interval "
                     "includes one: the finding rests on one patient.", factor)
    if abs(log(factor)) > log(LARGE_CHANGE):
        return Check("influence", "warning", text, factor)
    return Check("influence", "ok", text, factor)


def _excludes_one(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and (low > 1 or high < 1)
