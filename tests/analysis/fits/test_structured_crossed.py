"""Effects that cross patients, as readers do."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import fit_mixed, patient_effects, residuals
from analysis.engine.covariance_parts import RandomTerm
from analysis.engine.crossed_likelihood import CrossedLikelihood
from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.engine.residual_parts import IndependentResidual
from analysis.errors import UserError


@pytest.fixture(scope="module")
def readings() -> pl.DataFrame:
    """1,200 values of 60 patients by eight readers."""
    k = np.arange(1200)
    patient, day, reader = k // 20, k % 20, (k * 7 // 4) % 8
    level, own = np.sin(5.0 * patient), 0.4 * np.cos(3.0 * reader)
    noise = 0.5 * np.sin(7.3 * k + 1) + 0.3 * np.cos(3.1 * (k % 97) ** 2)
    y = np.round(1 + 0.05 * day + level + own + noise, 4)
    return pl.DataFrame({"p": patient, "day": day, "reader": reader, "y": y})


def test_more_values_than_a_dense_covariance_could_hold_as_lmer(readings):
    """m <- lmer(y ~ day + (1 | p) + (1 | reader)), lme4 1.1-31"""
    fit = fit_mixed(readings, "y ~ day", "p", crossed="reader")
    assert fit.criterion == pytest.approx(1623.13933725, rel=1e-9)
    assert [row.estimate for row in fit.estimates] == pytest.approx(
        [1.0070051871014, 0.0495553625187], rel=1e-6
    )
    assert [row.std_error for row in fit.estimates] == pytest.approx(
        [0.16076660767728, 0.00211161897932], rel=1e-4
    )
    assert [row.sd_or_corr for row in fit.variance_components] == pytest.approx(
        [0.7212912213, 0.3646831018, 0.4217713295], rel=1e-4
    )
    assert fit.check("verified").status == "ok"
    found = patient_effects(fit).effects
    assert [row.estimate for row in found[:2]] == pytest.approx(
        [0.0603200014863, -0.9800906441319], rel=1e-4
    )
    assert residuals(fit).table()["conditional"].to_list()[:3] == pytest.approx(
        [0.662204116724, 0.0973260172225, 0.289683282548], rel=1e-3
    )


def test_more_values_than_can_be_held_are_refused(readings):
    many = pl.concat([readings.with_columns(p=pl.col("p") + 100 * k) for k in range(5)])
    with pytest.raises(UserError, match="crossed effects of 6,000 values: at most 5,000"):
        fit_mixed(many, "y ~ day", "p", crossed="reader")
    with pytest.raises(UserError, match="crossed effects of 1,200 values: at most 1,000"):
        fit_mixed(readings, "y ~ day", "p", crossed="reader", residual="car1:day")


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("counts", [None, np.array([1.0, 0.0])])
def test_the_likelihood_is_that_of_the_dense_covariance(reml, groups, counts):
    """In all its parts, with weights, residual groups and a patient who is left out."""
    rng = np.random.default_rng(0)
    n = 60
    patient, reader = (rng.integers(0, most, n).astype(np.intp) for most in (8, 5))
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    cluster = np.zeros(n, dtype=np.intp) if counts is None else (patient == 2).astype(np.intp)
    group, root = rng.integers(0, groups, n).astype(np.intp), np.sqrt(rng.uniform(0.5, 2, n))
    parts = (
        RandomTerm("p", ("a", "b"), x[:, :2], patient),
        RandomTerm("r", ("a",), np.ones((n, 1)), reader),
        IndependentResidual(group, tuple("ab"[:groups]), root),
    )
    asked = (x, rng.normal(size=n), cluster, parts, reml, counts)
    dense, crossed = DenseLikelihood(*asked), CrossedLikelihood(*asked)
    theta = dense.start + rng.normal(0, 0.2, len(dense.start))
    for one, other in zip(crossed.point(theta), dense.point(theta), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-9)
    rows = dense.batches[0]
    np.testing.assert_allclose(crossed.value(theta, rows), dense.value(theta, rows), atol=1e-12)
    np.testing.assert_allclose(
        crossed.second_moments(theta)[0], dense.second_moments(theta)[0], rtol=1e-8, atol=1e-8
    )


@pytest.mark.parametrize("residual", ["ar1:day", "car1:day"])
def test_a_crossed_effect_leaves_patients_uncorrelated(residual, single):
    """More parameters never make the best likelihood worse, and patients stay apart."""
    reader = pl.Series([("A", "B", "C")[k % 3] for k in range(single.height)])
    frame = single.with_columns(reader=reader)
    plain = fit_mixed(frame, "y ~ day", "patient", residual=residual)
    crossed = fit_mixed(frame, "y ~ day", "patient", residual=residual, crossed="reader")
    assert crossed.criterion <= plain.criterion + 1e-6
    dense = crossed.design.dense
    theta = np.append(crossed.design.theta[:1], crossed.design.theta[-3:])
    theta[1] = 0.0  # no variance between readers
    patient = crossed.design.design.patient
    v, _ = dense.covariance(theta, dense.batches[0])
    order = dense.batches[0][0]
    apart = patient[order][:, None] != patient[order][None, :]
    assert np.abs(v[0][apart]).max() == 0.0
    without = plain.design.dense.point(np.delete(theta, 1))
    assert dense.point(theta).value == pytest.approx(without.value, rel=1e-10)


def test_crossed_golden(shared: Path, component):
    truth = json.loads((shared / "data" / "TRUTH.json").read_text())["R"]["Penicillin_crossed_REML"]
    frame = pl.read_csv(shared / "data" / "mixed_effects" / "lme4__Penicillin.csv")
    fit = fit_mixed(frame, "diameter ~ 1", "plate", crossed="sample")
    assert fit.criterion == pytest.approx(truth["crit"], rel=1e-9)
    assert fit.estimates[0].estimate == pytest.approx(truth["fixef"]["(Intercept)"], rel=1e-9)
    assert fit.estimates[0].std_error == pytest.approx(truth["se"]["(Intercept)"], rel=1e-4)
    for row in truth["varcomp"]:
        term = None if row["grp"] == "Residual" else "(Intercept)"
        assert component(fit, row["grp"], term) == pytest.approx(row["sdcor"], rel=1e-4)
    check = fit.check("verified")
    assert check.status == "ok", "statsmodels has the same likelihood there"
