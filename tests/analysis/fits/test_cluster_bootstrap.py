"""Patients drawn again: weighted sums are those of the drawn frame, and spread is the model's."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import BootstrapResult, cluster_bootstrap, fit_mixed
from analysis.engine.newton import minimize
from analysis.errors import UserError
from analysis.fits.case_weights import CaseProducts


def test_a_drawn_trial_is_a_fit_to_the_drawn_rows(small_trial):
    fit = fit_mixed(small_trial, "y ~ day", "p", "1 + day", verify=False)
    fitted = fit.design
    weights = np.array([2, 0, 1, 1, 3, 0, 1, 0, 1, 1, 2, 0], dtype=float)
    parts = [
        small_trial.filter(pl.col("p") == label).with_columns(p=pl.lit(f"{label}-{copy}"))
        for label, weight in zip(fitted.design.labels, weights, strict=True)
        for copy in range(int(weight))
    ]
    again = fit_mixed(pl.concat(parts), "y ~ day", "p", "1 + day", verify=False)
    products = CaseProducts(fitted.design).weighted(weights[None])
    ends = minimize(products, fitted.design.structure, True, fitted.optimum.theta[None])
    design = fitted.design
    scaled = np.linalg.solve(design.x_transform, ends.point.beta[0])
    beta = design.b_ols + design.y_scale * scaled
    np.testing.assert_allclose(beta, [row.estimate for row in again.estimates], rtol=1e-5)
    sigma2 = ends.point.sigma2[0] * design.y_scale**2
    assert sigma2 == pytest.approx(again.variance_components[-1].variance, rel=1e-4)


def trial(patients: int = 60) -> pl.DataFrame:
    rng = np.random.default_rng(8)
    patient, day = np.repeat(np.arange(patients), 4), np.tile(np.arange(4.0), patients)
    y = 1 + 0.3 * day + rng.normal(size=patients)[patient] + rng.normal(0, 0.5, len(day))
    arm = np.where(patient % 2, "b", "a")
    return pl.DataFrame({"p": patient, "day": day, "arm": arm, "y": y})


def test_spread_agrees_with_the_model():
    fit = fit_mixed(trial(), "y ~ day + arm", "p", verify=False)
    found = cluster_bootstrap(fit, 2000, 1, strata="arm")
    assert (found.replicates, found.n_failed) == (2000, 0)
    for row, estimate in zip(found.estimates, fit.estimates, strict=False):
        assert (row.term, row.estimate) == (estimate.term, pytest.approx(estimate.estimate))
        assert row.std_error == pytest.approx(estimate.std_error, rel=0.25)
        assert row.conf_low < estimate.estimate < row.conf_high
    assert [row.term for row in found.estimates[3:]] == ["p (Intercept)", "Residual", "ICC"]
    assert "within arm" in found.note
    assert "too narrow" not in found.note
    assert cluster_bootstrap(fit, 2000, 1, strata="arm") == found
    assert BootstrapResult.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_few_patients_are_said(small_trial):
    fit = fit_mixed(small_trial, "y ~ day", "p", verify=False)
    assert "With 12 patients these intervals are too narrow" in cluster_bootstrap(fit, 200).note


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strata": "dose"}, "there is no column 'dose'"),
        ({"strata": "day"}, "'day' changes within a patient"),
        ({"replicates": 10}, "10 replicates are too few"),
    ],
)
def test_refusals(small_trial, options, said):
    fit = fit_mixed(small_trial, "y ~ day", "p", verify=False)
    with pytest.raises(UserError, match=said):
        cluster_bootstrap(fit, **options)
