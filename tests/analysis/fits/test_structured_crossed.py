"""Effects that cross patients, as readers do."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import fit_mixed
from analysis.errors import UserError


def test_more_values_under_crossed_effects_than_can_be_held_are_refused(single):
    many = pl.concat([single.with_columns(patient=pl.col("patient") + f"/{k}") for k in range(32)])
    reader = pl.Series([("A", "B", "C")[k % 3] for k in range(many.height)])
    with pytest.raises(UserError, match="crossed effects of 1,024 values: at most 1,000"):
        fit_mixed(many.with_columns(reader=reader), "y ~ day", "patient", crossed="reader")


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
