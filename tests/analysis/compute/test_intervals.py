import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.compute.intervals import (
    geometric_cv_percent,
    geometric_mean,
    percentile_rank,
    proportion,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.3084971), (10, 10, 0.6915029, 1.0), (43, 59, 0.5973065, 0.8363673),
        (43, 58, 0.6095683, 0.8474481), (1, 1, 0.025, 1.0),
    ],
)  # fmt: skip
def test_exact_interval(successes, n, low, high):
    found = proportion(successes, n)
    assert found.estimate == successes / n
    assert (found.conf_low, found.conf_high) == pytest.approx((low, high), abs=1e-7)
    expected = stats.binomtest(successes, n).proportion_ci(method="exact")
    assert (found.conf_low, found.conf_high) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )


@given(st.integers(0, 80), st.integers(0, 80))
def test_interval_holds_the_estimate(successes, failures):
    n = successes + failures
    found = proportion(successes, n)
    if n:
        assert 0 <= found.conf_low <= found.estimate <= found.conf_high <= 1
    else:
        assert np.isnan(found.estimate)


def test_more_successes_than_patients():
    with pytest.raises(ValueError, match="not a proportion"):
        proportion(3, 2)


def test_geometric_mean_with_t_interval():
    found = geometric_mean([10.0, 100.0, 1000.0])
    half = stats.t.ppf(0.975, 2) * np.log(10) / np.sqrt(3)
    assert found.mean == pytest.approx(100.0)
    assert found.conf_low == pytest.approx(100.0 * np.exp(-half))
    assert found.conf_high == pytest.approx(100.0 * np.exp(half))


@pytest.mark.parametrize("values", [[], [5.0], [5.0, 7.0], [5.0, np.nan, 7.0]])
def test_no_mean_below_three_values(values):
    assert np.isnan(geometric_mean(values).mean)


def test_zero_has_no_geometric_mean():
    with pytest.raises(ValueError, match="censored"):
        geometric_mean([0.0, 1.0, 2.0])


def test_geometric_cv_is_of_natural_logs():
    assert geometric_cv_percent(0.4 * np.log(10)) == pytest.approx(116, abs=0.5)
    assert geometric_cv_percent(0.4) == pytest.approx(41.7, abs=0.05)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, 0.0), (1.0, 12.5), (2.5, 50.0), (4.0, 87.5), (9.0, 100.0)]
)
def test_percentile_rank(value, expected):
    assert percentile_rank(value, [1.0, 2.0, 3.0, 4.0]) == expected


def test_percentile_rank_without_reference():
    assert np.isnan(percentile_rank(1.0, []))
