"""Residuals of five kinds: definitions by dense algebra, and white noise under a true model."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Residuals, fit_mixed, residuals


@pytest.mark.parametrize("nested", [(), ("half",)])
def test_definitions(small_trial, nested):
    frame = small_trial.with_columns(half=pl.when(pl.col("day") < 2).then(1).otherwise(2))
    fit = fit_mixed(frame, "y ~ day * arm", "p", "1 + day", nested, verify=False)
    found, fitted = residuals(fit), fit.design
    design, y = fitted.design, frame["y"].to_numpy()
    table = found.table()
    marginal = y - design.matrices.x @ fitted.beta
    np.testing.assert_allclose(table["marginal"], marginal, rtol=1e-9)
    np.testing.assert_allclose(table["conditional"], fitted.residuals, rtol=1e-9)
    sigma = np.sqrt(fitted.sigma2)
    np.testing.assert_allclose(table["pearson"], fitted.residuals / sigma, rtol=1e-9)
    assert table["normalized"].equals(table["pearson"]), "independent residuals of one variance"
    rows = np.flatnonzero(design.patient == 5)
    z, half = design.matrices.z[rows], frame["half"].to_numpy()[rows]
    v = z @ fitted.block @ z.T + fitted.sigma2 * np.eye(5)
    for variance in fitted.nested_variances:
        v += variance * (half[:, None] == half)
    white = np.linalg.solve(np.linalg.cholesky(v), marginal[rows])
    np.testing.assert_allclose(table["cholesky"].to_numpy()[rows], white, rtol=1e-7)
    assert Residuals.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_decorrelated_residuals_are_white():
    rng = np.random.default_rng(3)
    patient, day = np.repeat(np.arange(300), 5), np.tile(np.arange(5.0), 300)
    effects = rng.normal(size=(300, 2)) * [1.0, 0.4]
    y = effects[patient, 0] + effects[patient, 1] * day + rng.normal(0, 0.5, 1500)
    frame = pl.DataFrame({"p": patient, "day": day, "y": y})
    table = residuals(fit_mixed(frame, "y ~ day", "p", "1 + day", verify=False)).table()
    white = table["cholesky"].to_numpy().reshape(300, 5)
    assert np.abs(np.cov(white.T) - np.eye(5)).max() < 0.25
    raw = table["marginal"].to_numpy().reshape(300, 5)
    assert np.corrcoef(raw.T)[3, 4] > 0.7
