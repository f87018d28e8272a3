"""Rank comparison of two groups, as published comparisons of peaks use it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

EXACT_BELOW = 9
"""Values in a group from which the normal approximation is taken (scipy's rule)."""
EXACT_BELOW_IN_R = 50
"""The same in R's wilcox.test, which published tables come from."""


@dataclass(frozen=True)
class RankTest:
    """Two-sided Mann-Whitney test. `u` is that of the first group; None without a test."""

    u: float | None
    p_value: float | None
    median: float | None
    median_reference: float | None
    n: int
    n_reference: int


def mann_whitney(
    first: Sequence[float] | Values,
    second: Sequence[float] | Values,
    exact_below: int = EXACT_BELOW,
) -> RankTest:
    """Exact without ties and with fewer than `exact_below` values in one of the groups, else the
    normal approximation with correction for ties and continuity (Mann, Whitney 1947,
    doi:10.1214/aoms/1177730491)."""
    from scipy.stats import mannwhitneyu

    one, two = (np.asarray([v for v in part if v is not None], float) for part in (first, second))
    one, two = one[np.isfinite(one)], two[np.isfinite(two)]
    medians = [float(np.median(part)) if len(part) else None for part in (one, two)]
    if not len(one) or not len(two):
        return RankTest(None, None, medians[0], medians[1], len(one), len(two))
    tied = len(np.unique(np.concatenate([one, two]))) < len(one) + len(two)
    exact = not tied and min(len(one), len(two)) < exact_below
    result = mannwhitneyu(one, two, method="exact" if exact else "asymptotic")
    return RankTest(
        float(result.statistic), float(result.pvalue), medians[0], medians[1], len(one), len(two)
    )
