"""Mean and spread of paired differences with one or several pairs per patient, and their limits.

One pair per patient: limits with exact intervals by the noncentral t distribution (Carkeet A,
Optom Vis Sci 2015;92:e71, doi:10.1097/OPX.0000000000000513) or the approximate ones of Bland JM,
Altman DG, Stat Methods Med 1999;8:135, doi:10.1177/096228029900800204. Several pairs per patient:
variance between and within patients (Bland JM, Altman DG, J Biopharm Stat 2007;17:571,
doi:10.1080/10543400701329422), intervals by the method of variance estimates recovery (Zou GY,
Stat Methods Med 2013;22:630, doi:10.1177/0962280211402548).
"""

from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index

COVERAGE = 0.95
"""Share of differences that lies between the limits."""


class Interval(NamedTuple):
    """A number and its confidence interval."""

    estimate: float
    low: float
    high: float


class Spread(NamedTuple):
    """Differences summarized: mean is over patients; m_h: harmonic mean of pairs per patient.

    between: variance of the patients' means; within: pooled variance within patients.
    """

    mean: float
    total: float
    between: float
    within: float
    patients: int
    pairs: int
    m_h: float


def spread_of(difference: Array, patient: Index) -> Spread:
    """Variance of a single difference of a patient who is drawn anew."""
    counts = np.bincount(patient)
    means = np.bincount(patient, difference) / counts
    n, pairs = len(counts), len(difference)
    m_h = n / float((1 / counts).sum())
    between = float(means.var(ddof=1)) if n > 1 else 0.0
    rest = float(((difference - means[patient]) ** 2).sum())
    within = rest / (pairs - n) if pairs > n else 0.0
    total = between + (1 - 1 / m_h) * within
    return Spread(float(means.mean()), total, between, within, n, pairs, m_h)


def mean_interval(spread: Spread, level: float) -> Interval:
    """Student's t over patients."""
    from scipy.stats import t

    width = float(t.ppf(0.5 + level / 2, spread.patients - 1)) * np.sqrt(
        spread.between / spread.patients
    )
    return Interval(spread.mean, spread.mean - width, spread.mean + width)


def limits(spread: Spread, level: float, interval: str) -> tuple[Interval, Interval]:
    """Lower and upper limit of agreement. interval: "exact" or "approximate"; with several pairs
    per patient it is always that of Zou."""
    if spread.pairs > spread.patients:
        return _recovered(spread, level)
    return _exact(spread, level) if interval == "exact" else _approximate(spread, level)


def _z() -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + COVERAGE / 2))


def _exact(spread: Spread, level: float) -> tuple[Interval, Interval]:
    from scipy.stats import nct

    n, sd, z = spread.patients, np.sqrt(spread.total), _z()
    near, far = (
        float(nct.ppf(share, n - 1, z * np.sqrt(n)) / np.sqrt(n) * sd)
        for share in ((1 - level) / 2, (1 + level) / 2)
    )
    mean = spread.mean
    return (
        Interval(mean - z * sd, mean - far, mean - near),
        Interval(mean + z * sd, mean + near, mean + far),
    )


def _approximate(spread: Spread, level: float) -> tuple[Interval, Interval]:
    from scipy.stats import t

    n, sd, z = spread.patients, np.sqrt(spread.total), _z()
    error = sd * np.sqrt(1 / n + z**2 / (2 * (n - 1)))
    width = float(t.ppf(0.5 + level / 2, n - 1) * error)
    low, high = spread.mean - z * sd, spread.mean + z * sd
    return Interval(low, low - width, low + width), Interval(high, high - width, high + width)


def _recovered(spread: Spread, level: float) -> tuple[Interval, Interval]:
    from scipy.stats import chi2

    n, z, tail = spread.patients, _z(), (1 - level) / 2
    parts = (
        (spread.between, n - 1),
        ((1 - 1 / spread.m_h) * spread.within, spread.pairs - n),
    )
    below = sum((part * (1 - df / chi2.ppf(1 - tail, df))) ** 2 for part, df in parts)
    above = sum((part * (df / chi2.ppf(tail, df) - 1)) ** 2 for part, df in parts)
    least = max(spread.total - np.sqrt(below), 0.0)
    most = spread.total + np.sqrt(above)
    sd = np.sqrt(spread.total)
    mean = mean_interval(spread, level)
    wide = mean.high - mean.estimate
    inner = float(np.hypot(wide, z * (sd - np.sqrt(least))))
    outer = float(np.hypot(wide, z * (np.sqrt(most) - sd)))
    low, high = spread.mean - z * sd, spread.mean + z * sd
    return Interval(low, low - outer, low + inner), Interval(high, high - inner, high + outer)
