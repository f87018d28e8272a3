"""No wrong optimum: fit_mixed against an independent dense profiled likelihood, written here."""

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from analysis import fit_mixed

PATIENTS, VISITS = 40, 6


def simulate(seed: int) -> pl.DataFrame:
    """40 patients, 6 visits, group effect, random intercept and slope of very different sizes."""
    rng = np.random.default_rng(seed)
    sd = rng.choice([0.0, 0.05, 0.3, 1.0, 3.0], size=2)
    correlation = rng.uniform(-0.9, 0.9)
    effects = rng.multivariate_normal(
        [0, 0],
        [[sd[0] ** 2, correlation * sd[0] * sd[1]], [correlation * sd[0] * sd[1], sd[1] ** 2]],
        size=PATIENTS,
    )
    day = np.tile(np.linspace(0, 2, VISITS), PATIENTS)
    patient = np.repeat(np.arange(PATIENTS), VISITS)
    group = patient % 2
    y = rng.choice([0.001, 1.0, 1000.0]) * (
        2
        + 0.7 * day
        + 0.4 * group
        + effects[patient, 0]
        + effects[patient, 1] * day
        + rng.normal(0, 0.5, len(day))
    )
    return pl.DataFrame({"patient": patient, "day": day, "group": group, "y": y})


def dense_criterion(theta: np.ndarray, y: np.ndarray, x: np.ndarray, z: np.ndarray) -> float:
    """REML criterion from V = I + Z L L' Z' itself; arrays are (patients, visits, columns)."""
    factor = np.array([[theta[0], 0.0], [theta[1], theta[2]]])
    v = np.eye(VISITS) + z @ factor @ factor.T @ np.swapaxes(z, 1, 2)
    inverse = np.linalg.inv(v)
    xvx = (np.swapaxes(x, 1, 2) @ inverse @ x).sum(axis=0)
    xvy = (np.swapaxes(x, 1, 2) @ inverse @ y).sum(axis=0)
    beta = np.linalg.solve(xvx, xvy)
    residual = y - x @ beta
    r2 = float((np.swapaxes(residual, 1, 2) @ inverse @ residual).sum())
    degrees = y.size - x.shape[2]
    return float(
        np.linalg.slogdet(v)[1].sum()
        + np.linalg.slogdet(xvx)[1]
        + degrees * (1 + np.log(2 * np.pi * r2 / degrees))
    )


def reference(frame: pl.DataFrame) -> float:
    shape = (PATIENTS, VISITS, -1)
    day, group, y = (frame[name].to_numpy().astype(float) for name in ("day", "group", "y"))
    x = np.column_stack([np.ones_like(day), day, group, day * group]).reshape(shape)
    z = np.column_stack([np.ones_like(day), day]).reshape(shape)
    ends = [
        minimize(dense_criterion, start, args=(y.reshape(shape), x, z), method="L-BFGS-B").fun
        for start in ([1.0, 0.0, 1.0], [0.1, 0.0, 0.1], [5.0, 0.0, 5.0], [0.5, 0.0, 3.0])
    ]
    return min(ends)


BLOCKS = [0, *(pytest.param(first, marks=pytest.mark.slow) for first in range(15, 150, 15))]


@pytest.mark.parametrize("first", BLOCKS)
def test_no_wrong_optimum(first):
    wrong = []
    for seed in range(first, first + 15):
        frame = simulate(seed)
        fit = fit_mixed(frame, "y ~ day * group", "patient", "1 + day")
        assert fit.status != "not_estimable", (seed, fit.sentence)
        best = reference(frame)
        if fit.criterion > best + 1e-4 or fit.check("verified").status == "warning":
            wrong.append((seed, fit.criterion - best, fit.check("verified")))
    assert wrong == []


def test_the_dense_reference_is_the_criterion_at_the_optimum():
    """The reference is not only an upper bound: both find the same number."""
    frame = simulate(3)
    fit = fit_mixed(frame, "y ~ day * group", "patient", "1 + day")
    assert fit.criterion == pytest.approx(reference(frame), abs=1e-5)


def test_recovers_a_simulated_truth():
    """Means over 60 trials of 30 patients: effect, variances and residual without bias."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)
        patient = np.repeat(np.arange(30), 5)
        day = np.tile(np.arange(5.0), 30)
        group = patient % 2
        level = rng.normal(0, 0.8, 30)[patient]
        y = 1 + 0.2 * day + 0.5 * group + level + rng.normal(0, 0.4, len(day))
        fit = fit_mixed(
            pl.DataFrame({"p": patient, "d": day, "g": group, "y": y}), "y ~ d + g", "p"
        )
        found.append(
            [
                fit.estimates[1].estimate,
                fit.estimates[2].estimate,
                *(component.variance for component in fit.variance_components),
            ]
        )
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    truth = np.array([0.2, 0.5, 0.64, 0.16])
    assert np.all(np.abs(mean - truth) < 3.5 * error)
