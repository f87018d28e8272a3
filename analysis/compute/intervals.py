"""Exact intervals of proportions, geometric statistics and percentile ranks."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

MIN_FOR_MEAN = 3
"""Below this many values no mean is given: the values themselves say more."""


@dataclass(frozen=True)
class Proportion:
    """`successes` of `n` with an exact interval; all as fractions, nan when n is 0."""

    successes: int
    n: int
    estimate: float
    conf_low: float
    conf_high: float
    conf_level: float = 0.95


@dataclass(frozen=True)
class GeometricMean:
    """Geometric mean with a t interval on the log scale; nan where n is too small.

    `geometric_cv_percent` is 100 sqrt(exp(s^2) - 1) with s the standard deviation of natural
    logarithms.
    """

    n: int
    mean: float
    conf_low: float
    conf_high: float
    geometric_cv_percent: float
    conf_level: float = 0.95


def proportion(successes: int, n: int, conf_level: float = 0.95) -> Proportion:
    """Exact two-sided interval of Clopper and Pearson (doi:10.1093/biomet/26.4.404).

    Raises ValueError when successes are not between 0 and n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"proportion: {successes} of {n} is not a proportion")
    nan = float("nan")
    if n == 0:
        return Proportion(0, 0, nan, nan, nan, conf_level)
    tail = (1.0 - conf_level) / 2.0
    low = stats.beta.ppf(tail, successes, n - successes + 1) if successes > 0 else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, n - successes) if successes < n else 1.0
    return Proportion(successes, n, successes / n, float(low), float(high), conf_level)


@cache
def t_quantile(conf_level: float, df: int) -> float:
    """Two-sided quantile of Student's t. Kept: a page asks for the same dozen hundreds of times."""
    return float(stats.t.ppf(0.5 + conf_level / 2.0, df))


def geometric_mean(values: ArrayLike, conf_level: float = 0.95) -> GeometricMean:
    """Of positive values; nan are left out. No mean below three values.

    Raises ValueError for a value that is zero or negative: it has no logarithm and must be
    handled as censored (`censored.censored_log_mean`).
    """
    x = np.asarray(values, float)
    x = x[~np.isnan(x)]
    if (x <= 0).any():
        raise ValueError("geometric_mean: values must be positive; treat zeros as censored")
    nan = float("nan")
    if x.size < MIN_FOR_MEAN:
        return GeometricMean(int(x.size), nan, nan, nan, nan, conf_level)
    logs = np.log(x)
    center, sd = float(logs.mean()), float(logs.std(ddof=1))
    half = t_quantile(conf_level, x.size - 1) * sd / np.sqrt(x.size)
    return GeometricMean(
        int(x.size),
        float(np.exp(center)),
        float(np.exp(center - half)),
        float(np.exp(center + half)),
        geometric_cv_percent(sd),
        conf_level,
    )


def geometric_cv_percent(sd_of_natural_logs: float) -> float:
    """100 sqrt(exp(s^2) - 1)."""
    return float(100.0 * np.sqrt(np.expm1(sd_of_natural_logs**2)))


def percentile_rank(value: float, reference: ArrayLike) -> float:
    """Percent of `reference` below `value`, ties counted half; nan without reference values."""
    x = np.asarray(reference, float)
    x = x[~np.isnan(x)]
    if x.size == 0 or np.isnan(value):
        return float("nan")
    return float(100.0 * ((x < value).sum() + 0.5 * (x == value).sum()) / x.size)
