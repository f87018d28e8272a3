"""Geometric-mean ratio of two groups of patients, one value each: Welch's t on logarithms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MINIMUM_IN_GROUP = 2


@dataclass(frozen=True)
class GroupRatio:
    """Ratio of geometric means, group over reference; None where nothing can be said.

    reason: why there is no number ("too_few", "not_positive", "no_spread"), else None.
    """

    ratio: float | None
    conf_low: float | None
    conf_high: float | None
    p_value: float | None
    df: float | None
    n: int
    n_reference: int
    reason: str | None = None


def geometric_mean_ratio(
    values: Sequence[float | None],
    groups: Sequence[str],
    *,
    group: str,
    reference: str,
    conf_level: float = 0.95,
) -> GroupRatio:
    """One value per patient; missing values are left out.

    A value of zero or less has no logarithm and makes the ratio not estimable: it must be told
    as below a limit first. Welch BL 1947, doi:10.1093/biomet/34.1-2.28.
    """
    logs = {}
    for name in (group, reference):
        chosen = [
            float(value)
            for value, label in zip(values, groups, strict=True)
            if label == name and value is not None and math.isfinite(value)
        ]
        if any(value <= 0 for value in chosen):
            return _without(values, groups, group, reference, "not_positive")
        logs[name] = np.log(chosen)
    first, second = logs[group], logs[reference]
    if min(len(first), len(second)) < MINIMUM_IN_GROUP:
        return _without(values, groups, group, reference, "too_few")
    shares = [float(np.var(part, ddof=1)) / len(part) for part in (first, second)]
    error = math.sqrt(sum(shares))
    difference = float(first.mean() - second.mean())
    if error <= 1e-12 * max(1.0, float(np.abs(np.concatenate([first, second])).max())):
        return _without(values, groups, group, reference, "no_spread")
    df = sum(shares) ** 2 / sum(
        share**2 / (len(part) - 1) for share, part in zip(shares, (first, second), strict=True)
    )
    return _with_t(difference, error, df, (len(first), len(second)), conf_level)


def _with_t(
    difference: float, error: float, df: float, counts: tuple[int, int], conf_level: float
) -> GroupRatio:
    from scipy.stats import t

    width = float(t.ppf(0.5 + conf_level / 2, df)) * error
    return GroupRatio(
        math.exp(difference),
        math.exp(difference - width),
        math.exp(difference + width),
        float(2 * t.sf(abs(difference) / error, df)),
        df,
        *counts,
    )


def _without(
    values: Sequence[float | None], groups: Sequence[str], group: str, reference: str, reason: str
) -> GroupRatio:
    counts = [
        sum(
            label == name and value is not None for value, label in zip(values, groups, strict=True)
        )
        for name in (group, reference)
    ]
    return GroupRatio(None, None, None, None, None, counts[0], counts[1], reason)
