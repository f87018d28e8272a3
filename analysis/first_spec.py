"""The first question of a study whose signals are known by name only."""

from collections.abc import Sequence
from typing import Any

from analysis.errors import UserError
from analysis.exposure_rules import RESPONSE_QUESTIONS
from analysis.joint_rules import JOINT_QUESTIONS
from analysis.specs import ModelSpec

FIRST_MONTH = 28.0
"""Day of the first assessment of response in most trials."""
SETTLED = 7.0
"""Day from which planned visits are compared where two or more are that late."""

_OUTCOME_ORDER = (
    "kinetics:CARTG:qPCR:BLOOD",
    "kinetics:CARTG:ddPCR:BLOOD",
    "kinetics:CARFLOW:flow:BLOOD",
    "kinetics:CARTG",
    "kinetics:",
    "uptake:",
)

BENDING_DAYS, BENDING_PATIENTS = 8, 15
"""Planned days after infusion, and patients, from which the usual curve has 4 degrees of freedom: a
rise, a peak and a fall with two phases take the top off a curve with 3 (of the synthetic trial's
transgene, a factor of 4 on day 9 and 210 units of log-likelihood), and a full random part of five
effects needs three patients for each."""


def bends(nominal_days: Sequence[float], patients: int) -> bool:
    """Whether curves with 4 degrees of freedom are carried."""
    after = {day for day in nominal_days if day > 0}
    return len(after) >= BENDING_DAYS and patients >= BENDING_PATIENTS


def default_spec(
    signals: Sequence[Any],
    criteria: Sequence[str] = (),
    *,
    nominal_days: Sequence[float] = (),
    cohort: Sequence[str] = (),
    precise_days: bool = True,
) -> ModelSpec:
    """A sensible first question for a study: does blood expansion differ by response?

    signals: `Signal` objects or keys, most useful first. criteria: response criteria delivered.
    nominal_days: planned days that have values. precise_days: False when only visits are known.
    Visits become a factor when there are at most six of them, otherwise a spline is taken.
    Raises UserError when the study has no signal.
    """
    keys = [str(getattr(signal, "key", signal)) for signal in signals]
    if not keys:
        raise UserError(
            "no signal to model: the study has no kinetics, uptake, laboratory or "
            "tumor values in this cut; load a file that carries one"
        )
    outcome = next(
        (key for start in _OUTCOME_ORDER for key in keys if key.startswith(start)), keys[0]
    )
    after = sorted({day for day in nominal_days if day > 0})
    factor = bool(after) and (len(after) <= 6 or not precise_days)
    time = "visit" if factor else "spline"
    return ModelSpec(
        outcome=outcome,
        question="expansion_by_group" if outcome.startswith("kinetics:") else "signal_by_group",
        unit="lesion" if outcome.endswith(":lesion") else "patient",
        group="responder",
        time=time,
        random=usual_random(time),
        day_low=_first_visit(after) if factor else 0.0,
        criterion=criteria[0] if criteria else "",
        cohort=tuple(cohort),
    )


def usual_random(time: str) -> str:
    """A curve for each patient beside a mean curve, else a level."""
    return "matching" if time == "spline" else "intercept"


def _first_visit(after: Sequence[float]) -> float:
    """First of the planned days after infusion that is asked about: from day 7,
    unless that leaves one day, which is no course."""
    late = [day for day in after if day >= SETTLED]
    return late[0] if len(late) > 1 else after[0]


def outcome_spec(first: ModelSpec, question: str, outcome: str) -> ModelSpec:
    """A question of an outcome by the signal and in the patients of a study's first question.

    The exposure is the peak of the first 28 days and the outcome counts from their end; a course
    enters the hazard from day 14, behind the rise that a level and a slope cannot follow.
    """
    asked = ModelSpec(outcome=outcome, question=question, exposure=first.outcome,
                      cohort=first.cohort, day_low=0.0)  # fmt: skip
    if question in RESPONSE_QUESTIONS:
        asked = asked.replace(criterion=first.criterion)
    if question in JOINT_QUESTIONS:
        asked = asked.replace(spline_df=first.spline_df)
    if question == "joint":
        return asked.replace(day_low=14.0, blq="censored")
    window = asked.replace(day_high=FIRST_MONTH, landmark_day=FIRST_MONTH)
    return window if question == "joint_binary" else window.replace(parameter="peak")
