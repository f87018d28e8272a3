"""The formula of a specification, its method in words and the code that repeats it."""

import json
from typing import NamedTuple

from analysis.covariance_rules import RESIDUALS, is_structured
from analysis.fits.model_rows import ModelRows
from analysis.number_words import count
from analysis.results import Fit
from analysis.specs import BLQ_RULES, TRANSFORMS, ModelSpec, adjuster_column

FULL_PER_EFFECT = 3
"""Patients per random effect from which a full covariance is asked for."""


class Recipe(NamedTuple):
    """Arguments for `fit_mixed`; note: what had to be simplified, in words."""

    formula: str
    random: str
    nested: tuple[str, ...]
    covariance: str
    time_column: str
    columns: tuple[str, ...]
    note: str = ""
    inference: str = "auto"
    residual: str = "independent"


def recipe_for(spec: ModelSpec, rows: ModelRows) -> Recipe:
    """The model of the question: time by group, adjusters, a random part that matches."""
    time = {
        "visit": "visit",
        "none": "",
        "spline": f"cr(time, df={spec.spline_df}, constraints='center')",
    }[spec.time]
    adjusters = tuple(adjuster_column(name) for name in spec.adjusters)
    terms = [f"{time} * group" if time else "group", *adjusters]
    if spec.unit == "organ":
        terms += ["region_code", f"{time}:region_code"] if time else ["region_code"]
    matching = spec.time == "spline" and spec.random == "matching"
    nested, nested_note = _nested(spec, rows)
    covariance, note = _covariance(spec, rows) if matching else ("full", "")
    region = () if spec.unit == "patient" else ("region_code",)
    named = (spec.weights,) if spec.weights else ()
    random = f"1 + {time}" if matching else "1"
    columns = ("usubjid", *region, "day", "visit", "visit_number", "time", "y", "group", *adjusters)
    return Recipe(
        f"y ~ {' + '.join(terms)}",
        "0" if spec.residual.startswith("unstructured") else random,
        nested,
        covariance,
        "visit" if spec.time == "visit" else "time",
        tuple(dict.fromkeys((*columns, *spec.crossed, *named))),
        " ".join(part for part in (note, nested_note) if part),
        _inference(spec),
        spec.residual.replace("ar1:visit", "ar1:visit_number"),
    )


def default_inference(spec: ModelSpec) -> str:
    """What "auto" stands for. Visits as a factor differ in their variances, and a random intercept
    takes them for equal: they are tested by how the patients differ (docs/decisions/019), which is
    not there for whole covariances (`is_structured`)."""
    plain = spec.blq != "censored" and not is_structured(spec)
    return "robust" if spec.time == "visit" and plain else "satterthwaite"


def _inference(spec: ModelSpec) -> str:
    robust = spec.inference == "auto" and default_inference(spec) == "robust"
    return "robust" if robust else spec.inference


def _nested(spec: ModelSpec, rows: ModelRows) -> tuple[tuple[str, ...], str]:
    """Regions nested in the patient, when any patient has more than one; with visits as a factor
    also the patient's visits: what all lesions of one scan share is no evidence of its own."""
    if spec.unit == "patient" or rows.frame.is_empty():
        return (), ""
    pairs = rows.frame.select("usubjid", "region_code").unique()
    if pairs.height == rows.frame["usubjid"].n_unique():
        return (), f"No patient has more than one {spec.unit}, so none is nested."
    if spec.nested == "slope":
        return ("region_code: 1 + time",), ""
    return ("region_code", "visit") if spec.time == "visit" else ("region_code",), ""


def _covariance(spec: ModelSpec, rows: ModelRows) -> tuple[str, str]:
    """Full covariance when the data can carry it, else independent effects; or as asked for."""
    if spec.covariance != "auto":
        return spec.covariance, ""
    effects = spec.spline_df + 1
    patients = rows.frame["usubjid"].n_unique()
    if patients >= FULL_PER_EFFECT * effects and rows.frame.height > effects * patients:
        return "full", ""
    return "diagonal", (
        f"{count(patients, 'patient')} cannot carry all {effects * (effects + 1) // 2} "
        "variances of a full matching random part; its effects are independent."
    )


