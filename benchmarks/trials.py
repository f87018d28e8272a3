"""Simulated trials for the benchmarks of the statistics: seeded, with known variances."""

import numpy as np
import polars as pl


def trial(
    patients: int, visits: int = 6, seed: int = 0, irregular: bool = True, slope_sd: float = 0.5
) -> pl.DataFrame:
    """Two groups, random intercept (SD 1) and slope, residual SD 0.5; days 0 to 2."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), visits)
    day = np.tile(np.linspace(0, 2, visits), patients)
    if irregular:
        day = day + rng.uniform(0, 0.2, len(day))
    effects = rng.normal(size=(patients, 2)) * [1.0, slope_sd]
    mean = 1 + 0.5 * day + 0.3 * (patient % 2) * day
    noise = rng.normal(0, 0.5, len(day))
    y = mean + effects[patient, 0] + effects[patient, 1] * day + noise
    return pl.DataFrame({"patient": patient, "day": day, "group": patient % 2, "y": y})


def outcomes(frame: pl.DataFrame, trials: int, icc: float, seed: int) -> np.ndarray:
    """Null outcomes (trials, rows): a patient's level with intraclass correlation `icc`."""
    rng = np.random.default_rng(seed)
    patient = frame["patient"].to_numpy()
    level = rng.standard_normal((trials, int(patient.max()) + 1)) * np.sqrt(icc)
    noise = rng.standard_normal((trials, len(patient))) * np.sqrt(1 - icc)
    return np.asarray(level[:, patient] + noise)


def hard_trial(seed: int) -> pl.DataFrame:
    """40 patients, 6 visits; variances from zero to six residual SD, outcomes of any scale."""
    rng = np.random.default_rng(seed)
    sd, correlation = rng.choice([0.0, 0.05, 0.3, 1.0, 3.0], size=2), rng.uniform(-0.9, 0.9)
    both = correlation * sd[0] * sd[1]
    effects = rng.multivariate_normal([0, 0], [[sd[0] ** 2, both], [both, sd[1] ** 2]], size=40)
    day, patient = np.tile(np.linspace(0, 2, 6), 40), np.repeat(np.arange(40), 6)
    mean = 2 + 0.7 * day + 0.4 * (patient % 2)
    y = mean + effects[patient, 0] + effects[patient, 1] * day + rng.normal(0, 0.5, len(day))
    scale = rng.choice([0.001, 1.0, 1000.0])
    return pl.DataFrame({"patient": patient, "day": day, "group": patient % 2, "y": scale * y})
