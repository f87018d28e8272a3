"""A hazard that falls while the signal falls: too few pieces of it are taken for the signal."""

import numpy as np
import polars as pl
import pytest

from analysis import fit_joint
from analysis.fits.joint.baseline import baseline_of

ASSOCIATION = -0.9
DAYS = np.array([0.0, 7.0, 14.0, 28.0, 46.0, 76.0])


def trial(seed: int, patients: int = 80) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Signal: level and slope over log(1 + day). Hazard per day: 0.03 before day 12, 0.005 before
    day 50, then 0.002, times exp(-0.9 (signal - 2)); follow-up ends between day 60 and day 300."""
    rng = np.random.default_rng(seed)
    level, slope = rng.normal(3.4, 0.6, patients), rng.normal(-0.45, 0.12, patients)
    grid = np.arange(300) + 0.5
    true = level[:, None] + slope[:, None] * np.log1p(grid)
    rate = np.select([grid < 12, grid < 50], [0.03, 0.005], 0.002)
    total = np.cumsum(rate * np.exp(ASSOCIATION * (true - 2.0)), axis=1)
    target = rng.exponential(size=patients)
    seen = (total >= target[:, None]).any(axis=1)
    day = np.where(seen, (total >= target[:, None]).argmax(axis=1) + 0.5, np.inf)
    last = rng.uniform(60, 300, patients)
    end = np.minimum(day, last)
    names = [f"P{number:03d}" for number in range(patients)]
    visits = [
        {"usubjid": name, "day": float(at), "y": level[i] + slope[i] * np.log1p(at)
         + rng.normal(0, 0.15)}
        for i, name in enumerate(names) for at in DAYS if at <= end[i]
    ]  # fmt: skip
    events = {"usubjid": names, "end": end, "event": (day <= last).astype(int)}
    return pl.DataFrame(visits), pl.DataFrame(events)


def association(seed: int, patients: int = 80, **options) -> tuple[float, float, int]:
    visits, events = trial(seed, patients)
    fit = fit_joint(
        visits, events, "y ~ np.log1p(day)", "usubjid", "1 + np.log1p(day)", "day", "end", "event",
        **options,
    )  # fmt: skip
    row = next(item for item in fit.estimates if item.part == "association")
    return row.estimate, row.std_error, fit.n_events


def test_forty_events_have_seven_pieces():
    time = np.arange(1.0, 81.0)
    event = (np.arange(80) % 2).astype(float)
    assert baseline_of("piecewise", time, event, None).size == 7
    assert baseline_of("piecewise", time[:30], event[:30], None).size == 5  # 15 events


@pytest.mark.parametrize("seeds", [range(100, 130)])
def test_the_association_of_a_small_trial_is_not_drawn_to_none(seeds):
    """Two pieces of the hazard give the fall of the hazard to the fall of the signal."""
    found = np.array([association(seed) for seed in seeds])
    assert 25 < found[:, 2].mean() < 50
    error = found[:, 0].std(ddof=1) / np.sqrt(len(found))
    assert abs(found[:, 0].mean() - ASSOCIATION) < 2 * error
    covered = np.abs(found[:, 0] - ASSOCIATION) < 1.96 * found[:, 1]
    assert covered.mean() >= 0.9
    coarse = np.array([association(seed, knots=[60.0])[0] for seed in seeds])
    assert coarse.mean() - ASSOCIATION > 4 * error
