"""Predicted effects and residuals of structured fits against nlme, lme4 and the plain engine."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Fit, PatientEffects, fit_mixed, patient_effects, residuals

FORMULA = "y ~ day * arm"


def rows_of(fit: Fit, patient: str) -> list[float]:
    return [one.estimate for one in patient_effects(fit).effects if one.usubjid == patient]


def first(fit: Fit, kind: str, n: int = 3) -> list[float]:
    return residuals(fit).table()[kind].to_list()[:n]


def test_continuous_autoregression_as_nlme(uneven):
    """m <- lme(y ~ day * arm, ~1 | p, correlation = corCAR1(form = ~day | p)); ranef(m),
    resid(m, level = 0), resid(m), resid(m, type = "pearson"), resid(m, type = "normalized")"""
    fit = fit_mixed(uneven, FORMULA, "p", residual="car1:day")
    assert fit.log_likelihood == pytest.approx(-85.6421080281, abs=1e-9)
    assert rows_of(fit, "P00") == pytest.approx([0.579161077551], rel=1e-5)
    assert rows_of(fit, "P01") == pytest.approx([-0.989576600526], rel=1e-5)
    assert first(fit, "marginal") == pytest.approx(
        [0.489027190813, 1.18910334618, 1.18925565692], rel=1e-5
    )
    assert first(fit, "conditional") == pytest.approx(
        [-0.0901338867384, 0.60994226863, 0.610094579368], rel=1e-5
    )
    assert first(fit, "pearson") == pytest.approx(
        [-0.0890061930396, 0.602311087086, 0.602461492216], rel=1e-5
    )
    assert first(fit, "normalized", 4) == pytest.approx(
        [-0.0890061930396, 1.69396841508, 0.179643176908, -0.231274854673], rel=1e-5
    )
    assert residuals(fit).table()["normalized"][-1] == pytest.approx(-0.940439669815, rel=1e-5)


def test_slopes_and_a_variance_by_assay_as_nlme(uneven):
    """m <- lme(y ~ day * arm, ~day | p, weights = varIdent(form = ~1 | assay))"""
    fit = fit_mixed(uneven, FORMULA, "p", "1 + day", residual="by:assay")
    assert fit.log_likelihood == pytest.approx(-80.5610487251, abs=1e-8)
    assert rows_of(fit, "P00") == pytest.approx([0.718984241609, 0.0101146215308], rel=1e-4)
    assert rows_of(fit, "P01") == pytest.approx([-1.847273497268, 0.0270491522555], rel=1e-4)
    assert first(fit, "pearson") == pytest.approx(
        [-0.563496598886, 0.451140057722, 0.885428983866], rel=1e-4
    )
    assert first(fit, "normalized") == pytest.approx(first(fit, "pearson"))


def test_weights_as_lmer(uneven):
    """m <- lmer(y ~ day * arm + (1 | p), weights = weight); ranef(m, condVar = TRUE)$p and the
    square roots of its "postVar"; lme's varFixed(~1 / weight) for the residuals"""
    fit = fit_mixed(uneven, FORMULA, "p", weights="weight")
    found = patient_effects(fit).effects
    assert [one.estimate for one in found[:2]] == pytest.approx(
        [0.747575075323, -1.508822860131], rel=1e-5
    )
    assert [one.conditional_sd for one in found[:2]] == pytest.approx(
        [0.286696389132, 0.256839202006], rel=1e-5
    )
    assert first(fit, "pearson") == pytest.approx(
        [-0.377319819134, 0.459755056739, 0.331556685163], rel=1e-5
    )


def test_an_unstructured_covariance_as_gls(uneven):
    """m <- gls(y ~ day * arm, correlation = corSymm(form = ~visit | p), weights =
    varIdent(form = ~1 | visit)); resid(m, type = "normalized"). gls stopped 1.2e-6 early."""
    fit = fit_mixed(uneven, FORMULA, "p", residual="unstructured:day")
    assert -63.338271662 <= fit.log_likelihood < -63.33826
    expected = [-0.112973005481, 0.927554551503, 0.0322066737259, -0.639948277098]
    assert first(fit, "normalized", 4) == pytest.approx(expected, rel=2e-3, abs=1e-3)
    assert first(fit, "cholesky", 4) == pytest.approx(first(fit, "normalized", 4))
    assert first(fit, "conditional") == pytest.approx(first(fit, "marginal"))