def method_text(spec: ModelSpec, recipe: Recipe, fit: Fit) -> str:
    """How the numbers came about, for a methods section."""
    time = {
        "visit": "planned visit as a factor, by group",
        "spline": f"natural cubic spline of log(1 + day) with {spec.spline_df} degrees of "
        "freedom, by group",
        "none": "group",
    }[spec.time]
    random = {
        "0": "none beside the covariance of the visits",
        "1": "a random intercept per patient",
    }.get(recipe.random, "the same spline basis per patient")
    parts = [
        f"Outcome: {named_signal(spec.outcome)}, {TRANSFORMS[spec.transform]}.",
        f"Fixed part: {time}"
        + (f", adjusted for {', '.join(spec.adjusters)}" if spec.adjusters else "")
        + ".",
        f"Random part: {random}"
        + (" (independent effects)" if recipe.covariance == "diagonal" else "")
        + (f", {_nested_words(spec)} per {spec.unit} within the patient" if recipe.nested else "")
        + (", one per visit of the patient" if "visit" in recipe.nested else "")
        + (f", a random intercept per {name_of(spec.crossed)}" if spec.crossed else "")
        + ".",
        f"Residuals: {RESIDUALS[spec.residual]}." if spec.residual != "independent" else "",
        f"Weights: {spec.weights}." if spec.weights else "",
        f"Limits: {BLQ_RULES[spec.blq]}.",
        fit.method,
        fit.inference_note,
    ]
    return " ".join(part for part in parts if part)


def named_signal(key: str) -> str:
    """A signal as a person reads it, with the key that a specification takes."""
    from analysis.derive.signal_key import Signal

    return f"{Signal.parse(key).label} ({key})"


ANY_SOURCE = ("STUDY", "CUT")
"""Stand for study and cut in code of a fit whose rows did not say where they come from."""


def with_source(code: str, study: str | None, cut: str | None) -> str:
    """The code of a fit with the names of its study and data cut, where they are known."""
    if not (study and cut):
        return code
    quoted = [json.dumps(name, ensure_ascii=False) for name in (study, cut)]
    return code.replace(", ".join(f'"{name}"' for name in ANY_SOURCE), ", ".join(quoted))


def _nested_words(spec: ModelSpec) -> str:
    slope = " and slope in log(1 + day)" if spec.nested == "slope" else ""
    return f"a random intercept{slope}"


def name_of(columns: tuple[str, ...]) -> str:
    """Columns in words: "site"."""
    return " and ".join({"siteid": "site"}.get(name, name) for name in columns)


def snippet(spec: ModelSpec) -> str:
    """Python that repeats the fit on the same data cut; see `with_source`."""
    fields = ", ".join(f"{name}={value!r}" for name, value in _changed(spec).items())
    return "\n".join(
        [
            "from analysis import ModelSpec, fit_specification",
            "from analysis.derive.model_frame import study_frame",
            "from models.engine import create_engine_for",
            "from models.queries import read_trial",
            "",
            'engine = create_engine_for("sqlite:///cartograph.db")  # the URL of your database',
            'trial = read_trial(engine, "STUDY", "CUT")',
            f"spec = ModelSpec({fields})",
            "built = study_frame(trial, spec)",
            "fit = fit_specification(built.frame, spec, built.excluded)",
            "print(fit.sentence)",
            "print(fit.table())",
        ]
    )


def _changed(spec: ModelSpec) -> dict[str, object]:
    """Fields that differ from the defaults, outcome first."""
    default = ModelSpec(outcome=spec.outcome)
    return {"outcome": spec.outcome} | {
        name: getattr(spec, name)
        for name in spec.to_dict()
        if getattr(spec, name) != getattr(default, name)
    }
