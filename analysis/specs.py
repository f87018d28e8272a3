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
<adjuster>      any     one column per adjuster, named by `adjuster_column(adjuster)`
=============== ======= ======================================================================
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

from analysis.errors import UserError

Question = Literal["signal_by_group", "expansion_by_group"]
QUESTIONS: Mapping[str, str] = {
    "signal_by_group": "Does the signal differ between groups of patients over time?",
    "expansion_by_group": "Do tracked cells expand more in one group of patients than in another?",
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
response code (CR, PR, SD, PD). `characteristic:<PARAMCD>` takes the characteristic's text.
An empty reference means the first level in sorted order."""

EARLY_EXPOSURE = re.compile(
    r"^(kinetics:|uptake:)|cmax|tmax|auc|peak|fold_expansion|clast|tlast|doubling|persistence",
    re.IGNORECASE,
)
_CODE = re.compile(r"^[A-Za-z][A-Za-z0-9_.:-]*$")
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
)
_SIGNAL_DOMAINS = ("kinetics", "uptake", "laboratory", "burden")


@dataclass(frozen=True)
class ModelSpec:
    """One question to the mixed model; every field has a default but `outcome`.

    outcome: signal key (`analysis.derive.signal.Signal.key`), e.g. "kinetics:CARTG:qPCR:BLOOD".
    group: a key of `GROUPS` or "characteristic:<PARAMCD>"; reference: its level to divide by.
    adjusters: baseline covariates, "age_year", "sex", "cohort" or "characteristic:<PARAMCD>".
    day_low, day_high: window of `rel_day` (or of `nominal_day` for visits), both included.
    days: days at which ratios are reported; empty = the visits, or 7, 14 and 28.
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

    def __post_init__(self) -> None:
        """Tuples from lists, numbers from whole numbers. Raises TypeError or ValueError."""
        for name in ("adjusters", "days", "cohort"):
            given = getattr(self, name)
            values = (given,) if isinstance(given, (str, int, float)) else tuple(given)
            object.__setattr__(self, name, values)
        object.__setattr__(self, "days", tuple(float(day) for day in self.days))
        for name in ("day_low", "day_high", "shift"):
            given = getattr(self, name)
            object.__setattr__(self, name, None if given is None else float(given))
        for name in _TEXT_FIELDS:
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} must be text")
        if not all(isinstance(name, str) for name in (*self.adjusters, *self.cohort)):
            raise TypeError("adjusters and cohort must be text")

    @property
    def reference_level(self) -> str:
        """The level ratios are divided by; empty when the first sorted level is taken."""
        return self.reference or GROUPS.get(self.group, ("", ""))[0]

    @property
    def group_label(self) -> str:
        """The grouping in words, for titles and methods."""
        if self.group.startswith("characteristic:"):
            return self.group.partition(":")[2]
        return GROUPS.get(self.group, ("", self.group))[1]

    @property
    def tracer_id(self) -> str | None:
        """Tracer of an uptake outcome; None for blood, laboratory and tumor signals."""
        parts = self.outcome.split(":")
        return parts[1] if parts[0] == "uptake" and len(parts) > 1 else None

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def problems(self, tracer_class: str | None = None) -> tuple[str, ...]:
        """Why this cannot be fitted, one sentence each with the right way; empty when it can.

        tracer_class: class of the outcome's tracer; looked up in the registry when not given.
        """
        found = [*_choice_problems(self), *_number_problems(self), *_name_problems(self)]
        found += _science_problems(self, tracer_class or _tracer_class(self.tracer_id))
        return tuple(found)

    def validate(self, tracer_class: str | None = None) -> None:
        """Raises UserError with the first problem when the question must not be asked so."""
        found = self.problems(tracer_class)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise UserError(f"specification: {found[0]}{more}")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; tuples become lists."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Raises UserError for a field that does not exist or a missing outcome."""
        known = [field.name for field in fields(cls)]
        unknown = [str(name) for name in content if name not in known]
        if unknown:
            raise UserError(
                f"specification: unknown field {unknown[0]!r}; the fields are {', '.join(known)}"
            )
        if not content.get("outcome"):
            raise UserError(
                "specification: 'outcome' is missing; give a signal key such as "
                "kinetics:CARTG:qPCR:BLOOD"
            )
        try:
            return cls(**{str(key): value for key, value in content.items()})
        except (TypeError, ValueError) as error:
            raise UserError(f"specification: a field has the wrong type ({error})") from error

    def to_yaml(self) -> str:
        """A file a person can read and change; `from_yaml` gives the same specification back."""
        import yaml

        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Raises UserError when the text is not YAML or not a specification."""
        import yaml

        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            line = str(error).splitlines()[0]
            raise UserError(f"specification: not valid YAML ({line})") from error
        if not isinstance(content, Mapping):
            raise UserError("specification: expected 'field: value' lines, one field per line")
        return cls.from_dict(content)

    def spec_hash(self) -> str:
        """Identity of the question: 16 hexadecimal digits of its canonical JSON."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def adjuster_column(adjuster: str) -> str:
    """Column of the model frame that carries this adjuster ("characteristic:BURDEN" -> burden)."""
    code = adjuster.partition(":")[2] or adjuster
    return re.sub(r"\W", "_", code).lower()