def test_lesions_over_time_as_nlme(lesions):
    """m <- lme(y ~ day, list(patient = ~1, lesion = ~1), correlation = corCAR1(form = ~day |
    patient/lesion)); ranef(m)$patient, resid(m, level = 2), resid(m, type = "normalized")"""
    fit = fit_mixed(lesions, "y ~ day", "patient", nested="lesion", residual="car1:day")
    assert rows_of(fit, "P0") == pytest.approx([-0.074074960988], rel=1e-4)
    assert rows_of(fit, "P1") == pytest.approx([-1.155416997592], rel=1e-4)
    assert first(fit, "conditional") == pytest.approx(
        [-0.159193882163, -0.344680738291, -0.0601675944201], rel=1e-3
    )
    assert first(fit, "normalized", 4) == pytest.approx(
        [-0.336795992943, -0.658485049788, 0.384916820998, 0.657697637405], rel=1e-3
    )


def test_crossed_readers_as_lmer(single):
    """m <- lmer(y ~ day + arm + (day | patient) + (1 | reader)); ranef(m, condVar = TRUE),
    resid(m)"""
    fit = fit_mixed(single, "y ~ day + arm", "patient", "1 + day", crossed="reader")
    assert fit.log_likelihood == pytest.approx(-27.5004537521, abs=1e-6)
    assert rows_of(fit, "P1") == pytest.approx([-2.213517082843, -0.0610652436525], rel=1e-3)
    sds = [one.conditional_sd for one in patient_effects(fit).effects[:2]]
    assert sds == pytest.approx([0.2095334509132, 0.0791349663154], rel=1e-3)
    assert first(fit, "conditional") == pytest.approx(
        [0.068071400621, -0.19516751743, -0.0600384308326], rel=1e-3
    )


def test_slopes_of_lesions_as_lmer(lesions):
    """m <- lmer(y ~ day + arm + (1 | patient) + (day | patient:lesion)); ranef(m)$patient"""
    fit = fit_mixed(lesions, "y ~ day + arm", "patient", nested="lesion: 1 + day")
    assert fit.log_likelihood == pytest.approx(-73.0584424663, abs=1e-6)
    assert rows_of(fit, "P0") == pytest.approx([-0.086566582714], rel=1e-3)
    assert rows_of(fit, "P1") == pytest.approx([-1.422631233516], rel=1e-4)
    assert patient_effects(fit).effects[0].conditional_sd == pytest.approx(0.336971822617, rel=1e-4)
    assert first(fit, "conditional") == pytest.approx(
        [0.0400180828085, -0.222836110691, -0.0156903041911], rel=1e-3
    )


@pytest.mark.parametrize("random", ["1", "1 + day"])
@pytest.mark.parametrize("asked", [{"residual": "by:same"}, {"weights": "even"}])
def test_a_structure_that_is_none_says_what_the_plain_fit_says(uneven, random, asked):
    frame = uneven.with_columns(same=pl.lit("x"), even=pl.lit(2.0))
    plain = fit_mixed(frame, FORMULA, "p", random, verify=False)
    fit = fit_mixed(frame, FORMULA, "p", random, **asked)
    for name in ("estimate", "std_error", "conditional_sd"):
        one, other = (patient_effects(item).table()[name].to_numpy() for item in (fit, plain))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    for kind in ("marginal", "conditional", "pearson", "cholesky", "normalized"):
        one, other = (residuals(item).table()[kind].to_numpy() for item in (fit, plain))
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_without_effects_of_the_patient_there_are_none(uneven):
    for asked in ({"residual": "unstructured:day"}, {"residual": "car1:day", "random": "0"}):
        found = patient_effects(fit_mixed(uneven, FORMULA, "p", **asked))
        assert (found.status, found.reason, found.effects) == (
            "not_estimable",
            "no_random_effects",
            (),
        )
        assert "random='1'" in found.advice
        assert PatientEffects.from_dict(json.loads(json.dumps(found.to_dict()))) == found
        assert found.table().height == 0


def test_a_restored_fit_has_its_effects_from_its_data(uneven):
    fit = fit_mixed(uneven, FORMULA, "p", residual="car1:day")
    stored = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    one, other = patient_effects(stored, frame=uneven), patient_effects(fit)
    np.testing.assert_allclose(one.table()["estimate"], other.table()["estimate"], rtol=1e-6)
