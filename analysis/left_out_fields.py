"""What a specification file that names a few fields asks: the others are the study's own."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from analysis.exposure_rules import OUTCOME_QUESTIONS
from analysis.first_spec import outcome_spec, usual_random
from analysis.spec_rules import RESPONSE_GROUPS
from analysis.specs import ModelSpec

COURSE = ("time", "spline_df", "random")
PATIENTS = ("cohort", "criterion")
FOLLOWING = (*COURSE, "question", "unit", "day_low", *PATIENTS)
"""Fields in which a first question follows the study; all others have one default everywhere."""


def is_complete(content: Mapping[str, Any]) -> bool:
    """Whether the fields of a file leave nothing to the study."""
    return all(field.name in content for field in fields(ModelSpec))


def completed(content: Mapping[str, Any], first: ModelSpec) -> ModelSpec:
    """The question of a file's fields, those that it leaves out as the study's own.

    first: the study's first question about the signal. What it says and the file does not is taken
    unless it contradicts the file: a cohort goes with its criterion and serves groups by response,
    a random part goes with its time course, and a field that makes the question one to refuse stays
    at its default. Fields that the file names are never changed.
    Raises UserError for fields that are no specification.
    """
    asked = ModelSpec.from_dict(content)
    if asked.question in OUTCOME_QUESTIONS:
        return _with_outcome(asked, content, first)
    steps: list[Mapping[str, Any]] = [
        _course(asked, content, first),
        *({name: getattr(first, name)} for name in ("question", "unit", "day_low")),
        _patients(content, first) if asked.group in RESPONSE_GROUPS else {},
    ]
    for step in steps:
        left_out = {name: value for name, value in step.items() if name not in content}
        changed = asked.replace(**left_out)
        if not set(changed.problems()) - set(asked.problems()):
            asked = changed
    return asked


def _course(asked: ModelSpec, content: Mapping[str, Any], first: ModelSpec) -> Mapping[str, Any]:
    """Time and random part of the first question, or the random part of another time course. Who
    names the degrees of freedom, or slopes of lesions, asks for a curve."""
    named = "time" in content or "spline_df" in content or asked.nested == "slope"
    if named and asked.time != first.time:
        return {"random": usual_random(asked.time)}
    return {name: getattr(first, name) for name in COURSE}


def _patients(content: Mapping[str, Any], first: ModelSpec) -> Mapping[str, Any]:
    if any(name in content for name in PATIENTS):
        return {}
    return {name: getattr(first, name) for name in PATIENTS}


def _with_outcome(asked: ModelSpec, content: Mapping[str, Any], first: ModelSpec) -> ModelSpec:
    """A question of an outcome: its landmark is the end of the window, where it has both."""
    usual = outcome_spec(first, asked.question, asked.outcome)
    left_out = {
        field.name: getattr(usual, field.name)
        for field in fields(ModelSpec)
        if field.name not in (*content, *PATIENTS)
    }
    if usual.landmark_day is not None and "landmark_day" not in content and "day_high" in content:
        left_out["landmark_day"] = asked.day_high
    return asked.replace(**left_out, **_patients(content, usual))
