"""What a fit says: frozen, comparable, serializable. Numbers, checks, one sentence, provenance.

Undefined numbers are None, never nan or inf, so that the JSON is valid and a round trip is exact:
`Fit.from_dict(json.loads(json.dumps(fit.to_dict()))) == fit`.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

if TYPE_CHECKING:
    import polars as pl

Status = Literal["ok", "warning", "not_estimable"]


def finite(value: Any) -> float | None:
    """The number, or None when it is missing, nan or infinite."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Estimate:
    """One fixed effect on the scale of the fit. df is None for a normal (Wald) reference.

    part: which submodel of a fit of several parts ("longitudinal", "event", "association");
    empty where there is only one. caution: of an answer at chosen values that is extrapolated.
    """

    term: str
    estimate: float
    std_error: float | None = None
    df: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    part: str = field(default="", kw_only=True)
    caution: str = field(default="", kw_only=True)

    @property
    def status(self) -> Status:
        """A warning where there is a caution."""
        return "warning" if self.caution else "ok"


class VarianceComponent(NamedTuple):
    """One variance, or the covariance of term_1 and term_2; rows as lme4 lists them.

    sd_or_corr: standard deviation of a variance, correlation of a covariance.
    """

    group: str
    term_1: str | None
    term_2: str | None
    variance: float | None
    sd_or_corr: float | None


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `message` is plain English and says what to do."""

    name: str
    status: Literal["ok", "warning", "failed", "note"]
    message: str
    value: float | None = None


@dataclass(frozen=True)
class GeometricMeanRatio:
    """Group against reference on one day, on the scale of the outcome.

    kind: "geometric-mean ratio", "ratio of shifted values" or "difference" (no logarithm).
    n, n_reference: patients of each group in the fit; n_observed*: with a value on that day
    (planned visits only, else None). p_adjusted: Holm over the ratios of this fit. df: degrees of
    freedom of interval and p-value, None for a normal reference.
    """

    day: float | None
    group: str
    reference: str
    ratio: float
    conf_low: float | None
    conf_high: float | None
    p_value: float | None
    n: int
    n_reference: int
    p_adjusted: float | None = None
    n_observed: int | None = None
    n_observed_reference: int | None = None
    kind: str = "geometric-mean ratio"
    df: float | None = None


@dataclass(frozen=True)
class WaldTest:
    """A joint test of several fixed effects being zero; df = number of effects.

    kind "F": statistic over `den_df` denominator degrees of freedom; "chi-square": none.
    method: whose degrees of freedom they are. permutation_p_value: the share of trials with
    relabelled patients that are as extreme; where method says permutation it is p_value too.
    """

    name: str
    statistic: float
    df: int
    p_value: float
    den_df: float | None = None
    kind: str = "chi-square"
    method: str = ""
    permutation_p_value: float | None = None


class CurvePoint(NamedTuple):
    """Fitted mean curve of a group, back on the scale of the outcome (geometric mean on log10)."""

    group: str
    day: float | None
    estimate: float | None
    conf_low: float | None
    conf_high: float | None


class ResidualPoint(NamedTuple):
    """One observation on the scale of the fit; `quantile` is its normal score (Blom)."""

    usubjid: str
    day: float | None
    fitted: float
    residual: float
    quantile: float


class InfluencePoint(NamedTuple):
    """The key ratio refitted without one patient; `change` is the factor it moved by, or the
    difference where the outcome is not on a log scale."""

    usubjid: str
    ratio: float | None
    conf_low: float | None
    conf_high: float | None
    change: float | None


class SensitivityRow(NamedTuple):
    """The key ratio under another rule, everything else equal.

    joint_p_value: of the test of the whole course (`Fit.group_test`) under that rule.
    """

    rule: str
    day: float | None
    ratio: float | None
    conf_low: float | None
    conf_high: float | None
    p_value: float | None
    n_observations: int
    status: str
    joint_p_value: float | None = None


class Excluded(NamedTuple):
    """Rows or patients left out of the fit, and why."""

    reason: str
    n: int


@dataclass(frozen=True)
class Provenance:
    """What produced the numbers: program and library versions, the question's identity, and the
    study and data cut whose rows they are (None for a frame of the caller's)."""

    program: str = "cartograph"
    program_version: str = ""
    libraries: tuple[tuple[str, str], ...] = ()
    spec_hash: str | None = None
    study: str | None = None
    cut: str | None = None


@dataclass(frozen=True)
class Fit:
    """Result of a statistical model. No number is carried by a fit that is not estimable.

    criterion: -2 log-likelihood, restricted (REML) or full (ML), comparable with lme4's.
    key_index: which of `ratios` the sentence is about.
    residual, crossed, weights, context: as `fit_mixed` takes them.
    covariance: of the random effects, "full" or "diagonal". inference: the method used for single
    effects, joint_inference: for joint tests, inference_note why, seed: of simulated inference.
    limits: columns of the lower and upper limits of a censored model. advice: what to do when the
    status is not ok. design: the fitted matrices, in memory only,
    outside equality and JSON.
    """

    kind: str
    status: Status
    reason: str | None
    sentence: str
    advice: str = ""
    formula: str = ""
    group: str = ""
    random: str = ""
    nested: tuple[str, ...] = ()
    covariance: str = "full"
    residual: str = "independent"
    crossed: tuple[str, ...] = ()
    weights: str = ""
    context: str = ""
    limits: tuple[str, ...] = ()
    reml: bool = True
    estimates: tuple[Estimate, ...] = ()
    variance_components: tuple[VarianceComponent, ...] = ()
    log_likelihood: float | None = None
    criterion: float | None = None
    n_subjects: int = 0
    n_observations: int = 0
    n_censored: int = 0
    n_events: int | None = None
    excluded: tuple[Excluded, ...] = ()
    inference: str = "wald"
    joint_inference: str = ""
    inference_note: str = ""
    seed: int | None = None
    conf_level: float = 0.95
    checks: tuple[Check, ...] = ()
    ratios: tuple[GeometricMeanRatio, ...] = ()
    key_index: int = 0
    interaction: WaldTest | None = None
    group_test: WaldTest | None = None
    icc: float | None = None
    r_squared_marginal: float | None = None
    curves: tuple[CurvePoint, ...] = ()
    residuals: tuple[ResidualPoint, ...] = ()
    influence: tuple[InfluencePoint, ...] = ()
    sensitivity: tuple[SensitivityRow, ...] = ()
    method: str = ""
    references: tuple[str, ...] = ()
    code: str = ""
    spec: Mapping[str, Any] | None = None
    provenance: Provenance = Provenance()
    design: Any = field(default=None, compare=False, repr=False)

    @property
    def n_excluded(self) -> int:
        """All rows left out, whatever the reason."""
        return sum(row.n for row in self.excluded)

    @property
    def key_ratio(self) -> GeometricMeanRatio | None:
        """The ratio the sentence is about; None when there is none."""
        return self.ratios[self.key_index] if self.ratios else None

    def table(self) -> "pl.DataFrame":
        """Fixed effects: term, estimate, std_error, df, statistic, p_value, conf_low, conf_high.

        A fit of several parts names the part of each row in a column `part` before them.
        """
        import polars as pl

        apart = ("part", "caution")
        names = [item.name for item in dataclasses.fields(Estimate) if item.name not in apart]
        if any(estimate.part for estimate in self.estimates):
            names = ["part", *names]
        text = ("part", "term")
        schema = {name: pl.String if name in text else pl.Float64 for name in names}
        rows = [[getattr(estimate, name) for name in names] for estimate in self.estimates]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def variance_table(self) -> "pl.DataFrame":
        """Variance components: group, term_1, term_2, variance, sd_or_corr."""
        import polars as pl

        names = VarianceComponent._fields
        schema = {
            name: pl.Float64 if name in ("variance", "sd_or_corr") else pl.String for name in names
        }
        return pl.DataFrame(list(self.variance_components), schema=schema, orient="row")

    def contrast(
        self,
        at: Mapping[str, Any],
        against: Mapping[str, Any] | None = None,
        *,
        frame: "pl.DataFrame | None" = None,
    ) -> Estimate:
        """Mean at chosen values, or its difference from another, with degrees of freedom: see
        `analysis.fits.marginal`. frame: the data, for a fit restored from JSON."""
        from analysis.fits.marginal import contrast

        return contrast(self, at, against, frame)

    def check(self, name: str) -> Check | None:
        """The check of that name, None when it was not made."""
        return next((item for item in self.checks if item.name == name), None)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; named tuples become objects; `design` is left out."""
        return {
            item.name: plain(getattr(self, item.name))
            for item in dataclasses.fields(self)
            if item.name != "design"
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The fit that `to_dict` described. Raises ValueError for a field that does not exist."""
        known = {item.name for item in dataclasses.fields(cls)} - {"design"}
        unknown = sorted(set(content) - known)
        if unknown:
            raise ValueError(
                f"a stored fit has the unknown field {unknown[0]!r}; it was written "
                "by another version of the program, fit it again"
            )
        return cls(**{name: _restored(name, value) for name, value in content.items()})


_ROWS: Mapping[str, type] = {
    "estimates": Estimate,
    "variance_components": VarianceComponent,
    "excluded": Excluded,
    "checks": Check,
    "ratios": GeometricMeanRatio,
    "curves": CurvePoint,
    "residuals": ResidualPoint,
    "influence": InfluencePoint,
    "sensitivity": SensitivityRow,
}
_OBJECTS: Mapping[str, type] = {"interaction": WaldTest, "group_test": WaldTest}


def plain(value: Any) -> Any:
    """Plain JSON types: objects for dataclasses and named tuples, None for nan and infinity."""
    if isinstance(value, float):
        return finite(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def _restored(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _ROWS:
        return tuple(_ROWS[name](**row) for row in value)
    if name in _OBJECTS:
        return _OBJECTS[name](**value)
    if name == "provenance":
        libraries = tuple((library, version) for library, version in value["libraries"])
        return Provenance(**{**value, "libraries": libraries})
    return tuple(value) if isinstance(value, list) else value
