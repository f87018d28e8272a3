"""The fields of a model specification, from `analysis.specs`."""

from dataclasses import MISSING, fields

from analysis.left_out_fields import FOLLOWING
from analysis.spec_rules import INFERENCES
from analysis.specs import (
    ANALYSIS_SETS,
    ASSOCIATIONS,
    BASELINES,
    BLQ_RULES,
    COVARIANCES,
    GROUPS,
    NESTED,
    PARAMETERS,
    QUESTIONS,
    RANDOMS,
    RESIDUALS,
    TIMES,
    TRANSFORMS,
    UNITS,
    ModelSpec,
)
from docs.generate.markdown import bullets, code, page, table

OPENING = """\
One question to the data, as a YAML or JSON file for `cartograph fit --study ID --spec FILE`. Only
`outcome` is needed; a field that is left out has the default below. The dashboard's Models page
builds the same specification; every fit carries its own with all fields (`cartograph fit --json`,
key `spec`)."""
EXAMPLE = """\
```yaml
outcome: kinetics:CARTG:qPCR:BLOOD
group: complete_response
adjusters: [age_year]
day_low: 0
day_high: 28
days: [14]
blq: censored
```"""
KEYS = """\
`outcome` (or `exposure`) names a signal of the study by its parts, joined by colons: samples are
`kinetics:ANALYTE:ASSAY:MATRIX`, laboratory values `laboratory:TEST:MATRIX`, the tumor burden
`burden:CODE`, images `uptake:TRACER:METRIC:KIND`, KIND being `lesion` or `organ`, with `:REGION`
behind it for one region. The questions by exposure and the joint ones have `response:responder`,
`response:complete_response` or `event:ENDPOINT` as their outcome. An image whose decay correction
is not known is left out of models: give `decay_state` in the profile."""
LEFT_OUT = """\
**First question's**: left out of a file, these fields are those of the study's first question about
the signal, as the Models page asks it before anything is chosen: planned visits and a level for
each patient where visits are few, a curve where they carry one; lesions within patients for a
signal of lesions; one cohort where cohorts differ in their response criterion. What contradicts the
file is not taken, and the default behind it holds: a cohort and its criterion where the file names
one of them or compares groups that are no responses, a random part of another time course, a window
without the file's days. `day_low: null` and `cohort: []` ask for all. The questions of an outcome
take the Models page's own choices for all that is left out, such as the peak of the first 28 days
with a landmark at their end. A file with every field, as the Models page gives it, is taken as it
is."""
JOINT = """\
The joint questions ask by the whole course of a signal, not by one number of it. This file asks
whether progression goes with the transgene in blood; `cartograph fit --study ID --spec FILE`
prints the hazard ratio of a 10-fold higher signal, what it rests on and what to doubt:

```yaml
outcome: event:PFS
question: joint
exposure: kinetics:CARTG:qPCR:BLOOD
adjusters: ["characteristic:BLASTBL"]
day_low: 14
blq: censored
cohort: [B-ALL]
```

Patients are at risk from `day_low` on, those with an event before it are left out and counted, and
until `day_high` or, without it, the last day with values of five patients: a course behind all
values would be a continued line. Their courses differ in level and in slope over log(1 + day)
(`random: matching`) or in level alone (`intercept`). Under 15 events there is no number. For
`joint_binary` the outcome is a response, and `landmark_day` the day whose signal it goes with;
values behind it are not used and responses before it do not count."""
MEANING = {
    "outcome": "the signal that is explained, or what is explained by the exposure",
    "question": QUESTIONS,
    "unit": UNITS,
    "group": {**{key: label for key, (_, label) in GROUPS.items()},
              "characteristic:PARAMCD": "a baseline characteristic",
              "event:CATEGORY": "yes or no: an adverse event of that category (CRS, ICANS, HLH) "
              "of grade 1 or more; a record without a grade counts, grade 0 does not"},
    "reference": "level that the others are compared with; the group's own when empty",
    "adjusters": "baseline covariates: age_year, sex, cohort, arm, dose_level, disease, siteid or "
    "characteristic:PARAMCD",
    "time": TIMES,
    "spline_df": "degrees of freedom of the curve",
    "random": RANDOMS,
    "analysis_set": dict.fromkeys(ANALYSIS_SETS, ""),
    "day_low": "first day of the window, from infusion; days before infusion count in when empty; "
    "of a joint question also where the time at risk begins",
    "day_high": "last day of the window; of a joint question also where the time at risk ends",
    "days": "days at which ratios are reported; visits, or 7, 14 and 28, when empty",
    "transform": TRANSFORMS,
    "shift": "what is added before the logarithm of log10_shift",
    "blq": BLQ_RULES,
    "criterion": "response criteria; when empty the patients' own, which must be one",
    "reader": "whose assessment; the study's own when empty",
    "cohort": "cohorts kept; all when empty",
    "inference": dict.fromkeys(INFERENCES, ""),
    "exposure": "questions by exposure and joint questions: the signal that the outcome goes with",
    "parameter": PARAMETERS,
    "landmark_day": "questions by exposure and joint_binary: the day from which the outcome "
    "counts; joint: day of the landmark analysis beside it",
    "residual": RESIDUALS,
    "covariance": COVARIANCES,
    "nested": NESTED,
    "crossed": "siteid for a random intercept of each site; readers and scanners are never pooled",
    "weights": "column of relative precisions: n_regions, the regions in the mean of a patient",
    "level": "confidence level of the intervals",
    "association": ASSOCIATIONS,
    "baseline": BASELINES,
    "seed": "start of the random numbers of inference bootstrap",
}  # fmt: skip


def specification_page() -> str:
    rows = []
    for field in fields(ModelSpec):
        meaning = MEANING[field.name]
        choices = isinstance(meaning, dict) or not isinstance(meaning, str)
        said = f"one of the [choices](#{field.name})" if choices else meaning
        default = "needed" if field.default is MISSING else _written(field.default)
        if field.name in FOLLOWING:
            default = f"first question's, else {default}"
        rows.append((code(field.name), default, said))
    parts = [OPENING, EXAMPLE, KEYS, table(("field", "default", "meaning"), rows)]
    parts += [LEFT_OUT]
    parts += ["## Joint questions", JOINT, "## Choices"]
    for name, meaning in MEANING.items():
        if not isinstance(meaning, str):
            lines = (f"{code(key)}{': ' if text else ''}{text}" for key, text in meaning.items())
            parts += [f"### {name}", bullets(lines)]
    return page("Model specifications", *parts)


def _written(value: object) -> str:
    if value is None or value in ("", ()):
        return "empty"
    return code(value)
