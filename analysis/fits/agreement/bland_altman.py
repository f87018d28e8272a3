"""Limits of agreement of two methods or readers (Bland JM, Altman DG, Lancet 1986;1:307,
doi:10.1016/S0140-6736(86)90837-8)."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.agreement.columns import codes, complete, positive
from analysis.fits.agreement.differences import Interval, limits, mean_interval, spread_of
from analysis.fits.agreement.result import (
    CONF_LEVEL,
    AgreementResult,
    Measure,
    judged,
    not_estimable,
)
from analysis.frames import takes_frames
from analysis.number_words import count, number
from analysis.results import Check

if TYPE_CHECKING:
    import polars as pl

KIND = "limits of agreement"
MINIMUM_PATIENTS = 5
FEW_PATIENTS = 20
INTERVALS = ("exact", "approximate")
REFERENCES = (
    "doi:10.1016/S0140-6736(86)90837-8",
    "doi:10.1177/096228029900800204",
    "doi:10.1097/OPX.0000000000000513",
)
REPLICATE_REFERENCES = ("doi:10.1080/10543400701329422", "doi:10.1177/0962280211402548")


@takes_frames
def bland_altman(
    frame: "pl.DataFrame",
    first: str,
    second: str,
    subject: str | None = None,
    *,
    log: bool = False,
    interval: str = "exact",
    level: float = CONF_LEVEL,
) -> AgreementResult:
    """Mean difference first - second and its 95 % limits; with `log`, ratios first / second.

    One row per pair measured together. subject: the patient of each pair, when a patient may have
    several; without it every row is a patient of its own. Measures: "mean difference" (or
    "geometric mean ratio"), "lower limit", "upper limit", "SD of differences", and "slope on the
    mean" with the p-value of no proportional bias.
    Raises UserError for a column that is not there or an interval method that does not exist.
    """
    require_level(level)
    import polars as pl

    if interval not in INTERVALS:
        raise UserError(f"{KIND}: interval {interval!r} does not exist; use exact or approximate")
    labels = (subject,) if subject else ()
    kept, excluded = positive(complete(KIND, frame, (first, second), labels), (first, second), log)
    one, two = (kept[name].cast(pl.Float64).to_numpy() for name in (first, second))
    one, two = (np.log(one), np.log(two)) if log else (one, two)
    patient = codes(kept[subject]) if subject else np.arange(kept.height)
    n = len(np.unique(patient))
    if n < MINIMUM_PATIENTS:
        return not_estimable(
            KIND,
            "too_few_subjects",
            f"{count(n, 'patient')} with both values cannot carry limits of agreement; at least "
            f"{MINIMUM_PATIENTS} are needed.",
            "Show the pairs themselves instead.",
            n_subjects=n,
            n_observations=kept.height,
            excluded=excluded,
        )
    spread = spread_of(one - two, patient)
    size = float(np.abs(np.concatenate([one, two])).max())
    if spread.total <= (1e-12 * size) ** 2:
        return not_estimable(
            KIND,
            "constant_difference",
            f"{first} and {second} differ by the same amount in every pair.",
            "Check that the columns were measured independently.",
            n_subjects=n,
            n_observations=kept.height,
            excluded=excluded,
        )
    low, high = limits(spread, level, interval)
    middle = mean_interval(spread, level)
    slope, p_value = _slope(one, two, patient)
    result = AgreementResult(
        KIND,
        "ok",
        None,
        _sentence(first, second, middle, low, high, log, n),
        measures=(
            _measure("geometric mean ratio" if log else "mean difference", middle, log),
            _measure("lower limit", low, log),
            _measure("upper limit", high, log),
            Measure(
                "SD of differences",
                float(np.sqrt(spread.total)),
                unit="log" if log else "outcome",
            ),
            Measure("slope on the mean", slope, p_value=p_value, df=float(n - 2)),
        ),
        n_subjects=n,
        n_observations=kept.height,
        excluded=excluded,
        conf_level=level,
        method=_method(interval, kept.height > n, log),
        references=REFERENCES + (REPLICATE_REFERENCES if kept.height > n else ()),
    )
    return judged(result, _checks(n, slope, p_value, log))


def _slope(one: Array, two: Array, patient: Index) -> tuple[float | None, float | None]:
    """Least squares of the difference on the mean, over the patients' means."""
    from scipy.stats import linregress

    counts = np.bincount(patient)
    difference = np.bincount(patient, one - two) / counts
    mean = np.bincount(patient, (one + two) / 2) / counts
    if np.ptp(mean) <= 1e-12 * float(np.abs(mean).max()):
        return None, None
    line = linregress(mean, difference)
    return float(line.slope), float(line.pvalue)


def _measure(name: str, found: Interval, log: bool) -> Measure:
    shown = Interval(*(float(np.exp(value)) for value in found)) if log else found
    unit = "ratio" if log else "outcome"
    return Measure(name, shown.estimate, shown.low, shown.high, unit=unit)


def _checks(n: int, slope: float | None, p_value: float | None, log: bool) -> tuple[Check, ...]:
    found = []
    if n < FEW_PATIENTS:
        found.append(
            Check(
                "few_subjects",
                "note",
                f"With {n} patients the limits are uncertain; read their intervals.",
                float(n),
            )
        )
    if p_value is not None and slope is not None and p_value < 0.05:
        way = "report limits by range" if log else "take ratios (log=True) or limits by range"
        found.append(
            Check(
                "proportional_bias",
                "warning",
                f"the difference changes with the size of the value (p = {p_value:.2g}), so one "
                f"pair of limits does not fit all; {way}.",
                slope,
            )
        )
    return tuple(found)


def _sentence(
    first: str, second: str, middle: Interval, low: Interval, high: Interval, log: bool, n: int
) -> str:
    shown = [float(np.exp(item.estimate)) if log else item.estimate for item in (middle, low, high)]
    mean, below, above = (_signed(value) for value in shown)
    if log:
        return (
            f"{first} is on average {mean} times {second}; 95 % of ratios are expected between "
            f"{below} and {above} (n = {n})."
        )
    return (
        f"{first} minus {second} is {mean} on average; 95 % of differences are expected between "
        f"{below} and {above} (n = {n})."
    )


def _signed(value: float) -> str:
    return f"-{number(-value)}" if value < 0 else number(value)


def _method(interval: str, replicates: bool, log: bool) -> str:
    scale = "ratios from natural logarithms" if log else "differences"
    how = (
        "several pairs per patient: variances between and within patients, intervals by variance "
        "estimates recovery (Zou 2013)"
        if replicates
        else "intervals of the limits exact by the noncentral t distribution (Carkeet 2015)"
        if interval == "exact"
        else "approximate intervals of the limits (Bland and Altman 1999)"
    )
    return (
        f"Bland-Altman limits of agreement on {scale}; {how}; proportional bias by regression of "
        "the patients' mean differences on their means."
    )
