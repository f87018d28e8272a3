"""Does one patient decide the answer?"""

from math import log
from typing import TYPE_CHECKING

from analysis.results import Check, GeometricMeanRatio, InfluencePoint

if TYPE_CHECKING:
    from analysis.checks.answer import Answer

LARGE_CHANGE = 1.5
"""Factor by which a ratio may move without one patient before it is named."""
LARGE_SHARE = 0.5
"""The same for a difference: share of half the interval's width."""


def check_influence(answer: "Answer") -> Check:
    """Largest change of the key ratio when one patient is left out; and whether the interval then
    takes in no difference."""
    key = answer.fit.key_ratio
    moved = [point for point in answer.influence if point.change is not None]
    if not moved or key is None:
        return Check("influence", "note", "Leave-one-patient-out was not run.")
    worst = max(moved, key=lambda point: _size(point, key))
    change = worst.change or 0.0
    by = f"by {change:.2g}" if key.kind == "difference" else f"by a factor of {change:.2f}"
    text = f"Leaving out patient {worst.usubjid} moves the result most, {by}."
    turning = [p for p in moved if not _is_clear(key, p.conf_low, p.conf_high)]
    if _is_clear(key, key.conf_low, key.conf_high) and turning:
        one = max(turning, key=lambda point: _size(point, key)).usubjid
        return Check(
            "influence",
            "warning",
            f"{text} Without patient {one} the interval "
            "takes in no difference: the finding rests on one patient.",
            change,
        )
    return Check("influence", "warning" if _size(worst, key) > 1 else "ok", text, change)


def _size(point: InfluencePoint, key: GeometricMeanRatio) -> float:
    """Change relative to what is named: above 1 is large."""
    change = point.change or 0.0
    if key.kind != "difference":
        return abs(log(change)) / log(LARGE_CHANGE) if change > 0 else 0.0
    half = ((key.conf_high or 0.0) - (key.conf_low or 0.0)) / 2
    return abs(change) / (LARGE_SHARE * half) if half > 0 else 0.0


def _is_clear(key: GeometricMeanRatio, low: float | None, high: float | None) -> bool:
    null = 0.0 if key.kind == "difference" else 1.0
    return low is not None and high is not None and (low > null or high < null)
