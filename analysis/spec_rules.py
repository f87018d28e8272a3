"""What a specification may ask: the choices of each field and the questions that are refused.

Every refusal says why and what the right way is. Immortal time: Suissa S, Am J Epidemiol 2008,
doi:10.1093/aje/kwm324.
"""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.adjuster_columns import adjuster_column, measured_adjuster
from analysis.choices import not_among
from analysis.covariance_rules import covariance_problems
from analysis.exposure_rules import OUTCOME_QUESTIONS, SIGNAL_DOMAINS, exposure_problems
from analysis.joint_rules import joint_problems

if TYPE_CHECKING:
    from analysis.specs import ModelSpec

QUESTIONS: Mapping[str, str] = {
    "signal_by_group": "Does the signal differ between groups of patients over time?",
    "expansion_by_group": "Do tracked cells expand more in one group of patients than in another?",
    "response_by_exposure": "Does response go with a named parameter of the signal?",
    "event_by_exposure": "Does the time to an event go with a named parameter of the signal?",
    "joint": "Does the hazard of an event go with the true course of the signal?",
    "joint_binary": "Does response go with the true course of the signal at a landmark?",
}
UNITS: Mapping[str, str] = {
    "patient": "one curve per patient",
    "lesion": "one curve per lesion, lesions nested in the patient",
    "organ": "one curve per organ, organs nested in the patient",
}
TIMES: Mapping[str, str] = {
    "visit": "planned visits as a factor",
    "spline": "natural cubic spline of the day",
    "none": "no time course",
}
RANDOMS: Mapping[str, str] = {
    "matching": "the patient's curve has the same basis as the mean curve",
    "intercept": "each patient has a level of their own, not a curve",
}
TRANSFORMS: Mapping[str, str] = {
    "log10": "decimal logarithm; a difference is a geometric-mean ratio",
    "log10_shift": "log10(value + shift), as in a published analysis; "
    "a difference is a ratio of shifted values",
    "none": "as measured; a difference is a difference",
}
BLQ_RULES: Mapping[str, str] = {
    "half_lloq": "values below the limit are set to half the limit",
    "drop": "values below the limit are left out",
    "censored": "values below the limit enter as intervals (censored likelihood)",
}
INFERENCES = ("auto", "satterthwaite", "kenward_roger", "bootstrap", "robust", "wald")
ANALYSIS_SETS = ("infused", "imaging", "efficacy", "safety")

GROUPS: Mapping[str, tuple[str, str]] = {
    # kind -> (reference level, label of the question)
    "responder": ("non-responder", "best overall response: responders against non-responders"),
    "complete_response": ("no CR", "best overall response: complete response against all others"),
    "best_response": ("PD", "best overall response, each category"),
    "dose_level": ("", "dose level"),
    "cohort": ("", "cohort"),
    "arm": ("", "arm"),
    "sex": ("", "sex"),
    "disease": ("", "disease"),
    "siteid": ("", "site"),
}
"""Groups a patient can belong to. Levels as text in the frame's column `group`:
responder: "responder", "non-responder"; complete_response: "CR", "no CR"; best_response: the
response code (CR, PR, SD, PD). `characteristic:<PARAMCD>` takes the characteristic's text,
`event:<CATEGORY>` is "yes" for patients with such an adverse event (CRS, ICANS, HLH) of grade 1 or
more, or without a grade, else "no".
An empty reference means the first level in sorted order."""

EARLY_EXPOSURE = re.compile(
    r"^(kinetics:|uptake:)|cmax|tmax|auc|peak|fold_expansion|clast|tlast|doubling|persistence",
    re.IGNORECASE,
)
LARGEST_SEED = 2**53 - 1
"""A browser holds no larger whole number without rounding it, which would ask another question."""
_CODE = re.compile(r"^[A-Za-z][A-Za-z0-9_.:-]*$")


def spec_problems(spec: "ModelSpec", tracer_class: str | None) -> tuple[str, ...]:
    """Why `spec` cannot be fitted, one sentence each with the right way; empty when it can."""
    found = [*_choice_problems(spec), *_number_problems(spec), *_name_problems(spec)]
    found += [*exposure_problems(spec), *covariance_problems(spec), *joint_problems(spec)]
    found += _science_problems(spec, tracer_class or _tracer_class(spec.tracer_id))
    return tuple(found)


