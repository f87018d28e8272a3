"""How much of the outcome is below the limit. Whether the rule for it decides the answer:
`analysis.checks.conclusion`."""

from typing import TYPE_CHECKING

from analysis.load_words import zero_rule
from analysis.results import Check

if TYPE_CHECKING:
    from analysis.checks.answer import Answer

LARGE_SHARE = 0.2


def check_below_limit(answer: "Answer") -> Check:
    """The share of values below the limit and what was done with them; a large share that is not
    in the likelihood is a warning."""
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
            f" {answer.n_assumed} of them came as zero without a limit of quantification, "
            f"{zero_rule(answer.n_assumed)}."
        )
    if answer.spec.blq != "censored" and n > LARGE_SHARE * max(total, 1):
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
