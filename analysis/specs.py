"""What is asked of the data, as one frozen, serializable question: `ModelSpec`.

A specification names the question and never the answer: no estimate, no data, no path. The same
specification on the same data cut gives the same `Fit`; `spec_hash` is its identity.

Contract of the frame that `analysis.fit_specification(frame, spec)` takes (one row per subject,
region and sample; `analysis.derive.model_frame` builds it):

=============== ======= ======================================================================
column          type    meaning
=============== ======= ======================================================================
usubjid         text    patient; the grouping factor of the random part
region_code     text    only when `unit` is "lesion" or "organ"
rel_day         float   days since infusion
nominal_day     float   planned day; needed when `time` is "visit"
value           float   as measured, canonical unit, NOT transformed; null when censored
lower, upper    float   bounds of a censored value (left: 0 and the limit); optional
censored        text    none, left, right, interval; optional (all none)
lloq            float   limit of that sample; optional
tracer_id, unit text    optional; more than one distinct value is refused
group           text    level of `spec.group` for the patient; null = not known
response_day    float   of a response: day of the assessment behind `group`; optional
event_day       float   of an event: end of follow-up of the patient, days since infusion
event           int     of an event: 1 where it was seen, 0 where follow-up ended without
<adjuster>      any     one column per adjuster, named by `adjuster_column(adjuster)`; of
                        "log10(...)" the logarithms, named log10_...
siteid          text    only when `crossed` names it
<weights>       float   relative precision of the value; only when `weights` names the column
=============== ======= ======================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from analysis.adjuster_columns import adjuster_column
from analysis.covariance_rules import COVARIANCES, CROSSED, NESTED, RESIDUALS
from analysis.errors import UserError
from analysis.exposure_rules import EXPOSURE_QUESTIONS, OUTCOME_QUESTIONS, PARAMETERS
from analysis.joint_rules import ASSOCIATIONS, BASELINES, JOINT_QUESTIONS
from analysis.spec_content import content_of, identity_of, read_content, read_yaml, yaml_of
from analysis.spec_rules import (
    ANALYSIS_SETS,
    BLQ_RULES,
    GROUPS,
    QUESTIONS,
    RANDOMS,
    TIMES,
    TRANSFORMS,
    UNITS,
    spec_problems,
)

__all__ = [
    "ANALYSIS_SETS",
    "ASSOCIATIONS",
    "BASELINES",
    "BLQ_RULES",
    "COVARIANCES",
    "CROSSED",
    "EXPOSURE_QUESTIONS",
    "GROUPS",
    "JOINT_QUESTIONS",
    "NESTED",
    "OUTCOME_QUESTIONS",
    "PARAMETERS",
    "QUESTIONS",
    "RANDOMS",
    "RESIDUALS",
    "TIMES",
    "TRANSFORMS",
    "UNITS",
    "ModelSpec",
    "adjuster_column",
]

_TEXT_FIELDS = (
    "outcome",
    "question",
    "unit",
    "group",
    "reference",
    "time",
    "random",
    "analysis_set",
    "transform",
    "blq",
    "criterion",
    "reader",
    "inference",
    "exposure",
    "parameter",
    "residual",
    "covariance",
    "nested",
    "weights",
    "baseline",
)


@dataclass(frozen=True)
class ModelSpec:
    """One question to the mixed model; every field has a default but `outcome`.

    outcome: signal key (`analysis.derive.signal.Signal.key`), e.g. "kinetics:CARTG:qPCR:BLOOD".
    group: a key of `GROUPS`, "characteristic:<PARAMCD>" or "event:<CATEGORY>" (with such an adverse
    event or not); reference: its level to divide by.
    adjusters: baseline covariates, "age_year", "sex", "cohort" or "characteristic:<PARAMCD>"; of a
    skewed one the decimal logarithm, "log10(characteristic:<PARAMCD>)".
    day_low, day_high: window of `rel_day` (or of `nominal_day` for visits), both included.
    days: days at which ratios are reported; empty = the visits, or 7, 14 and 28.
    exposure, parameter, landmark_day: only for the questions by exposure (the joint ones have no
    parameter). There the outcome is
    "response:responder", "response:complete_response" or "event:<endpoint>", and the signal with a
    key of `PARAMETERS` over day_low to day_high is the exposure; the outcome counts from
    landmark_day.
    residual: a key of `RESIDUALS`; covariance: of the patient's random effects, a key of
    `COVARIANCES`; nested: what each lesion or organ has of its own, a key of `NESTED`.
    crossed: columns of `CROSSED` with a random intercept. weights: a column of relative precisions,
    such as n_regions (regions in the patient's mean). level: of the intervals; seed: of the
    parametric bootstrap.
    association: of a joint question, keys of `ASSOCIATIONS`, "value" when empty; baseline: of the
    hazard, a key of `BASELINES`, "piecewise" when empty.
    """

    outcome: str
    question: str = "signal_by_group"
    unit: str = "patient"
    group: str = "responder"
    reference: str = ""
    adjusters: tuple[str, ...] = ()
    time: str = "spline"
    spline_df: int = 3
    random: str = "matching"
    analysis_set: str = "infused"
    day_low: float | None = None
    day_high: float | None = None
    days: tuple[float, ...] = ()
    transform: str = "log10"
    shift: float = 0.0
    blq: str = "half_lloq"
    criterion: str = ""
    reader: str = ""
    cohort: tuple[str, ...] = ()
    inference: str = "auto"
    exposure: str = ""
    parameter: str = ""
    landmark_day: float | None = None
    residual: str = "independent"
    covariance: str = "auto"
    nested: str = "intercept"
    crossed: tuple[str, ...] = ()
    weights: str = ""
    level: float = 0.95
    seed: int = 0
    association: tuple[str, ...] = ()
    baseline: str = ""

    def __post_init__(self) -> None:
        """Tuples from lists, numbers from whole numbers. Raises TypeError or ValueError."""
        for name in ("adjusters", "days", "cohort", "crossed", "association"):
            given = getattr(self, name)
            values = (given,) if isinstance(given, (str, int, float)) else tuple(given)
            object.__setattr__(self, name, values)
        object.__setattr__(self, "days", tuple(float(day) for day in self.days))
        for name in ("day_low", "day_high", "shift", "landmark_day", "level"):
            given = getattr(self, name)
            object.__setattr__(self, name, None if given is None else float(given))
        for name in _TEXT_FIELDS:
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} must be text")
        named = (*self.adjusters, *self.cohort, *self.crossed, *self.association)
        if not all(isinstance(name, str) for name in named):
            raise TypeError("adjusters, cohort, crossed and association must be text")
        if type(self.seed) is not int:
            raise TypeError("seed must be a whole number")

    @property
    def reference_level(self) -> str:
        """The level ratios are divided by; empty when the first sorted level is taken."""
        default = "no" if self.group.startswith("event:") else GROUPS.get(self.group, ("", ""))[0]
        return self.reference or default

    @property
    def group_label(self) -> str:
        """The grouping in words, for titles and methods."""
        if self.group.startswith(("characteristic:", "event:")):
            return self.group.partition(":")[2]
        return GROUPS.get(self.group, ("", self.group))[1]

    @property
    def signal_key(self) -> str:
        """Key of the signal the question is about: its exposure where it has one."""
        return self.exposure if self.question in OUTCOME_QUESTIONS else self.outcome

    @property
    def tracer_id(self) -> str | None:
        """Tracer of an uptake signal; None for blood, laboratory and tumor signals."""
        parts = self.signal_key.split(":")
        return parts[1] if parts[0] == "uptake" and len(parts) > 1 else None

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def problems(self, tracer_class: str | None = None) -> tuple[str, ...]:
        """Why this cannot be fitted, one sentence each with the right way; empty when it can.

        tracer_class: class of the outcome's tracer; looked up in the registry when not given.
        """
        return spec_problems(self, tracer_class)

    def validate(self, tracer_class: str | None = None) -> None:
        """Raises UserError with the first problem when the question must not be asked so."""
        found = self.problems(tracer_class)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise UserError(f"specification: {found[0]}{more}")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; tuples become lists."""
        return content_of(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Raises UserError for a field that does not exist or a missing outcome."""
        return read_content(cls, content)

    def to_yaml(self) -> str:
        """A file a person can read and change; `from_yaml` gives the same specification back."""
        return yaml_of(self)

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Raises UserError when the text is not YAML or not a specification."""
        return read_content(cls, read_yaml(text))

    def spec_hash(self) -> str:
        """Identity of the question: 16 hexadecimal digits of its canonical JSON."""
        return identity_of(self)