def _choice_problems(spec: "ModelSpec") -> list[str]:
    found = [
        *not_among("question", [spec.question], QUESTIONS),
        *not_among("unit", [spec.unit], UNITS),
        *not_among("time", [spec.time], TIMES),
        *not_among("random", [spec.random], RANDOMS),
        *not_among("transform", [spec.transform], TRANSFORMS),
        *not_among("blq", [spec.blq], BLQ_RULES),
        *not_among("analysis_set", [spec.analysis_set], ANALYSIS_SETS),
    ]
    if spec.inference not in INFERENCES:
        found.append(
            f"inference {spec.inference!r} does not exist; use one of {', '.join(INFERENCES)}"
        )
    known = spec.group in GROUPS or spec.group.startswith(("characteristic:", "event:"))
    if not known and not EARLY_EXPOSURE.search(spec.group):
        found.append(
            f"group {spec.group!r} is not one of {', '.join(GROUPS)}, characteristic:<PARAMCD> or "
            "event:<CATEGORY>"
        )
    if spec.blq == "censored" and spec.inference in ("kenward_roger", "bootstrap"):
        found.append(
            f"inference {spec.inference!r} does not exist for the censored likelihood; use auto"
        )
    return found


def _number_problems(spec: "ModelSpec") -> list[str]:
    return [*_day_problems(spec), *_shift_problems(spec), *_inference_problems(spec)]


def _day_problems(spec: "ModelSpec") -> list[str]:
    found = []
    if spec.time == "spline" and spec.spline_df not in (3, 4):
        found.append(f"spline_df is {spec.spline_df}; a natural spline has 3 or 4 here")
    low, high = spec.day_low, spec.day_high
    if low is not None and high is not None and low >= high:
        found.append(f"the day window {low:g} to {high:g} is empty; day_low must be below day_high")
    outside = [
        day
        for day in spec.days
        if (low is not None and day < low) or (high is not None and day > high)
    ]
    if outside:
        found.append(f"day {outside[0]:g} is outside the day window; ratios are never extrapolated")
    return found


def _shift_problems(spec: "ModelSpec") -> list[str]:
    found = []
    window = [day for day in (spec.day_low, spec.day_high) if day is not None]
    endless = [n for n in (*spec.days, spec.shift, *window) if not math.isfinite(n)]
    if endless:
        found.append(f"{endless[0]} is no day and no shift; give a finite number")
    if spec.transform == "log10_shift" and not spec.shift > 0:
        found.append("transform log10_shift needs a shift above 0 in the unit of the signal")
    if spec.transform != "log10_shift" and spec.shift:
        found.append(
            "a shift is used only with transform log10_shift, to repeat a published "
            "analysis; the product's own way is log10"
        )
    return found


def _inference_problems(spec: "ModelSpec") -> list[str]:
    found = []
    if not (spec.level is not None and 0.5 <= spec.level < 1):
        found.append(
            f"level {spec.level} is not a level of confidence; give a share from 0.5 to below 1, "
            "as 0.95"
        )
    if not 0 <= spec.seed <= LARGEST_SEED:
        found.append(f"seed {spec.seed} is not a whole number from 0 to {LARGEST_SEED}")
    elif spec.seed and spec.inference != "bootstrap":
        found.append(
            "seed is used only with inference bootstrap; leave it out, nothing else is random here"
        )
    return found


def _name_problems(spec: "ModelSpec") -> list[str]:
    found = []
    is_signal = spec.outcome.split(":")[0] in SIGNAL_DOMAINS
    if spec.question not in OUTCOME_QUESTIONS and not is_signal:
        found.append(
            f"outcome {spec.outcome!r} is not a signal key; expected "
            f"{', '.join(SIGNAL_DOMAINS)} followed by ':' and its code"
        )
    found += [
        f"adjuster {name!r} is not a column name"
        for name in spec.adjusters
        if not _CODE.match(measured_adjuster(name))
    ]
    columns = [adjuster_column(name) for name in spec.adjusters]
    twice = [name for name, own in zip(spec.adjusters, columns, strict=True)
             if columns.count(own) > 1]  # fmt: skip
    if twice:
        found.append(f"adjusters {' and '.join(twice)} are one column; keep one of them")
    if spec.group in map(measured_adjuster, spec.adjusters):
        found.append(f"{spec.group!r} is both the group and an adjuster; keep it in one place")
    return found