def _choice_problems(spec: ModelSpec) -> list[str]:
    choices = (
        ("question", spec.question, tuple(QUESTIONS)),
        ("unit", spec.unit, tuple(UNITS)),
        ("time", spec.time, tuple(TIMES)),
        ("random", spec.random, tuple(RANDOMS)),
        ("transform", spec.transform, tuple(TRANSFORMS)),
        ("blq", spec.blq, tuple(BLQ_RULES)),
        ("analysis_set", spec.analysis_set, ANALYSIS_SETS),
    )
    found = [
        f"{name} {value!r} is not one of {', '.join(allowed)}"
        for name, value, allowed in choices
        if value not in allowed
    ]
    known = spec.group in GROUPS or spec.group.startswith("characteristic:")
    if not known and not EARLY_EXPOSURE.search(spec.group):
        found.append(
            f"group {spec.group!r} is not one of {', '.join(GROUPS)} or characteristic:<PARAMCD>"
        )
    if spec.blq == "censored":
        found.append(
            "the censored likelihood for values below the limit is not available yet; "
            "use half_lloq (shown beside drop as a sensitivity table)"
        )
    return found


def _number_problems(spec: ModelSpec) -> list[str]:
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
    if spec.transform == "log10_shift" and not spec.shift > 0:
        found.append("transform log10_shift needs a shift above 0 in the unit of the signal")
    if spec.transform != "log10_shift" and spec.shift:
        found.append(
            "a shift is used only with transform log10_shift, to repeat a published "
            "analysis; the product's own way is log10"
        )
    return found


def _name_problems(spec: ModelSpec) -> list[str]:
    found = []
    if spec.outcome.split(":")[0] not in _SIGNAL_DOMAINS:
        found.append(
            f"outcome {spec.outcome!r} is not a signal key; expected "
            f"{', '.join(_SIGNAL_DOMAINS)} followed by ':' and its code"
        )
    found += [
        f"adjuster {name!r} is not a column name"
        for name in spec.adjusters
        if not _CODE.match(name)
    ]
    if spec.group in spec.adjusters:
        found.append(f"{spec.group!r} is both the group and an adjuster; keep it in one place")
    return found


def _science_problems(spec: ModelSpec, tracer_class: str | None) -> list[str]:
    """Questions that have no honest answer, whatever the data say."""
    found = []
    tracer = spec.tracer_id
    if tracer is not None and (not tracer or re.search(r"[,+|*]", tracer)):
        found.append(
            "signals of several tracers cannot be one outcome: each has its own clock and "
            "meaning; choose one tracer (the variable is tracer + metric + method)"
        )
    if spec.question == "expansion_by_group":
        found += _expansion_problems(spec, tracer_class)
    early = [name for name in (*spec.adjusters, spec.group) if EARLY_EXPOSURE.search(name)]
    if early:
        found.append(
            f"{early[0]!r} is an exposure measured after infusion and is known only after its "
            "peak; as a baseline covariate it gives immortal-time bias; model the signal as the "
            "outcome by response, or use a landmark or time-varying analysis"
        )
    return found


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


def _expansion_problems(spec: ModelSpec, tracer_class: str | None) -> list[str]:
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


_OUTCOME_ORDER = (
    "kinetics:CARTG:qPCR:BLOOD",
    "kinetics:CARTG:ddPCR:BLOOD",
    "kinetics:CARFLOW:flow:BLOOD",
    "kinetics:CARTG",
    "kinetics:",
    "uptake:",
)


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
    return ModelSpec(
        outcome=outcome,
        question="expansion_by_group" if outcome.startswith("kinetics:") else "signal_by_group",
        unit="lesion" if outcome.endswith(":lesion") else "patient",
        group="responder",
        time="visit" if factor else "spline",
        random="intercept" if factor else "matching",
        day_low=min((day for day in after if day >= 7), default=None) if factor else 0.0,
        criterion=criteria[0] if criteria else "",
        cohort=tuple(cohort),
    )
