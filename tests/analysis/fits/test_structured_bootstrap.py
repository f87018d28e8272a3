"""Bootstraps of structured fits: draws have the model's covariance, refits are fits."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import BootstrapResult, bootstrap, cluster_bootstrap, fit_mixed
from analysis.errors import UserError
from analysis.fits.structured.replicates import redrawn, simulated

FORMULA = "y ~ day * arm"
ASKED = [
    {"residual": "car1:day"},
    {"residual": "by:assay", "random": "1 + day"},
    {"weights": "weight"},
    {"residual": "unstructured:day"},
]


@pytest.mark.parametrize("asked", ASKED)
def test_drawn_outcomes_have_the_covariance_of_the_model(uneven, asked):
    fitted = fit_mixed(uneven, FORMULA, "p", **asked).design
    drawn = simulated(fitted, 20_000, np.random.default_rng(0))
    for rows in fitted.dense.batches:
        v = fitted.dense.covariance(fitted.theta, rows[:1])[0][0]
        found = np.cov(drawn[:, rows[0]].T)
        size = np.sqrt(np.outer(np.diag(v), np.diag(v)))
        assert np.abs((found - v) / size).max() < 0.05
    apart = np.corrcoef(
        drawn[:, fitted.design.patient == 0].T, drawn[:, fitted.design.patient == 1].T
    )
    n = int((fitted.design.patient == 0).sum())
    assert np.abs(apart[:n, n:]).max() < 0.04


@pytest.mark.parametrize("asked", ASKED[:3])
def test_a_refit_is_the_fit_to_the_drawn_outcome(uneven, asked):
    fitted = fit_mixed(uneven, FORMULA, "p", **asked).design
    design = fitted.design
    outcomes = simulated(fitted, 3, np.random.default_rng(4))
    found = redrawn(fitted, outcomes)
    assert len(found.effects) == 3
    for effects, components, outcome in zip(found.effects, found.components, outcomes, strict=True):
        y = design.matrices.x @ fitted.beta + design.y_scale * outcome
        other = fit_mixed(design.frame.with_columns(y=y), FORMULA, "p", **asked)
        beta = fitted.beta + design.y_scale * np.linalg.solve(design.x_transform, effects)
        assert beta == pytest.approx([row.estimate for row in other.estimates], rel=1e-3, abs=1e-4)
        variances = [row.variance for row in other.variance_components if row.term_2 is None]
        for one, two in zip(components, variances, strict=False):
            assert two is None or one == pytest.approx(two, rel=1e-2, abs=1e-4)


def test_of_a_plain_model_the_cluster_bootstrap_is_that_of_the_cross_products(uneven):
    frame = uneven.with_columns(same=pl.lit("x"))
    plain = fit_mixed(frame, FORMULA, "p", verify=False)
    fit = fit_mixed(frame, FORMULA, "p", residual="by:same")
    one, other = (cluster_bootstrap(item, 150, 3, strata="arm") for item in (fit, plain))
    for row, expected in zip(one.estimates, other.estimates, strict=True):
        assert row[2:6] == pytest.approx(expected[2:6], rel=1e-3, abs=1e-4)


def test_of_a_plain_model_the_bootstrap_spreads_as_that_of_the_cross_products(uneven):
    frame = uneven.with_columns(same=pl.lit("x"))
    plain = bootstrap(fit_mixed(frame, FORMULA, "p", verify=False), 4000, 2)
    found = bootstrap(fit_mixed(frame, FORMULA, "p", residual="by:same"), 400, 1)
    assert found.n_failed == 0
    for one, other in zip(found.estimates, plain.estimates, strict=True):
        assert one.estimate == pytest.approx(other.estimate, rel=1e-5)
        assert one.std_error == pytest.approx(other.std_error, rel=0.15)


def test_a_correlation_has_an_interval(uneven):
    fit = fit_mixed(uneven, FORMULA, "p", residual="car1:day")
    found = bootstrap(fit, 100, 5)
    rows = {(row.part, row.term): row for row in found.estimates}
    rho = rows["correlation", "Residual correlation at distance 1"]
    assert rho.estimate == pytest.approx(0.914920174738, rel=1e-4)
    assert 0 <= rho.conf_low < rho.estimate < rho.conf_high < 1
    assert bootstrap(fit, 100, 5) == found
    assert BootstrapResult.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_inference_by_bootstrap_is_that_of_the_bootstrap(uneven, monkeypatch):
    monkeypatch.setattr("analysis.fits.bootstrap.BOOTSTRAP_REPLICATES", 150)
    asked = {"residual": "by:assay"}
    fit = fit_mixed(uneven, "y ~ arm", "p", inference="bootstrap", seed=8, **asked)
    found = bootstrap(fit_mixed(uneven, "y ~ arm", "p", **asked), 150, 8)
    for row, drawn in zip(fit.estimates, found.estimates, strict=False):
        assert (row.df, row.p_value) == (None, drawn.p_value)
        assert (row.conf_low, row.conf_high) == pytest.approx((drawn.conf_low, drawn.conf_high))


def test_trials_that_lose_a_visit_count_as_failed(uneven):
    rare = uneven.with_columns(
        assay=pl.when(pl.col("p").is_in(["P02", "P03"])).then(pl.lit("rare")).otherwise(pl.lit("a"))
    )
    fit = fit_mixed(rare, "y ~ day", "p", residual="by:assay")
    found = cluster_bootstrap(fit, 300, 1)
    # Neither of two patients is drawn in (10/12)^12 = 11 % of the trials.
    assert 15 <= found.n_failed <= 55


def test_patients_that_share_readers_are_not_drawn_again(lesions):
    fit = fit_mixed(lesions, "y ~ day", "patient", crossed="reader")
    with pytest.raises(UserError, match=r"share the levels of reader.*parametric bootstrap"):
        cluster_bootstrap(fit, 100, 1)
    found = bootstrap(fit, 100, 1)
    assert [row.term for row in found.estimates][2:5] == [
        "patient (Intercept)",
        "reader",
        "Residual",
    ]
