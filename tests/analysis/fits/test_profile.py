"""Profile-likelihood intervals against R's confint, and at the edge of what is possible."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import ProfileIntervals, fit_mixed, profile_intervals
from analysis.errors import UserError

# confint(lmer(y ~ day + (day | p)))
EXPECTED = {
    "Intercept": (1.55620564044, 2.9479976898),
    "day": (0.08364253108, 0.3958574684),
    "p (Intercept)": (0.75842492398, 1.7810507056),
    "p day": (0.14755993011, 0.3911700957),
    "p day, (Intercept)": (-0.35963448234, 0.7415358354),
    "Residual": (0.24934284691, 0.3968420794),
}


def test_equals_r(small_trial):
    fit = fit_mixed(small_trial, "y ~ day", "p", "1 + day", verify=False)
    found = profile_intervals(fit)
    assert [row.term for row in found.intervals] == list(EXPECTED)
    for row in found.intervals:
        low, high = EXPECTED[row.term]
        # R reads its limits from a spline through the profile
        assert row.conf_low == pytest.approx(low, abs=5e-4)
        assert row.conf_high == pytest.approx(high, abs=5e-4)
        assert row.conf_low < row.estimate < row.conf_high
    assert ProfileIntervals.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.table().columns == ["part", "term", "estimate", "conf_low", "conf_high"]


def test_fixed_effects_of_a_known_variance_structure():
    """One observation set per patient with nothing between them: the interval is that of the
    normal likelihood, n log(1 + t2 / n) = chi2."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"p": np.arange(120) % 12, "x": rng.normal(size=120)})
    frame = frame.with_columns(y=1 + 0.5 * pl.col("x") + pl.Series(rng.normal(size=120)))
    centered = frame.with_columns(
        y=pl.col("y") - pl.col("y").mean().over("p"), x=pl.col("x") - pl.col("x").mean().over("p")
    )
    fit = fit_mixed(centered, "y ~ x", "p", verify=False)
    row = profile_intervals(fit, ["fixed effect"]).intervals[1]
    x, y = centered["x"].to_numpy(), centered["y"].to_numpy()
    slope = x @ y / (x @ x)
    error = np.sqrt(((y - slope * x) ** 2).sum() / 120 / (x @ x))
    half = error * np.sqrt(120 * np.expm1(3.841458820694124 / 120))
    assert row.conf_low == pytest.approx(slope - half, rel=1e-5)
    assert row.conf_high == pytest.approx(slope + half, rel=1e-5)


def test_a_variance_of_zero_has_zero_as_its_limit():
    rng = np.random.default_rng(4)
    frame = pl.DataFrame({"p": np.repeat(np.arange(10), 6), "y": rng.normal(size=60)})
    found = profile_intervals(fit_mixed(frame, "y ~ 1", "p", verify=False))
    spread = found.intervals[1]
    assert spread.term == "p (Intercept)"
    assert spread.conf_low == 0.0
    assert 0 < spread.conf_high < 1


def test_a_wider_level_is_a_wider_interval(small_trial):
    fit = fit_mixed(small_trial, "y ~ day", "p", nested=(), verify=False)
    narrow, wide = (profile_intervals(fit, level=level).intervals for level in (0.8, 0.99))
    for one, other in zip(narrow, wide, strict=True):
        assert other.conf_low < one.conf_low < one.conf_high < other.conf_high


@pytest.mark.parametrize(
    ("options", "said"),
    [({"parts": ["icc"]}, "no part 'icc'"), ({"level": 95}, "level 95 must lie between 0 and 1")],
)
def test_refusals(small_trial, options, said):
    fit = fit_mixed(small_trial, "y ~ day", "p", verify=False)
    with pytest.raises(UserError, match=said):
        profile_intervals(fit, **options)
