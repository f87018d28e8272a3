"""Leave-one-patient-out: Cook's distance and DFBETAS are those of plain refits."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Influence, fit_mixed, patient_influence


@pytest.mark.parametrize("formula", ["y ~ day", "y ~ day * arm"])
def test_equals_refits(small_trial, formula):
    fit = fit_mixed(small_trial, formula, "p", "1 + day", verify=False)
    found = patient_influence(fit, {"day": 4.0}, {"day": 0.0})
    assert [row.cooks_distance for row in found.patients] == sorted(
        (row.cooks_distance for row in found.patients), reverse=True
    )
    for row in found.patients:
        alone = fit_mixed(
            small_trial.filter(pl.col("p") != row.usubjid), formula, "p", "1 + day", verify=False
        )
        beta = np.array([estimate.estimate for estimate in alone.estimates])
        move = fit.design.beta - beta
        cooks = move @ np.linalg.solve(fit.design.covariance, move) / len(beta)
        assert row.cooks_distance == pytest.approx(cooks, rel=1e-3)
        index = [estimate.term for estimate in fit.estimates].index(row.dfbetas_term)
        dfbetas = move[index] / alone.estimates[index].std_error
        assert row.dfbetas == pytest.approx(dfbetas, rel=1e-3)
        own = [each for each in found.dfbetas if each.usubjid == row.usubjid]
        for each, one, estimate in zip(own, move, alone.estimates, strict=True):
            assert each.term == estimate.term
            assert each.dfbetas == pytest.approx(one / estimate.std_error, rel=1e-3, abs=1e-6)
        if formula == "y ~ day":
            assert row.contrast == pytest.approx(4 * beta[1], rel=1e-5)
            assert row.contrast_change == pytest.approx(-4 * move[1], rel=1e-3, abs=1e-7)
    assert Influence.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_planted_patient_comes_first(small_trial):
    planted = small_trial.with_columns(
        y=pl.when(pl.col("p") == "P07").then(pl.col("y") + 3 * pl.col("day")).otherwise("y")
    )
    found = patient_influence(fit_mixed(planted, "y ~ day", "p", "1 + day", verify=False))
    assert found.patients[0].usubjid == "P07"
    assert found.patients[0].is_large
    assert "patients move the fixed effects more than the usual limits" in found.note


def test_a_patient_who_carries_a_level_alone_is_said(small_trial):
    own = pl.when(pl.col("p") == "P02").then(pl.lit("z")).otherwise(pl.lit("a"))
    frame = small_trial.with_columns(arm=own)
    fit = fit_mixed(frame, "y ~ day + arm", "p", verify=False)
    found = patient_influence(fit)
    assert found.patients[-1].usubjid == "P02"
    assert found.patients[-1].cooks_distance is None
    assert "Without 1 of them the model cannot be fitted" in found.note
