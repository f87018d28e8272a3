"""Questions whose exposure is the whole course of a signal: the joint models.

The outcome depends on the true course as it is modeled, so no number has to be known beforehand and
no patient is left out for an early event (Rizopoulos 2012, doi:10.1201/b12208).
"""

from typing import TYPE_CHECKING

from analysis.choices import not_among

if TYPE_CHECKING:
    from analysis.specs import ModelSpec

JOINT_QUESTIONS = ("joint", "joint_binary")
ASSOCIATIONS = {
    "value": "the true value of the signal at that time",
    "slope": "how fast the true signal changes at that time",
}
OF_A_PATIENT = "of a patient"
EVENT_OF_A_PATIENT = f"an event {OF_A_PATIENT}"
"""How the reason begins for which events of patients without a row of the question do not count."""
BASELINES = {
    "piecewise": "constant between cuts at the quantiles of follow-up",
    "spline": "a cubic B-spline of the log hazard",
    "weibull": "a Weibull hazard",
}


def joint_problems(spec: "ModelSpec") -> list[str]:
    """What is wrong with a joint question, or with its fields where none is asked."""
    if spec.question not in JOINT_QUESTIONS:
        return _unused(spec)
    return [*_choice_problems(spec), *_course_problems(spec), *_landmark_problems(spec)]


def _unused(spec: "ModelSpec") -> list[str]:
    given = [name for name in ("association", "baseline") if getattr(spec, name)]
    return [
        f"{name} is used only with the questions {' and '.join(JOINT_QUESTIONS)}; leave it out"
        for name in given[:1]
    ]


def _choice_problems(spec: "ModelSpec") -> list[str]:
    found = not_among("association", spec.association, ASSOCIATIONS)
    if len(set(spec.association)) < len(spec.association):
        found.append("association names the same twice; name 'value', 'slope' or both")
    if spec.baseline and spec.question == "joint_binary":
        found.append("baseline is that of a hazard, and a response has none; leave it out")
    elif spec.baseline:
        found += not_among("baseline", [spec.baseline], BASELINES)
    if spec.inference not in ("auto", "wald"):
        found.append(
            f"inference {spec.inference!r} does not exist for a joint model; use auto (normal "
            "intervals from the observed information)"
        )
    return found


def _course_problems(spec: "ModelSpec") -> list[str]:
    found = []
    if spec.time != "spline":
        found.append(
            f"time {spec.time!r}: a joint model needs the course between the visits; use 'spline'"
        )
    if spec.parameter:
        found.append(
            f"parameter {spec.parameter!r}: the exposure of a joint model is the whole course; "
            "leave it out and name the association"
        )
    if spec.blq == "censored" and spec.transform == "log10_shift":
        found.append(
            "the censored likelihood has no need of a shift; use transform log10, or half_lloq"
        )
    return found


def _landmark_problems(spec: "ModelSpec") -> list[str]:
    low, high, landmark = spec.day_low, spec.day_high, spec.landmark_day
    if low is None or low < 0:
        return [
            "the course before infusion is not that of the product's cells, which were not there; "
            "give day_low, 0 or later"
        ]
    if spec.question == "joint":
        early = landmark is not None and landmark <= low
        return [f"landmark_day {landmark:g} is not after day_low ({low:g})"] if early else []
    if landmark is None:
        return [
            "a response depends on the course at one day, before it was assessed; give "
            "landmark_day, from which responses count"
        ]
    if landmark <= low:
        return [f"landmark_day {landmark:g} is not after day_low ({low:g}); take a later landmark"]
    if high is not None and landmark < high:
        return [
            f"landmark_day {landmark:g} lies before the end of the window (day {high:g}), so the "
            "course could follow the response; take a later landmark or a shorter window"
        ]
    return []
