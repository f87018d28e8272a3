"""Does the conclusion hold: under every rule below the limit, and over the whole course?

Two fits of the same data conclude differently when one is below 5 % and the other is not, or when
they point in opposite directions. Both are said in the sentence of the fit, before any other
caution.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from analysis.exposure_rules import EXPOSURE_QUESTIONS
from analysis.number_words import number, p_words
from analysis.results import Check, Fit, SensitivityRow

if TYPE_CHECKING:
    from analysis.checks.answer import Answer

ALPHA = 0.05
RULE_MATTERS = 1.25
"""Factor between the key ratios of two rules from which the rule decides the size."""
RULE_WORDS = {
    "censored": "censored",
    "half_lloq": "half the limit",
    "drop": "left out",
}
CONCLUSIONS = ("conclusion_by_rule", "conclusion_by_day")
"""Checks whose words always stand in the sentence of a fit."""


def check_conclusion_by_rule(answer: "Answer") -> Check:
    """Whether censoring, half the limit and leaving out lead to one conclusion: the key ratio and
    the test of the whole course on the same side of 5 %, one direction, about one size."""
    name, fit = "conclusion_by_rule", answer.fit
    rows = [row for row in fit.sensitivity if row.ratio]
    if not fit.n_censored:
        return Check(name, "ok", "No value is below the limit, so no rule for them decides.")
    if len(rows) < 2:
        return Check(name, "note", "No second rule for values below the limit could be compared.")
    factor = _factor(rows)
    said = _difference(fit, rows)
    if not said:
        return Check(
            name,
            "ok",
            f"{len(rows)} rules for values below the limit lead to one conclusion; the ratio "
            f"moves by a factor of {factor:.2g} between them.",
            factor,
        )
    return Check(name, "warning", f"{said}; {_todo(answer, rows)}", factor)


def _difference(fit: Fit, rows: Sequence[SensitivityRow]) -> str:
    """How the rules disagree, the gravest first; "" where they agree."""
    if _disagree([row.p_value for row in rows]):
        p_values = _listed((row.rule, _p(row.p_value)) for row in rows if row.p_value is not None)
        return f"The conclusion depends on the rule for values below the limit ({p_values})"
    if _disagree([row.joint_p_value for row in rows]):
        whole = [row for row in rows if row.joint_p_value is not None]
        p_values = _listed((row.rule, _p(row.joint_p_value)) for row in whole)
        return (
            "The test of the whole course depends on the rule for values below the limit "
            f"({p_values})"
        )
    ratios = _listed((row.rule, f"ratio {number(row.ratio or 0.0)}") for row in rows)
    if _opposite(rows):
        return f"The direction depends on the rule for values below the limit ({ratios})"
    if _factor(rows) > RULE_MATTERS:
        return f"The size depends on the rule for values below the limit ({ratios})"
    return ""


def _todo(answer: "Answer", rows: Sequence[SensitivityRow]) -> str:
    """The censored answer is the one to believe, where there is one to what turned."""
    censored = next((row for row in rows if row.rule == "censored"), None)
    if answer.spec.question in EXPOSURE_QUESTIONS:
        return (
            "an exposure has no censored likelihood: report both, and conclude from neither alone."
        )
    if censored is None:
        return (
            "the censored rule could not be fitted: report those that were, and conclude from "
            "none alone."
        )
    agree = not _disagree([row.p_value for row in rows])
    if agree and _disagree([row.joint_p_value for row in rows]) and censored.joint_p_value is None:
        return (
            "there is no such test with the values censored: report both, and conclude from "
            "neither alone."
        )
    if answer.spec.blq == "censored":
        return "keep the censored result, and report the others beside it."
    shown = RULE_WORDS[answer.spec.blq]
    return (
        "take the rule 'censored' as the primary one, and report the others beside it; the number "
        f"above is that of the rule '{shown}', which has a test of the whole course."
    )


def check_conclusion_by_day(answer: "Answer") -> Check:
    """Whether the key ratio and the test of the whole course are on the same side of 5 %."""
    name, key, test = "conclusion_by_day", answer.fit.key_ratio, answer.fit.group_test
    if key is None or test is None or key.p_value is None or key.day is None:
        return Check(name, "ok", "There is no test of the whole course beside the ratio.")
    day, own, whole = f"day {key.day:g}", _p(key.p_value), _p(test.p_value)
    if not _disagree([key.p_value, test.p_value]):
        return Check(
            name, "ok", f"The ratio on {day} ({own}) and the whole course ({whole}) agree."
        )
    if key.p_value < ALPHA:
        words = (
            f"The test of the whole course shows no difference ({whole}) where {day} alone does "
            f"({own}); report the whole course first, and take {day} as a lead to be confirmed."
        )
    else:
        words = (
            f"The test of the whole course shows a difference ({whole}) where {day} alone does "
            f"not ({own}); report the whole course first, and read the days as its description."
        )
    return Check(name, "warning", words, test.p_value)


def _p(p_value: float | None) -> str:
    """p with as many digits as it takes to see on which side of 5 % it lies."""
    for digits in range(2, 6):
        if p_value is not None and float(f"{p_value:.{digits}g}") == ALPHA and p_value != ALPHA:
            continue
        return p_words(p_value) if digits == 2 else f"p {p_value:.{digits}g}"
    return p_words(p_value)


def _disagree(p_values: Sequence[float | None]) -> bool:
    return len({p < ALPHA for p in p_values if p is not None}) > 1


def _opposite(rows: Sequence[SensitivityRow]) -> bool:
    """Higher under one rule and lower under another; a ratio of about one has no direction."""
    ways = {(row.ratio or 0.0) > 1 for row in rows if number(row.ratio or 0.0) != "1.0"}
    return len(ways) > 1


def _factor(rows: Sequence[SensitivityRow]) -> float:
    ratios = [row.ratio for row in rows if row.ratio]
    return max(ratios) / min(ratios) if min(ratios) > 0 else 1.0


def _listed(items: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{words} {RULE_WORDS[rule]}" for rule, words in items)
