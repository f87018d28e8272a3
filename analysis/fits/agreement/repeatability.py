"""Repeatability of a measurement from repeats under the same conditions.

Within-subject standard deviation or coefficient of variation, and the repeatability coefficient
2.77 times as large: the change that 95 % of pairs of repeats stay below. Intervals by chi-square on
the degrees of freedom within patients (Raunig DL et al., Stat Methods Med 2015;24:27,
doi:10.1177/0962280214537344; Obuchowski NA, Bullen J, Stat Methods Med 2018;27:3346,
doi:10.1177/0962280217723175).
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.agreement.columns import codes, complete, positive
from analysis.fits.agreement.result import (
    CONF_LEVEL,
    AgreementResult,
    Measure,
    judged,
    not_estimable,
)
from analysis.frames import takes_frames
from analysis.number_words import count, number
from analysis.results import Check, Excluded

if TYPE_CHECKING:
    import polars as pl

MINIMUM_DF = 4
RECOMMENDED_DF = 35
"""QIBA asks for 35 patients with two repeats (Raunig 2015)."""
CV_METHODS = ("log", "root_mean_square")
REFERENCES = ("doi:10.1177/0962280214537344", "doi:10.1177/0962280217723175")


class Within(NamedTuple):
    """Spread within patients with the chi-square interval; means and sds are per patient."""

    estimate: float
    low: float
    high: float
    df: int
    patients: int
    means: Array
    sds: Array


@takes_frames
def within_subject_sd(
    frame: "pl.DataFrame", value: str, subject: str, *, level: float = CONF_LEVEL
) -> AgreementResult:
    """Within-subject SD and repeatability coefficient, in the unit of the values.

    One row per measurement; patients with one measurement are left out and counted. Measures:
    "within-subject SD", "repeatability coefficient". A spread that grows with the value is a
    warning (Kendall's rank test). Raises UserError for a column that is not there.
    """
    require_level(level)
    kind = "within-subject standard deviation"
    repeated = _repeats(kind, frame, value, subject, log=False)
    if isinstance(repeated, AgreementResult):
        return repeated
    values, patient, excluded = repeated
    found = _within(values, patient, level)
    if found.estimate <= 1e-12 * float(np.abs(values).max()):
        return _no_variation(kind, value, found, len(values), excluded)
    factor = _repeatability_factor()
    names = ("within-subject SD", "repeatability coefficient")
    result = AgreementResult(
        kind,
        "ok",
        None,
        f"Two measurements of {value} in an unchanged patient differ by less than "
        f"{number(factor * found.estimate)} in 95 % of pairs (within-subject SD "
        f"{number(found.estimate)}; {count(found.patients, 'patient')}).",
        measures=tuple(
            Measure(
                name, by * found.estimate, by * found.low, by * found.high,
                df=float(found.df), unit="outcome",
            )
            for name, by in zip(names, (1.0, factor), strict=True)
        ),
        n_subjects=found.patients,
        n_observations=len(values),
        excluded=excluded,
        conf_level=level,
        method="Pooled variance within patients; intervals by chi-square (Raunig 2015).",
        references=REFERENCES,
    )  # fmt: skip
    return judged(result, (*_size(found), *_proportional(found)))


@takes_frames
def within_subject_cv(
    frame: "pl.DataFrame",
    value: str,
    subject: str,
    *,
    method: str = "log",
    level: float = CONF_LEVEL,
) -> AgreementResult:
    """Within-subject coefficient of variation and repeatability in percent.

    One row per measurement above 0; patients with one measurement are left out and counted.
    method: "log" (from the SD of natural logarithms; the limits of a ratio are exact on that
    scale) or "root_mean_square" (root mean square of the patients' CVs, as QIBA profiles report).
    Measures: "within-subject CV" (percent), "repeatability coefficient" (percent, 2.77 CV); with
    "log" also "lower ratio" and "upper ratio" of two measurements in an unchanged patient.
    Raises UserError for a column that is not there or a method that does not exist.
    """
    require_level(level)
    kind = "within-subject coefficient of variation"
    if method not in CV_METHODS:
        raise UserError(f"{kind}: method {method!r} does not exist; use {' or '.join(CV_METHODS)}")
    repeated = _repeats(kind, frame, value, subject, log=True)
    if isinstance(repeated, AgreementResult):
        return repeated
    values, patient, excluded = repeated
    log = method == "log"
    found = _within(np.log(values) if log else _relative(values, patient), patient, level)
    if found.estimate <= 1e-12:
        return _no_variation(kind, value, found, len(values), excluded)
    factor = _repeatability_factor()
    spreads = (found.estimate, found.low, found.high)
    cv, cv_low, cv_high = (100 * (float(np.sqrt(np.expm1(s**2))) if log else s) for s in spreads)
    up, up_low, up_high = (float(np.exp(factor * s)) for s in spreads)
    df = float(found.df)
    measures = [
        Measure(name, by * cv, by * cv_low, by * cv_high, df=df, unit="percent")
        for name, by in (("within-subject CV", 1.0), ("repeatability coefficient", factor))
    ]
    if log:
        measures += [
            Measure("lower ratio", 1 / up, 1 / up_high, 1 / up_low, df=df, unit="ratio"),
            Measure("upper ratio", up, up_low, up_high, df=df, unit="ratio"),
        ]
    bounds = (
        f"the ratio of two measurements in an unchanged patient lies between {number(1 / up)} and "
        f"{number(up)} in 95 % of pairs"
        if log
        else f"two measurements in an unchanged patient differ by less than "
        f"{number(factor * cv)} % in 95 % of pairs"
    )
    result = AgreementResult(
        kind,
        "ok",
        None,
        f"The within-subject CV of {value} is {number(cv)} %: {bounds} "
        f"({count(found.patients, 'patient')}).",
        measures=tuple(measures),
        n_subjects=found.patients,
        n_observations=len(values),
        excluded=excluded,
        conf_level=level,
        method=(
            "SD of natural logarithms within patients, CV = sqrt(exp(SD^2) - 1)"
            if log
            else "Root mean square of the patients' coefficients of variation"
        )
        + "; intervals by chi-square (Obuchowski and Bullen 2018).",
        references=REFERENCES,
    )
    return judged(result, _size(found))


def _repeatability_factor() -> float:
    """1.96 times the square root of 2: a difference has twice the variance of a measurement."""
    from scipy.special import ndtri

    return float(ndtri(0.975) * np.sqrt(2.0))


def _repeats(
    kind: str, frame: "pl.DataFrame", value: str, subject: str, log: bool
) -> tuple[Array, Index, tuple[Excluded, ...]] | AgreementResult:
    """Values and patients of those with at least two, or why there are not enough."""
    import polars as pl

    kept, excluded = positive(complete(kind, frame, (value,), (subject,)), (value,), log)
    several = kept.filter(pl.len().over(subject) > 1)
    if several.height < kept.height:
        alone = kept.height - several.height
        excluded = (*excluded, Excluded("a patient with one measurement", alone))
    df = several.height - several[subject].n_unique()
    if df < MINIMUM_DF:
        return not_estimable(
            kind,
            "too_few_repeats",
            f"{count(several[subject].n_unique(), 'patient')} with repeated measurements give {df} "
            f"degrees of freedom; at least {MINIMUM_DF} are needed.",
            "Measure more patients twice, or take a published repeatability of the same tracer, "
            "metric and method.",
            n_subjects=several[subject].n_unique(),
            n_observations=several.height,
            excluded=excluded,
        )
    return several[value].cast(pl.Float64).to_numpy(), codes(several[subject]), excluded


def _within(values: Array, patient: Index, level: float) -> Within:
    from scipy.stats import chi2

    counts = np.bincount(patient)
    means = np.bincount(patient, values) / counts
    squares = np.bincount(patient, (values - means[patient]) ** 2)
    df, tail = len(values) - len(counts), (1 - level) / 2
    total = float(squares.sum())
    low, high = (float(np.sqrt(total / chi2.ppf(share, df))) for share in (1 - tail, tail))
    sds = np.sqrt(squares / (counts - 1))
    return Within(float(np.sqrt(total / df)), low, high, df, len(counts), means, sds)


def _relative(values: Array, patient: Index) -> Array:
    """Values in units of their patient's mean, so that the pooled SD is the mean-square CV."""
    means = np.bincount(patient, values) / np.bincount(patient)
    return np.asarray(values / means[patient])


def _no_variation(
    kind: str, value: str, found: Within, n: int, excluded: tuple[Excluded, ...]
) -> AgreementResult:
    return not_estimable(
        kind,
        "no_variation",
        f"The repeats of {value} are the same in every patient.",
        "Check that the repeats are measurements of their own, not copies.",
        n_subjects=found.patients,
        n_observations=n,
        excluded=excluded,
    )


def _size(found: Within) -> tuple[Check, ...]:
    if found.df >= RECOMMENDED_DF:
        return ()
    return (
        Check(
            "few_repeats",
            "note",
            f"{found.df} degrees of freedom within patients; QIBA asks for {RECOMMENDED_DF} (35 "
            "patients measured twice), so read the interval.",
            float(found.df),
        ),
    )


def _proportional(found: Within) -> tuple[Check, ...]:
    """Rank correlation of the patients' SD with their mean (Bland and Altman, BMJ 1996;312:1654,
    doi:10.1136/bmj.312.7047.1654)."""
    from scipy.stats import kendalltau

    tau = kendalltau(found.sds, found.means)
    if not (np.isfinite(tau.pvalue) and tau.pvalue < 0.05 and tau.statistic > 0):
        return ()
    return (
        Check(
            "proportional_spread",
            "warning",
            f"the spread grows with the value (Kendall tau {tau.statistic:.2f}, p = "
            f"{tau.pvalue:.2g}), so one SD does not fit all; take within_subject_cv.",
            float(tau.statistic),
        ),
    )
