"""Half-life with samples below the limit: the limits of the method, and what dropping them does."""

import numpy as np
import pytest
from scipy import stats

from analysis.compute import tobit_half_life
from analysis.errors import UserError

LIMIT = 100.0
DAYS = np.array([10.0, 14, 21, 28, 42, 60, 75, 90])
RATE = 0.05


def decline(seed, sigma=0.6):
    rng = np.random.default_rng(seed)
    return np.exp(8.0 - RATE * DAYS + sigma * rng.standard_normal(DAYS.size))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_without_samples_below_the_limit_it_is_the_log_linear_regression(level):
    value = decline(4)
    found = tobit_half_life(DAYS, value, np.nan, start=0.0, level=level)
    line = stats.linregress(DAYS, np.log(value))
    half = stats.t.ppf((1 + level) / 2, DAYS.size - 2) * line.stderr
    assert found.rate == pytest.approx(-line.slope, rel=1e-9)
    assert found.half_life == pytest.approx(np.log(2) / -line.slope, rel=1e-9)
    assert found.conf_low == pytest.approx(np.log(2) / (-line.slope + half), rel=1e-7)
    assert found.conf_high == pytest.approx(np.log(2) / (-line.slope - half), rel=1e-7)
    rest = np.log(value) - line.intercept - line.slope * DAYS
    assert found.sigma == pytest.approx(np.sqrt((rest**2).sum() / (DAYS.size - 2)), rel=1e-9)
    assert (found.n, found.n_below, found.time_low, found.time_high) == (8, 0, 10.0, 90.0)


def test_a_limit_far_above_says_nothing_and_one_on_the_line_holds():
    value = decline(4)
    plain = tobit_half_life(DAYS, value, np.nan, start=0.0)
    more, limit = np.append(value, np.nan), np.append(np.full(8, np.nan), 1e9)
    same = tobit_half_life(np.append(DAYS, 120.0), more, limit, start=0.0)
    assert same.rate == pytest.approx(plain.rate, rel=1e-9)
    assert (same.n, same.n_below) == (9, 1)
    limit[-1] = 1e-3
    steep = tobit_half_life(np.append(DAYS, 120.0), more, limit, start=0.0)
    assert steep.rate > plain.rate


def test_likelihood_is_at_its_maximum():
    value = np.where(decline(2) < LIMIT, np.nan, decline(2))
    hidden = np.isnan(value)
    assert hidden.sum() >= 2
    found = tobit_half_life(DAYS, value, LIMIT, start=0.0)
    n = int((~hidden).sum())
    sigma = found.sigma * np.sqrt((n - 2) / n)

    def log_likelihood(level, rate, spread):
        mean = level - rate * DAYS
        return (
            stats.norm.logpdf(np.log(value[~hidden]), mean[~hidden], spread).sum()
            + stats.norm.logcdf(np.log(LIMIT), mean[hidden], spread).sum()
        )

    levels = np.linspace(5.0, 11.0, 60001)
    level = levels[np.argmax([log_likelihood(a, found.rate, sigma) for a in levels[::100]]) * 100]
    top = max(
        log_likelihood(a, found.rate, sigma) for a in np.linspace(level - 0.1, level + 0.1, 999)
    )
    for rate, spread in ((0.98, 1.0), (1.02, 1.0), (1.0, 0.97), (1.0, 1.03)):
        moved = max(
            log_likelihood(a, found.rate * rate, sigma * spread)
            for a in np.linspace(7.0, 9.0, 2001)
        )
        assert moved < top


def test_dropping_the_samples_below_the_limit_is_biased_and_this_is_not():
    kept, dropped, inside = [], [], []
    for seed in range(200):
        value = decline(1000 + seed)
        value[value < LIMIT] = np.nan
        seen = ~np.isnan(value)
        found = tobit_half_life(DAYS, value, LIMIT, start=0.0)
        less = tobit_half_life(DAYS[seen], value[seen], LIMIT, start=0.0)
        if found.reason or less.reason:
            continue
        kept.append(found.half_life)
        dropped.append(less.half_life)
        inside.append(found.conf_low <= np.log(2) / RATE <= found.conf_high)
    assert len(kept) > 190
    truth = np.log(2) / RATE
    assert np.median(dropped) > 1.08 * truth
    assert np.median(kept) == pytest.approx(truth, rel=0.05)
    assert 0.91 <= np.mean(inside) <= 0.99


def test_start_is_the_maximum_unless_it_is_given():
    time, value = np.append([3.0, 7.0], DAYS), np.append([500.0, 9e5], decline(4))
    found = tobit_half_life(time, value, np.nan)
    assert found == tobit_half_life(DAYS, decline(4), np.nan, start=0.0)


def test_order_and_zero_for_below_the_limit():
    value = np.where(decline(2) < LIMIT, np.nan, decline(2))
    found = tobit_half_life(DAYS, value, LIMIT, start=0.0)
    assert tobit_half_life(DAYS[::-1], np.nan_to_num(value)[::-1], LIMIT, start=0.0) == found


def test_an_interval_without_an_upper_end():
    found = tobit_half_life([1, 2, 3, 4], [10.0, 30.0, 9.0, 11.0], 1.0, start=0.0)
    assert np.isfinite(found.half_life)
    assert found.conf_high == np.inf
    assert found.conf_low < found.half_life


@pytest.mark.parametrize(
    ("time", "value", "reason"),
    [
        ([], [], "needs 3 values"),
        ([1, 2, 3], [np.nan] * 3, "has 0"),
        ([1, 2, 3, 4], [9.0, 5.0, 4.0, np.nan], "has 2"),
        ([1, 2, 3, 4, 5], [99.0, 5.0, 6.0, 5.0, 9.0], "do not fall"),
        ([1, 2, 3, 4], [16.0, 8.0, 4.0, 2.0], "exactly on a line"),
    ],
)
def test_what_cannot_be_calculated_says_why(time, value, reason):
    found = tobit_half_life(time, value, 1.0)
    assert reason in found.reason
    assert np.isnan([found.half_life, found.conf_low, found.conf_high, found.rate]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, 2], [1.0], 1.0), "lengths differ"),
        (([1, np.nan], [1.0, 2.0], 1.0), "time is missing"),
        (([1, 1], [1.0, 2.0], 1.0), "two samples at one time"),
        (([1, 2], [1.0, -2.0], 1.0), "negative"),
        (([1, 2], [1.0, np.nan], np.nan), "neither a value nor a limit"),
        (([1, 2], [1.0, "BLQ"], 1.0), "value holds something that is not a number"),
    ],
)
def test_samples_that_make_no_sense(arguments, words):
    with pytest.raises(UserError, match=words):
        tobit_half_life(*arguments)
