"""Refits of structured fits without each patient: as nlme's, and as a fit to the other rows."""

import numpy as np
import polars as pl
import pytest

from analysis import fit_mixed, patient_influence
from analysis.fits.structured.left_out import without_patient

FORMULA = "y ~ day * arm"
AT, AGAINST = {"day": 14.0, "arm": "b"}, {"day": 14.0, "arm": "a"}


def test_as_nlme(uneven):
    """m <- lme(y ~ day * arm, ~1 | p, correlation = corCAR1(form = ~day | p)); n the same to
    t[t$p != who, ]; d <- fixef(m) - fixef(n); d %*% solve(vcov(m), d) / 4; d / sqrt(diag(vcov(n)))
    and sum(c(0, 0, 1, 14) * fixef(n))"""
    fit = fit_mixed(uneven, FORMULA, "p", residual="car1:day")
    found = patient_influence(fit, AT, AGAINST)
    points = {point.usubjid: point for point in found.patients}
    assert points["P00"].cooks_distance == pytest.approx(0.0430029951683, rel=1e-4)
    assert points["P01"].cooks_distance == pytest.approx(0.112098931804, rel=1e-4)
    assert points["P00"].contrast == pytest.approx(-0.0749191566852, rel=1e-4)
    assert points["P01"].contrast == pytest.approx(0.0466090850567, rel=1e-4)
    moves = [move.dfbetas for move in found.dfbetas if move.usubjid == "P00"]
    assert moves == pytest.approx(
        [0.1840291431, 0.178584746823, -0.145436562458, -0.125513057922], rel=1e-4
    )


def test_a_variance_by_assay_as_nlme(uneven):
    """The same with weights = varIdent(form = ~1 | assay)"""
    found = patient_influence(fit_mixed(uneven, FORMULA, "p", residual="by:assay"), AT, AGAINST)
    points = {point.usubjid: point for point in found.patients}
    assert points["P00"].cooks_distance == pytest.approx(0.0613302620149, rel=1e-4)
    assert points["P01"].dfbetas == pytest.approx(-0.685067910756, rel=1e-4)
    assert points["P01"].contrast == pytest.approx(0.148603590149, rel=1e-4)


@pytest.mark.parametrize("asked", [{"residual": "by:same"}, {"weights": "even"}])
def test_a_structure_that_is_none_moves_as_the_plain_fit(uneven, asked):
    frame = uneven.with_columns(same=pl.lit("x"), even=pl.lit(2.0))
    plain = patient_influence(fit_mixed(frame, FORMULA, "p", verify=False), AT, AGAINST)
    found = patient_influence(fit_mixed(frame, FORMULA, "p", **asked), AT, AGAINST)
    assert [row.usubjid for row in found.patients] == [row.usubjid for row in plain.patients]
    for one, other in zip(found.patients, plain.patients, strict=True):
        assert one.cooks_distance == pytest.approx(other.cooks_distance, rel=1e-4)
        assert one.dfbetas == pytest.approx(other.dfbetas, rel=1e-4)
        assert one.contrast == pytest.approx(other.contrast, rel=1e-4)


@pytest.mark.parametrize(
    "asked",
    [
        {"residual": "unstructured:day"},
        {"random": "1 + day", "nested": "lesion: 1 + day", "crossed": "reader"},
        {"nested": "lesion", "residual": "ar1:day", "weights": "w"},
    ],
)
def test_without_a_patient_is_the_fit_to_the_other_rows(lesions, single, asked):
    """Crossed with readers as well: the patient's rows leave the block of all."""
    frame = (lesions if "nested" in asked else single).with_columns(w=1.0 + pl.col("day"))
    fit = fit_mixed(frame, "y ~ day", "patient", **asked)
    others = fit_mixed(frame.filter(pl.col("patient") != "P3"), "y ~ day", "patient", **asked)
    found = without_patient(fit.design, 3)
    assert found.beta == pytest.approx([row.estimate for row in others.estimates], rel=1e-5)
    errors = [row.std_error for row in others.estimates]
    assert found.model_covariance.diagonal() ** 0.5 == pytest.approx(errors, rel=1e-4)


@pytest.mark.parametrize("inference", ["satterthwaite", "kenward_roger", "robust"])
def test_moves_are_in_units_of_the_reported_covariance(uneven, inference):
    """The refit's own standard errors of that inference; Cook's distance by that of all."""
    asked = {"residual": "by:assay", "inference": inference}
    fit = fit_mixed(uneven, FORMULA, "p", **asked)
    found = patient_influence(fit)
    for name in ("P00", "P05"):
        alone = fit_mixed(uneven.filter(pl.col("p") != name), FORMULA, "p", **asked)
        moves = [
            a.estimate - b.estimate for a, b in zip(fit.estimates, alone.estimates, strict=True)
        ]
        expected = [one / row.std_error for one, row in zip(moves, alone.estimates, strict=True)]
        own = [each.dfbetas for each in found.dfbetas if each.usubjid == name]
        assert own == pytest.approx(expected, rel=1e-3)
        cooks = moves @ np.linalg.solve(fit.design.covariance, moves) / 4
        point = next(row for row in found.patients if row.usubjid == name)
        assert point.cooks_distance == pytest.approx(cooks, rel=1e-3)


def test_a_patient_who_carries_an_effect_alone(uneven):
    frame = uneven.with_columns(rare=pl.when(pl.col("p") == "P04").then(1.0).otherwise(0.0))
    fit = fit_mixed(frame, "y ~ day + rare", "p", residual="car1:day")
    found = patient_influence(fit)
    assert found.patients[-1] == ("P04", None, None, None, None, None, False)
    assert "Without 1 of them the model cannot be fitted" in found.note
