"""Covariance of a question beyond the patients' own curves: what is asked honestly, what refused.

Residual structures after Pinheiro and Bates 2000, doi:10.1007/b98882.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.choices import not_among

if TYPE_CHECKING:
    from analysis.specs import ModelSpec

RESIDUALS: Mapping[str, str] = {
    "independent": "one residual variance, no correlation",
    "by:group": "a residual variance for each group",
    "by:visit": "a residual variance for each planned visit",
    "ar1:visit": "residuals correlated over the planned visits, less with each visit apart",
    "car1:day": "residuals correlated over days, less with each day apart",
    "unstructured:visit": "every variance and covariance of the planned visits is free (MMRM)",
}
COVARIANCES: Mapping[str, str] = {
    "auto": "full where the patients can carry it, else diagonal",
    "full": "random effects of a patient may go together",
    "diagonal": "random effects of a patient are independent",
}
NESTED: Mapping[str, str] = {
    "intercept": "each lesion or organ has a level of its own",
    "slope": "each lesion or organ has a level and a slope of its own",
}
CROSSED = ("siteid",)
"""Columns whose levels hold several patients and may have a random intercept."""
WEIGHTS = ("n_regions",)
"""Columns of the model frame that are precisions: the regions behind a patient's mean."""


def is_structured(spec: "ModelSpec") -> bool:
    """Whether whole covariances are needed: a residual structure, slopes, weights or sites."""
    plain = spec.residual == "independent" and spec.nested == "intercept"
    return not plain or bool(spec.crossed or spec.weights)


def covariance_problems(spec: "ModelSpec") -> list[str]:
    """What is wrong with the covariance of a question, one sentence each with the right way."""
    from analysis.exposure_rules import EXPOSURE_QUESTIONS, OUTCOME_QUESTIONS

    if spec.question in OUTCOME_QUESTIONS:
        return _unused(spec, joint=spec.question not in EXPOSURE_QUESTIONS)
    return [
        *_choices(spec),
        *_residual_problems(spec),
        *_random_problems(spec),
        *_column_problems(spec),
        *_weight_problems(spec),
        *_combination_problems(spec),
    ]


def _unused(spec: "ModelSpec", *, joint: bool) -> list[str]:
    given = [name for name, value, usual in _fields(spec) if value != usual]
    if not given:
        return []
    if joint:
        return [
            f"{given[0]} does not exist for a joint model, whose random effects of a patient go "
            "together and whose residuals are independent; leave it out"
        ]
    return [
        f"{given[0]} describes the values of a signal as the outcome; a question by exposure has "
        "one number per patient, so leave it out"
    ]


def _fields(spec: "ModelSpec") -> tuple[tuple[str, object, object], ...]:
    return (
        ("residual", spec.residual, "independent"),
        ("covariance", spec.covariance, "auto"),
        ("nested", spec.nested, "intercept"),
        ("crossed", spec.crossed, ()),
        ("weights", spec.weights, ""),
    )


def _choices(spec: "ModelSpec") -> list[str]:
    return [
        *not_among("residual", [spec.residual], RESIDUALS),
        *not_among("covariance", [spec.covariance], COVARIANCES),
        *not_among("nested", [spec.nested], NESTED),
    ]


def _residual_problems(spec: "ModelSpec") -> list[str]:
    kind, _, column = spec.residual.partition(":")
    if column == "visit" and spec.time != "visit":
        return [
            f"residual {spec.residual!r} is about planned visits, and time is {spec.time!r}; use "
            "time 'visit', or residual 'car1:day' for days"
        ]
    if column == "day" and spec.time == "none":
        return ["residual 'car1:day' needs a time course; use time 'visit' or 'spline'"]
    if kind == "unstructured" and spec.unit != "patient":
        return [
            "residual 'unstructured:visit' holds one value per patient and visit, so "
            f"{spec.unit}s have no place in it; use unit 'patient', or let {spec.unit}s be nested "
            "with an independent residual"
        ]
    if kind in ("ar1", "car1") and spec.unit != "patient" and spec.time == "visit":
        return [
            f"residual {spec.residual!r} beside a level for each visit of {spec.unit}s leaves one "
            "value to each course; use time 'spline', where the correlation is within the "
            f"{spec.unit}, or an independent residual"
        ]
    return []


def _random_problems(spec: "ModelSpec") -> list[str]:
    found = []
    if spec.nested == "slope" and spec.unit == "patient":
        found.append(
            "nested 'slope' is about lesions or organs within the patient; use unit 'lesion' or "
            "'organ', or leave it out: with random 'matching' the patient has a curve already"
        )
    elif spec.nested == "slope" and spec.time != "spline":
        found.append(
            f"nested 'slope' needs days, and time is {spec.time!r}; use time 'spline', or nested "
            "'intercept'"
        )
    curve = spec.time == "spline" and spec.random == "matching"
    if spec.covariance in ("full", "diagonal") and not curve:
        found.append(
            f"covariance {spec.covariance!r} is between the effects of a patient's curve, and the "
            "patient has a level only; use time 'spline' with random 'matching', or leave it out"
        )
    return found


def _column_problems(spec: "ModelSpec") -> list[str]:
    found = []
    for name in spec.crossed:
        if name in ("reader", "scanner", "assay", "method"):
            found.append(
                f"crossed {name!r}: a {name} is part of the variable and {name}s are never pooled; "
                f"take the values of one by @{name}=... in the signal, and compare two by their "
                "agreement (bland_altman)"
            )
        else:
            found += not_among("crossed", [name], CROSSED)
    if "siteid" in spec.crossed and "siteid" in (*spec.adjusters, spec.group):
        found.append(
            "'siteid' is both a random effect and a fixed one; keep it in one place: crossed where "
            "sites are a sample of many, an adjuster where they are few"
        )
    return found


def _weight_problems(spec: "ModelSpec") -> list[str]:
    """A weight must be a precision that is known without the outcome."""
    if not spec.weights:
        return []
    if spec.weights not in WEIGHTS:
        return [
            f"weights {spec.weights!r} is not one of {', '.join(WEIGHTS)}, the precisions that are "
            "known beside a value; for one of your own call fit_mixed(..., weights=...)"
        ]
    if not spec.signal_key.startswith("uptake:"):
        return [
            "weights 'n_regions' counts the regions of an image's mean over regions, and "
            f"{spec.signal_key!r} has none; leave it out"
        ]
    if spec.unit != "patient":
        return [
            f"weights 'n_regions': with unit {spec.unit!r} each {spec.unit} has a row of its own, "
            "so all weights are 1; leave it out, or use unit 'patient'"
        ]
    return []


def _combination_problems(spec: "ModelSpec") -> list[str]:
    if not is_structured(spec):
        return []
    found = []
    if spec.blq == "censored":
        found.append(
            "the censored likelihood has independent residuals and nested intercepts; use blq "
            "half_lloq or drop with a residual structure, slopes of lesions, weights or sites"
        )
    if spec.inference == "robust" and spec.crossed:
        found.append(
            "inference 'robust' takes patients for independent, which those of one site are not; "
            "use auto, satterthwaite, kenward_roger or bootstrap"
        )
    if spec.residual.startswith("unstructured") and spec.crossed:
        found.append(
            "residual 'unstructured:visit' holds all that goes together within a patient; leave "
            "crossed effects out"
        )
    return found
