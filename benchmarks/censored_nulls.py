"""Type-I error of the censored mixed model with two fifths of the values below the limit.

1,000 trials of 12, 20 and 40 patients without an effect (500 of 40 patients with slopes), two
groups over 5 visits, an intercept or an intercept and a slope of each patient, the default
inference: rejections at 5 % of the group and of its course (about 0.7 % either way by chance).
With 12 patients and slopes two trials in five have no variance of the slopes, and the test of the
course is conservative (3.6 % without a limit); the result says so."""

from collections.abc import Iterable, Iterator
from statistics import NormalDist

import numpy as np
import polars as pl

from analysis import fit_censored_mixed
from benchmarks.row import Row

BELOW, VISITS = 0.4, 5
LEVEL_SD, SLOPE_SD, NOISE_SD = 0.7, 0.4, 0.7
TRIALS = {(n, slope): 1000 for n in (12, 20, 40) for slope in (False, True)} | {(40, True): 500}
"""By number of patients, and whether they have slopes."""


def rows() -> list[Row]:
    """Every cell."""
    return [row for cell, n in TRIALS.items() for row in shown(*cell, p_values(*cell, range(n)))]


def trial(seed: int, patients: int, slope: bool) -> pl.DataFrame:
    """Patients of two groups that do not differ, measured from day -1 to 1."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), VISITS)
    day = np.tile(np.arange(VISITS), patients) / 2
    day = day - day.mean()
    y = rng.normal(0, LEVEL_SD, patients)[patient]
    if slope:
        y = y + rng.normal(0, SLOPE_SD, patients)[patient] * day
    y = y + rng.normal(0, NOISE_SD, len(day))
    spread = np.sqrt(LEVEL_SD**2 + NOISE_SD**2 + slope * SLOPE_SD**2 * np.var(day))
    limit = NormalDist().inv_cdf(BELOW) * float(spread)
    below = y < limit
    return pl.DataFrame(
        {"patient": patient, "day": day, "group": (patient % 2).astype(float),
         "y": np.where(below, limit, y), "upper": np.where(below, limit, y),
         "lower": pl.Series(np.where(below, np.nan, y)).fill_nan(None)}
    )  # fmt: skip


def p_values(patients: int, slope: bool, seeds: Iterable[int]) -> Iterator[tuple[float, float]]:
    """Of the group and of its course; 1 where there is no number."""
    random = "1 + day" if slope else "1"
    for seed in seeds:
        frame = trial(seed, patients, slope)
        fit = fit_censored_mixed(frame, "y ~ day * group", "patient", random)
        group, course = fit.estimates[2:] or (None, None)
        yield tuple(1.0 if row is None or row.p_value is None else row.p_value
                    for row in (group, course))  # fmt: skip


def shown(patients: int, slope: bool, found: Iterable[tuple[float, float]]) -> list[Row]:
    """Rejections at 5 %."""
    rejected = 100 * (np.array(list(found)) < 0.05).mean(axis=0)
    own = "intercept and slope" if slope else "intercept"
    return [
        Row(f"type-I error, {name}, {patients} patients, {own}, 40 % below", float(share), "%")
        for name, share in zip(("group", "group by day"), rejected, strict=True)
    ]
