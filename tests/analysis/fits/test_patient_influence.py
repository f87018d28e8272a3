"""Leave-one-patient-out: Cook's distance and DFBETAS are those of plain refits."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Influence, fit_mixed, patient_influence


@pytest.mark.parametrize("inference", ["satterthwaite", "kenward_roger", "robust"])
@pytest.mark.parametrize("formula", ["y ~ day", "y ~ day * arm"])
def test_equals_refits(small_trial, formula, inference):
    """Both measures in units of the covariance that the fit reports."""
    asked = {"inference": inference, "verify": False}
    fit = fit_mixed(small_trial, formula, "p", "1 + day", **asked)
    found = patient_influence(fit, {"day": 4.0}, {"day": 0.0})
    assert [row.cooks_distance for row in found.patients] == sorted(
        (row.cooks_distance for row in found.patients), reverse=True
    )
    for row in found.patients:
        alone = fit_mixed(
            small_trial.filter(pl.col("p") != row.usubjid), formula, "p", "1 + day", **asked
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


def test_by_hand_for_two_means_under_robust_errors(small_trial):
    """Every patient has every day, so the difference is Welch's of the patients' means."""
    fit = fit_mixed(small_trial, "y ~ sex", "p", inference="robust", verify=False)
    found = patient_influence(fit)
    means = {
        sex: dict(own.group_by("p").agg(pl.col("y").mean()).iter_rows())
        for (sex,), own in small_trial.group_by("sex")
    }
    for row in found.patients:
        sex = next(sex for sex, own in means.items() if row.usubjid in own)
        own, other = (np.array(list(means[name].values())) for name in (sex, "FM".strip(sex)))
        rest = np.array([mean for name, mean in means[sex].items() if name != row.usubjid])
        move = own.mean() - rest.mean()
        assert row.cooks_distance == pytest.approx(move**2 / (own.var(ddof=1) / 6) / 2, rel=1e-6)
        welch = np.sqrt(rest.var(ddof=1) / 5 + other.var(ddof=1) / 6)
        difference = next(
            each.dfbetas
            for each in found.dfbetas
            if each.usubjid == row.usubjid and each.term == "sex[T.M]"
        )
        assert difference == pytest.approx((1 if sex == "M" else -1) * move / welch, rel=1e-6)


def test_under_robust_errors_more_effects_than_patients_have_no_joint_distance(small_trial):
    """Twelve patients span at most twelve directions: the 15 means have no inverse covariance."""
    days = small_trial.with_columns(visit=pl.col("day").cast(pl.String))
    fit = fit_mixed(days, "y ~ visit * arm", "p", inference="robust", verify=False)
    found = patient_influence(fit, {"visit": "4.0", "arm": "b"}, {"visit": "4.0", "arm": "a"})
    assert {row.cooks_distance for row in found.patients} == {None}
    sizes = [abs(row.dfbetas) for row in found.patients]
    assert sizes == sorted(sizes, reverse=True)
    assert all(row.contrast_change is not None for row in found.patients)
    assert "cannot be fitted" not in found.note
    assert "Cook's distance needs more patients than the 15 fixed effects" in found.note


def test_a_planted_patient_comes_first(small_trial):
    planted = small_trial.with_columns(
        y=pl.when(pl.col("p") == "P07").then(pl.col("y") + 3 * pl.col("day")).otherwise("y")
    )
    found = patient_influence(fit_mixed(planted, "y ~ day", "p", "1 + day", verify=False))
    assert found.patients[0].usubjid == "P07"
    assert found.patients[0].is_large
    assert "patients move the fixed effects more than the usual limits" in found.note


@pytest.mark.parametrize("inference", ["satterthwaite", "kenward_roger", "robust"])
def test_a_patient_who_carries_a_level_alone_is_said(small_trial, inference):
    own = pl.when(pl.col("p") == "P02").then(pl.lit("z")).otherwise(pl.lit("a"))
    frame = small_trial.with_columns(arm=own)
    fit = fit_mixed(frame, "y ~ day + arm", "p", inference=inference, verify=False)
    found = patient_influence(fit)
    assert found.patients[-1].usubjid == "P02"
    assert found.patients[-1].cooks_distance is None
    assert "Without 1 of them the model cannot be fitted" in found.note


def test_an_effect_that_one_patient_is_left_in_has_no_robust_error(small_trial):
    """P03 and P04 are alone in an arm: without one the other differs from nobody, and a move in
    units of nothing is no number."""
    pair = pl.col("p").is_in(["P03", "P04"])
    frame = small_trial.with_columns(arm=pl.when(pair).then(pl.lit("z")).otherwise("arm"))
    fit = fit_mixed(frame, "y ~ 0 + arm", "p", inference="robust", verify=False)
    found = patient_influence(fit)
    missing = [(one.usubjid, one.term) for one in found.dfbetas if one.dfbetas is None]
    assert missing == [("P03", "arm[z]"), ("P04", "arm[z]")]
    own = [row for row in found.patients if row.usubjid in ("P03", "P04")]
    assert [row.dfbetas for row in own] == pytest.approx([0.0, 0.0], abs=1e-9)
