"""Geometric-mean ratio and rank test of one value per patient."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_ind

from analysis.fits.ranks import mann_whitney
from analysis.fits.ratio import geometric_mean_ratio

FIRST, SECOND = [10.0, 20.0, 40.0, 80.0], [5.0, 5.5, 6.0]
VALUES, GROUPS = FIRST + SECOND, ["a"] * 4 + ["b"] * 3


def test_equals_welch_on_logarithms():
    result = geometric_mean_ratio(VALUES, GROUPS, group="a", reference="b")
    expected = ttest_ind(np.log(FIRST), np.log(SECOND), equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert result.ratio == pytest.approx(
        math.exp(np.log(FIRST).mean() - np.log(SECOND).mean()), rel=1e-12
    )
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert result.df == pytest.approx(expected.df, rel=1e-10)
    assert result.conf_low == pytest.approx(math.exp(interval.low), rel=1e-10)
    assert result.conf_high == pytest.approx(math.exp(interval.high), rel=1e-10)
    assert (result.n, result.n_reference, result.reason) == (4, 3, None)


def test_swapped_groups_invert():
    one = geometric_mean_ratio(VALUES, GROUPS, group="a", reference="b")
    other = geometric_mean_ratio(VALUES, GROUPS, group="b", reference="a")
    assert other.ratio == pytest.approx(1 / one.ratio)
    assert other.conf_low == pytest.approx(1 / one.conf_high)


@pytest.mark.parametrize(
    ("values", "groups", "reason", "counts"),
    [
        ([1.0, 2.0, 3.0], ["a", "a", "b"], "too_few", (2, 1)),
        ([1.0, 2.0, None, 3.0], ["a", "a", "b", "b"], "too_few", (2, 1)),
        ([], [], "too_few", (0, 0)),
        ([1.0, 0.0, 2.0, 3.0], ["a", "a", "b", "b"], "not_positive", (2, 2)),
        ([2.0, 2.0, 3.0, 3.0], ["a", "a", "b", "b"], "no_spread", (2, 2)),
    ],
)
def test_no_number_where_nothing_can_be_said(values, groups, reason, counts):
    result = geometric_mean_ratio(values, groups, group="a", reference="b")
    assert result.reason == reason
    assert (result.ratio, result.conf_low, result.conf_high, result.p_value) == (None,) * 4
    assert (result.n, result.n_reference) == counts


def test_missing_values_are_left_out():
    result = geometric_mean_ratio(
        [*VALUES, None, math.nan], [*GROUPS, "a", "b"], group="a", reference="b"
    )
    assert result == geometric_mean_ratio(VALUES, GROUPS, group="a", reference="b")


def test_rank_test():
    result = mann_whitney([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0])
    assert result.p_value == pytest.approx(2 / 35)
    assert (result.u, result.median, result.median_reference) == (0.0, 2.0, 5.5)
    assert mann_whitney([], [1.0]).p_value is None
