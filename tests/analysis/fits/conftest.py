"""What several test files share as fixtures, so that they need no import of each other."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import Fit


@pytest.fixture(scope="session")
def simulate_trial() -> Callable[..., pl.DataFrame]:
    path = Path(__file__).with_name("model_trial.py")
    spec = importlib.util.spec_from_file_location("model_trial", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.simulate_trial


@pytest.fixture(scope="session")
def small_trial() -> pl.DataFrame:
    """12 patients, 5 days, three arms: without a random generator, so that R saw the same rows.

    R 4.2.2 with lme4 1.1-31, lmerTest 3.1-3 and pbkrtest 0.5.2 made the numbers that tests expect.
    """
    row = np.arange(60)
    patient, day = row // 5, (row % 5).astype(float)
    level = np.array([0.9, -0.4, 1.6, -1.1, 0.2, -0.8, 1.2, 0.1, -1.5, 0.6, -0.3, 0.4])
    slope = np.array([0.3, -0.2, 0.1, -0.4, 0.25, 0.05, -0.1, 0.35, -0.3, 0.2, -0.15, 0.1])
    noise = np.sin(7.3 * row + 1) * 0.45 + np.cos(3.1 * row * row) * 0.25
    arm = np.array(["a", "b", "c"])[patient % 3]
    y = 2 + 0.3 * day + level[patient] + slope[patient] * day + noise
    y = y + 0.5 * (arm == "b") - 0.2 * day * (arm == "c")
    return pl.DataFrame(
        {
            "p": [f"P{number:02d}" for number in patient],
            "day": day,
            "arm": arm,
            "sex": np.where(patient % 4 < 2, "F", "M"),
            "y": np.round(y, 4),
        }
    )


# Two small trials of residual structures, three lesions of a patient and visits at uneven days,
# which R had too: 4.2.2 with nlme 3.1-162 and lme4 1.1-31. nlme's search was given lmeControl(opt =
# "optim", tolerance = 1e-12, msTol = 1e-14, msMaxIter = 1000, maxIter = 1000, niterEM = 100),
# without which it stops early.


@pytest.fixture(scope="session")
def lesions() -> pl.DataFrame:
    """Eight patients with three lesions on four days, read by four readers."""
    rng = np.random.default_rng(7)
    rows = []
    for p in range(8):
        level, slope = rng.normal(0, 1), rng.normal(0, 0.2)
        for lesion in range(3):
            own, steeper = rng.normal(0, 0.7), rng.normal(0, 0.15)
            for day in (0, 1, 2, 4):
                mean = 2 + level + own + (0.3 + slope + steeper) * day + 0.4 * (p % 2)
                reader = "ABCD"[len(rows) * 7 // 4 % 4]
                value = round(mean + rng.normal(0, 0.3), 2)
                rows.append((f"P{p}", f"L{lesion}", day, p % 2, value, reader))
    names = ["patient", "lesion", "day", "arm", "y", "reader"]
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.fixture(scope="session")
def single(lesions) -> pl.DataFrame:
    return lesions.filter(pl.col("lesion") == "L0")


@pytest.fixture(scope="session")
def uneven() -> pl.DataFrame:
    """Twelve patients in two arms on days 0 to 28 with gaps; noise that goes together over days,
    two assays of which one is noisier, and weights of 1 to 3."""
    rng = np.random.default_rng(11)
    rows = []
    for p in range(12):
        level, slope, noise, last = rng.normal(0, 0.8), rng.normal(0, 0.05), 0.0, None
        for day in (0.0, 1.0, 3.0, 7.0, 14.0, 28.0):
            kept = 0.0 if last is None else 0.7 ** (day - last)
            noise = kept * noise + np.sqrt(1 - kept**2) * rng.normal(0, 0.5)
            last = day
            assay = "b" if rng.uniform() < 0.4 else "a"
            extra = rng.normal(0, 0.6) if assay == "b" else 0.0
            mean = 2 + level + slope * day + 0.03 * day + 0.5 * (p % 2)
            if rng.uniform() < 0.08:
                continue
            value = round(mean + noise + extra, 2)
            rows.append((f"P{p:02d}", day, "ab"[p % 2], assay, 1 + (p + int(day)) % 3, value))
    names = ["p", "day", "arm", "assay", "weight", "y"]
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.fixture(scope="session")
def column():
    """A column of a fit's table."""
    return lambda fit, name: fit.table()[name].to_list()


@pytest.fixture(scope="session")
def component():
    """The standard deviation or correlation of a row of the variance components."""

    def found(fit: Fit, group: str, term: str | None, other: str | None = None) -> float | None:
        return next(
            row.sd_or_corr
            for row in fit.variance_components
            if (row.group, row.term_1, row.term_2) == (group, term, other)
        )

    return found
