"""Are the groups seen at the same times, and for as long?"""

from typing import TYPE_CHECKING

from analysis.day_support import PATIENTS, measured_around, near, thin_groups
from analysis.results import Check

if TYPE_CHECKING:
    from analysis.checks.answer import Answer

DROPOUT_GAP = 0.2
"""Difference of the shares still seen at the end from which dropout is named."""


def check_empty_cells(answer: "Answer") -> Check:
    """Visits at which a group has no patient cannot be compared and were left out; a day of a
    smooth curve near which a group was not measured is what the curve makes of it."""
    drawn = _only_drawn(answer)
    if drawn:
        return Check("empty_cells", "warning", drawn)
    if not answer.left_out:
        return Check("empty_cells", "ok", "Every group was seen at every time that is compared.")
    return Check(
        "empty_cells",
        "warning",
        f"Left out because a group has no patient then: {', '.join(answer.left_out)}.",
        float(len(answer.left_out)),
    )


def _only_drawn(answer: "Answer") -> str:
    """The first compared day without patients near it, in words; "" where each has them."""
    if answer.spec.time in ("visit", "none"):
        return ""
    days = [ratio.day for ratio in answer.fit.ratios if ratio.day is not None]
    for day in dict.fromkeys(days):
        for group in thin_groups(answer.frame, day):
            around = measured_around(answer.frame, group, day)
            return (
                f"Fewer than {PATIENTS} patients of {group} have a value within {near(day):.0f} "
                f"days of day {day:g} (nearest: {around}), so the curve alone speaks there; ask "
                "for days on which patients were measured."
            )
    return ""


def check_dropout(answer: "Answer") -> Check:
    """Share of each group that still has a value in the last quarter of the window.

    Patients who die or progress stop being measured: a mean over those who are left is not a
    mean over those who began.
    """
    frame, days = answer.frame, answer.frame["day"]
    if answer.spec.time == "none" or days.null_count() == len(days):
        return Check("dropout", "note", "No time course, so dropout was not looked at.")
    low, high = float(days.min()), float(days.max())  # type: ignore[arg-type]
    late = frame.filter(days >= high - (high - low) / 4)
    shares = {}
    for group in answer.groups:
        n = frame.filter(frame["group"] == group)["usubjid"].n_unique()
        still = late.filter(late["group"] == group)["usubjid"].n_unique()
        shares[group] = still / n if n else 0.0
    gap = max(shares.values()) - min(shares.values())
    words = ", ".join(f"{group} {100 * share:.0f} %" for group, share in shares.items())
    if gap > DROPOUT_GAP:
        return Check(
            "dropout",
            "warning",
            f"Still measured in the last quarter of the window: "
            f"{words}. Dropout by death or progression would bias the late comparison; "
            "compare at an earlier day as well.",
            gap,
        )
    return Check(
        "dropout", "ok", f"Still measured in the last quarter of the window: {words}.", gap
    )
