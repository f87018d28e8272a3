"""Makes `simulate_trial` a fixture, so that test files need no import of each other."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest


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
