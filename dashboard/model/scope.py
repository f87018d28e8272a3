"""Which of the filters a fit takes, and what the page says about the others.

A specification restricts patients by analysis set and cohort only. Site, arm and dose level
cannot be in it, so they do not stand above the page, and its attrition does not count them.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from analysis.derive.default_question import selection_changes
from analysis.errors import UserError
from analysis.selection import Selection
from dashboard.trial_signals import first_question
from dashboard.view import View
from models.trial import Trial

FILTERS = frozenset({"study", "cut", "analysis_set", "cohort", "criterion", "reader"})
"""Filters above the page. The signal, the days and the rule below the limit are its own
controls."""

NOT_IN_A_FIT: Mapping[str, str] = {"site": "site", "arm": "arm", "dose_level": "dose level"}


def applied(trial: Trial, selection: Selection, params: Mapping[str, str]) -> Selection:
    """The filters as the fit takes them.

    Without a cohort or a criterion in the address it is the cohort with the most assessments of
    patients who have the signal, where cohorts differ in criterion: two criteria are not one
    outcome.
    """
    plain = Selection()
    ignored = [field.name for field in fields(Selection) if field.name not in FILTERS]
    kept = selection.replace(**{name: getattr(plain, name) for name in ignored})
    if kept.cohort or kept.criterion:
        return kept
    try:
        return kept.replace(cohort=first_question(trial, params.get("signal", "")).cohort)
    except UserError:  # no signal, or no key of one: the page says which
        return kept


def scope_changes(view: View) -> dict[str, Any]:
    """Fields of the specification that follow the filters and the days of the address."""
    chosen, asked = view.applied, view.selection
    changes = selection_changes(chosen, view.trial.subjects, view.trial.responses)
    if asked.day_low is not None or asked.day_high is not None:
        changes |= {"day_low": asked.day_low, "day_high": asked.day_high}
    if asked.blq == "drop":
        changes["blq"] = "drop"
    return changes


def scope_words(view: View) -> str:
    """What a reader of the filters must know about the patients of the fit; "" for nothing."""
    words = []
    if view.applied.cohort and not view.selection.cohort:
        words.append(
            f"Fitted in cohort {', '.join(view.applied.cohort)}: cohorts differ in their response "
            "criterion, and two criteria are not one outcome."
        )
    unused = [label for name, label in NOT_IN_A_FIT.items() if getattr(view.selection, name)]
    if unused:
        cohort = " and cohort" if view.applied.cohort else ""
        words.append(
            f"Fitted on all patients of the analysis set{cohort}: the filter by "
            f"{' and '.join(unused)} does not apply here."
        )
    return " ".join(words)
