"""The rows of a fit, frozen and comparable: an estimate, a check, a ratio, a point of a curve."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

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