def _science_problems(spec: "ModelSpec", tracer_class: str | None) -> list[str]:
    """Questions that have no honest answer, whatever the data say."""
    found = []
    tracer = spec.tracer_id
    if tracer is not None and (not tracer or re.search(r"[,+|*]", tracer)):
        found.append(
            "signals of several tracers cannot be one outcome: each has its own clock and "
            "meaning; choose one tracer (the variable is tracer + metric + method)"
        )
    found += _mixed_variables(spec.signal_key)
    if spec.question == "expansion_by_group":
        found += _expansion_problems(spec, tracer_class)
    measured = [measured_adjuster(name) for name in spec.adjusters]
    early = [name for name in (*measured, spec.group) if EARLY_EXPOSURE.search(name)]
    if early:
        found.append(
            f"{early[0]!r} is an exposure measured after infusion and is known only after its "
            "peak; as a baseline covariate it gives immortal-time bias; model the signal as the "
            "outcome by response, or use a landmark or time-varying analysis"
        )
    outcomes = [name for name in measured if name in RESPONSE_GROUPS or name.startswith("event:")]
    if outcomes:
        found.append(
            f"{outcomes[0]!r} is known only after the signal; adjusting for it takes away what is "
            "asked about; make it the group instead"
        )
    return found


def _mixed_variables(key: str) -> list[str]:
    """One variable is one metric, threshold, unit, method and reader; a key that lists several."""
    base, *qualifiers = key.split("@")
    parts = base.split(":")
    metric = parts[2] if parts[0] == "uptake" and len(parts) > 2 else ""
    named = {item.partition("=")[0]: item.partition("=")[2] for item in qualifiers}
    for name, value in (("metric", metric), *named.items()):
        if name != "tracer_id" and re.search(r"[,+|*]", value):
            return [
                f"the signal lists several values of {name} ({value}): units, thresholds, methods "
                "and readers are variables of their own and are never pooled; choose one and "
                "compare them by their agreement (bland_altman)"
            ]
    return []


RESPONSE_GROUPS = ("responder", "complete_response", "best_response")
_EXPANSION_REFUSALS: Mapping[str, str] = {
    "direct_label": "a direct label is diluted when cells divide and can never show expansion; ask "
    "signal_by_group about retention of the infused label, or take a reporter gene or blood "
    "transgene for expansion",
    "immune_target": "this tracer also sees the patient's own immune cells, so its signal is not "
    "expansion of CAR-T cells; ask signal_by_group, or take a reporter gene or blood transgene",
    "tumor_tracer": "a tumor tracer shows tumor metabolism, not cells; ask signal_by_group, or "
    "take a reporter gene or blood transgene for expansion",
    "target_antigen": "this tracer shows the target on tumor, not CAR-T cells; ask "
    "signal_by_group, or take a reporter gene or blood transgene for expansion",
    "pretargeting": "a pretargeted signal depends on what is left of the first agent; ask "
    "signal_by_group, or take a reporter gene or blood transgene for expansion",
}


def _expansion_problems(spec: "ModelSpec", tracer_class: str | None) -> list[str]:
    domain = spec.outcome.split(":")[0]
    if domain == "uptake" and tracer_class in _EXPANSION_REFUSALS:
        return [_EXPANSION_REFUSALS[str(tracer_class)]]
    if domain in ("laboratory", "burden"):
        return [
            f"a {domain} value is not a count of CAR-T cells, so it cannot show expansion; "
            "ask signal_by_group, or take blood transgene, CAR+ cells or a reporter gene"
        ]
    return []


def _tracer_class(tracer_id: str | None) -> str | None:
    """Class from the tracer registry; None when the tracer is not registered."""
    if not tracer_id:
        return None
    from analysis.tracers import TRACERS

    tracer = TRACERS.get(tracer_id)
    return None if tracer is None else str(tracer.tracer_class)
