"""How much of the outcome is below the limit, and does the rule for it decide the answer?"""

from math import log
from typing import TYPE_CHECKING

from analysis.results import Check

if TYPE_CHECKING:
    from analysis.checks.answer import Answer

LARGE_SHARE = 0.2
RULE_MATTERS = 1.25
"""Factor between the key ratios of two rules from which the rule decides the answer."""


def check_below_limit(answer: "Answer") -> Check:
    """The share of values below the limit, what was done with them, and whether that decides.

    Under the censored likelihood the substituted answers stand beside it and decide nothing.
    """
    n, total = answer.fit.n_censored, answer.fit.n_observations
    if not n:
        return Check("below_limit", "ok", "No value is below the limit.", 0.0)
    done = {
        "half_lloq": "set to half the limit",
        "drop": "left out",
        "censored": "kept as lying there (censored likelihood)",
    }[answer.spec.blq]
    words = f"{n} value{'s' if n > 1 else ''} below the limit {'were' if n > 1 else 'was'} {done}."
    if answer.n_assumed:
        words += (
            f" {answer.n_assumed} of them came as zero without a limit; the smallest "
            "measured value was taken as their limit."
        )
    ratios = [row.ratio for row in answer.fit.sensitivity if row.ratio]
    factor = max(ratios) / min(ratios) if len(ratios) > 1 and min(ratios) > 0 else 1.0
    if answer.spec.blq == "censored":
        return Check(
            "below_limit",
            "note",
            f"{words} By other rules the ratio moves by a factor of {factor:.2g} (see the "
            "sensitivity table).",
            n / max(total, 1),
        )
    if abs(log(factor)) > log(RULE_MATTERS):
        return Check(
            "below_limit",
            "warning",
            f"{words} The rule matters: the ratio moves by a "
            f"factor of {factor:.2g} between rules (see the sensitivity table).",
            factor,
        )
    if n > LARGE_SHARE * max(total, 1):
        return Check(
            "below_limit",
            "warning",
            f"{words} That is {100 * n / total:.0f} % of the "
            "values; the spread between patients is understated.",
            n / total,
        )
    return Check(
        "below_limit",
        "note",
        f"{words} The sensitivity table shows the other rules.",
        n / max(total, 1),
    )
