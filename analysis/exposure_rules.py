"""Questions whose exposure is a signal: which are asked honestly, and which are refused.

An exposure measured after infusion is known only after its window; patients must reach the end of
it. So time and assessment count from a landmark at or after the window (Anderson JR, J Clin Oncol
1983, doi:10.1200/JCO.1983.1.11.710; Suissa S, Am J Epidemiol 2008, doi:10.1093/aje/kwm324).
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.choices import not_among
from analysis.joint_rules import JOINT_QUESTIONS

if TYPE_CHECKING:
    from analysis.specs import ModelSpec

EXPOSURE_QUESTIONS = ("response_by_exposure", "event_by_exposure")
OUTCOME_QUESTIONS = (*EXPOSURE_QUESTIONS, *JOINT_QUESTIONS)
"""Questions whose outcome is a response or an event, and whose exposure is the signal."""
RESPONSE_QUESTIONS = ("response_by_exposure", "joint_binary")
RATIO_WORDS: Mapping[str, str] = {
    "response_by_exposure": "odds ratio",
    "joint_binary": "odds ratio",
    "event_by_exposure": "hazard ratio",
    "joint": "hazard ratio",
}
"""What the ratio of a question of an outcome is."""
PARAMETERS: Mapping[str, str] = {
    "peak": "highest value in the window",
    "auc": "area under the curve over the window, linear up and logarithmic down",
    "mean": "geometric mean in the window",
    "last": "last value in the window",
}
RESPONSES: Mapping[str, tuple[str, str]] = {
    # kind -> (level that counts as success, words)
    "responder": ("responder", "response"),
    "complete_response": ("CR", "complete response"),
}
SIGNAL_DOMAINS = ("kinetics", "uptake", "laboratory", "burden")


def exposure_problems(spec: "ModelSpec") -> list[str]:
    """What is wrong with the exposure of a question, or with one where none belongs."""
    if spec.question not in OUTCOME_QUESTIONS:
        return _unused(spec)
    if spec.question in JOINT_QUESTIONS:
        return [
            *_outcome_problems(spec),
            *_key_problems(spec),
            *_unit_problems(spec),
            *_group_problems(spec),
        ]
    return [
        *_outcome_problems(spec),
        *_group_problems(spec),
        *_inference_problems(spec),
        *_signal_problems(spec),
        *_landmark_problems(spec),
        *_unit_problems(spec),
    ]


def _unused(spec: "ModelSpec") -> list[str]:
    given = [
        name
        for name, value in (
            ("exposure", spec.exposure),
            ("parameter", spec.parameter),
            ("landmark_day", spec.landmark_day),
        )
        if value not in ("", None)
    ]
    if not given:
        return []
    return [
        f"{given[0]} is used only with the questions {', '.join(OUTCOME_QUESTIONS)}; for a "
        "signal as the outcome leave it out"
    ]


def _outcome_problems(spec: "ModelSpec") -> list[str]:
    kind, _, code = spec.outcome.partition(":")
    response = spec.question in RESPONSE_QUESTIONS
    if response and not (kind == "response" and code in RESPONSES):
        return [
            f"outcome {spec.outcome!r} is not a response; expected "
            f"{' or '.join(f'response:{name}' for name in RESPONSES)}"
        ]
    if not response and not (kind == "event" and code):
        return [
            f"outcome {spec.outcome!r} is not a time to an event; expected event:<endpoint>, such "
            "as event:PFS or event:OS"
        ]
    return []


def _signal_problems(spec: "ModelSpec") -> list[str]:
    found = _key_problems(spec)
    if re.search(r"expan|prolif|doubl", spec.parameter, re.IGNORECASE):
        found.append(
            f"parameter {spec.parameter!r}: expansion is always a named parameter of a signal; "
            f"choose one of {', '.join(PARAMETERS)} (a direct label has no expansion at all)"
        )
    else:
        found += not_among("parameter", [spec.parameter], PARAMETERS)
    if spec.blq == "censored":
        found.append(
            "an exposure is one number per patient, so the censored likelihood has no place in "
            "it; use half_lloq, or drop"
        )
    return found


def _group_problems(spec: "ModelSpec") -> list[str]:
    """Fields of a comparison of groups, which no question of an outcome makes."""
    found = []
    if spec.group != "responder":
        found.append(
            f"group {spec.group!r} is not compared in a question of an outcome; leave it out, or "
            "make it an adjuster"
        )
    if spec.reference:
        found.append(
            f"reference {spec.reference!r} is a level of groups, and none are compared; leave it "
            "out"
        )
    if spec.days:
        found.append(
            "days are those of ratios between groups, and none are compared; leave them out"
        )
    return found


def _inference_problems(spec: "ModelSpec") -> list[str]:
    if spec.inference == "auto":
        return []
    return [
        f"inference {spec.inference!r} does not exist for an exposure, one number per patient; use "
        "auto (penalized or plain likelihood, as the method says)"
    ]


def _key_problems(spec: "ModelSpec") -> list[str]:
    if spec.exposure.split(":")[0] in SIGNAL_DOMAINS:
        return []
    return [
        f"exposure {spec.exposure!r} is not a signal key; expected "
        f"{', '.join(SIGNAL_DOMAINS)} followed by ':' and its code"
    ]


def _landmark_problems(spec: "ModelSpec") -> list[str]:
    if spec.day_high is None:
        return [
            "the exposure has no day window; give day_low and day_high, so that it is known when "
            "it was known"
        ]
    if spec.day_low is not None and spec.day_low < 0:
        return [
            f"day_low {spec.day_low:g} lies before infusion, when no cell of the product was "
            "there; an exposure starts at day 0 or later"
        ]
    if spec.landmark_day is None:
        return [
            "the exposure is known only after its window; as a baseline covariate of a response or "
            "an event it gives immortal-time bias; give landmark_day, at or after day_high "
            f"({spec.day_high:g}), from which the outcome counts"
        ]
    if spec.landmark_day < spec.day_high:
        return [
            f"landmark_day {spec.landmark_day:g} lies before the end of the exposure's window (day "
            f"{spec.day_high:g}), which gives immortal-time bias; take a later landmark or a "
            "shorter window"
        ]
    return []


def _unit_problems(spec: "ModelSpec") -> list[str]:
    if spec.unit == "patient":
        return []
    return [
        f"unit {spec.unit!r}: a patient has one response and one time to an event, so {spec.unit}s "
        "must not count as patients; use unit 'patient' (the signal is folded per patient), or ask "
        f"signal_by_group with unit {spec.unit!r}, where they are nested in the patient"
    ]
