"""Predicted effects against lme4 and Henderson's equations; predictions and their coverage."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import (
    Fit,
    PatientEffects,
    PatientPredictions,
    fit_mixed,
    patient_effects,
    predict_patients,
)
from analysis.errors import UserError
from analysis.fits.patient_effects import effect_moments


@pytest.fixture(scope="module")
def fit(small_trial) -> Fit:
    return fit_mixed(small_trial, "y ~ day", "p", "1 + day", verify=False)


def test_equals_lme4(fit):
    # ranef(lmer(y ~ day + (day | p)), condVar = TRUE)
    expected = [(1.16430513415, 0.1209950757), (-0.06847157925, -0.1292657109)]
    found = patient_effects(fit)
    for index, (intercept, slope) in enumerate(expected):
        own = found.effects[2 * index : 2 * index + 2]
        assert [effect.usubjid for effect in own] == [f"P0{index}"] * 2
        assert own[0].estimate == pytest.approx(intercept, rel=1e-4)
        assert own[1].estimate == pytest.approx(slope, rel=1e-4)
    assert found.effects[0].conditional_sd == pytest.approx(0.21973192849, rel=1e-4)
    assert found.effects[1].conditional_sd == pytest.approx(0.08795787401, rel=1e-4)
    assert PatientEffects.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def henderson(fit: Fit) -> np.ndarray:
    """Inverse of the mixed-model equations: joint covariance of all effects less their truth."""
    fitted, design = fit.design, fit.design.design
    x, m, q = design.matrices.x, design.n_subjects, design.matrices.z.shape[1]
    z = np.zeros((len(x), m * q))
    for row, patient in enumerate(design.patient):
        z[row, patient * q : (patient + 1) * q] = design.matrices.z[row]
    prior = np.kron(np.eye(m), np.linalg.inv(fitted.block))
    left = np.block([[x.T @ x, x.T @ z], [z.T @ x, z.T @ z + fitted.sigma2 * prior]])
    return fitted.sigma2 * np.linalg.inv(left)


def test_errors_of_prediction_are_hendersons(fit):
    dense = henderson(fit)
    errors = [effect.std_error for effect in patient_effects(fit).effects]
    np.testing.assert_allclose(errors, np.sqrt(np.diag(dense)[2:]), rtol=1e-8)
    parts = effect_moments(fit.design)
    np.testing.assert_allclose(parts.shared[3], dense[:2, 8:10], rtol=1e-7)


def test_a_patients_own_mean(fit):
    found = predict_patients(fit, [{"day": 2.0}, {"day": 6.0}], ["P04"])
    dense, fitted = henderson(fit), fit.design
    effects = {e.term: e.estimate for e in patient_effects(fit).effects if e.usubjid == "P04"}
    for row, day in zip(found.predictions, (2.0, 6.0), strict=True):
        line = np.array([1.0, day])
        own = np.array([effects["(Intercept)"], effects["day"]])
        mean = line @ (fitted.beta + own)
        whole = np.zeros(len(dense))
        whole[:2], whole[10:12] = line, line
        assert (row.usubjid, row.at) == ("P04", f"day = {day}")
        assert row.estimate == pytest.approx(mean)
        assert row.std_error == pytest.approx(np.sqrt(whole @ dense @ whole), rel=1e-8)
        ratio = (row.pred_high - row.estimate) / (row.conf_high - row.estimate)
        assert ratio == pytest.approx(np.sqrt(1 + fitted.sigma2 / row.std_error**2), rel=1e-6)
    assert found.predictions[1].std_error > found.predictions[0].std_error
    assert PatientPredictions.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_new_patient_is_the_population(fit):
    row = predict_patients(fit, [{"day": 3.0}], ["new patient"]).predictions[0]
    mean = fit.contrast({"day": 3.0})
    assert row.estimate == pytest.approx(mean.estimate)
    assert row.conf_low == pytest.approx(mean.conf_low)
    line, fitted = np.array([1.0, 3.0]), fit.design
    between = float(line @ fitted.block @ line)
    width = (row.pred_high - row.estimate) / (row.conf_high - row.estimate)
    expected = np.sqrt(1 + (between + fitted.sigma2) / mean.std_error**2)
    assert width == pytest.approx(expected, rel=1e-6)


def test_coverage_in_a_trial_of_twelve():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(60):
        patient, day = np.repeat(np.arange(12), 5), np.tile(np.arange(5.0), 12)
        effects = rng.normal(size=(12, 2)) * [1.0, 0.3]
        y = 1 + 0.2 * day + effects[patient, 0] + effects[patient, 1] * day
        frame = pl.DataFrame({"p": patient, "day": day, "y": y + rng.normal(0, 0.5, 60)})
        fit = fit_mixed(frame, "y ~ day", "p", "1 + day", verify=False)
        for row in predict_patients(fit, [{"day": 4.0}]).predictions:
            own = effects[int(row.usubjid)]
            inside.append(row.conf_low < 1.8 + own[0] + 4 * own[1] < row.conf_high)
    assert 0.925 < np.mean(inside) < 0.975


def test_factors_of_a_patient_stay_as_observed(small_trial):
    fit = fit_mixed(small_trial, "y ~ day * arm", "p", "1 + day", verify=False)
    row = predict_patients(fit, [{"day": 2.0}], ["P01"]).predictions[0]
    effect = patient_effects(fit).effects[2:4]
    expected = fit.contrast({"arm": "b", "day": 2.0}).estimate
    assert row.estimate == pytest.approx(expected + effect[0].estimate + 2 * effect[1].estimate)
    with pytest.raises(UserError, match="'arm' has no one value for new patient; set it in 'at'"):
        predict_patients(fit, [{"day": 2.0}], ["new patient"])
    with pytest.raises(UserError, match="'day' has no one value for patient P01"):
        predict_patients(fit, [{}], ["P01"])
    with pytest.raises(UserError, match="there is no patient 'P99'"):
        predict_patients(fit, [{"day": 1.0}], ["P99"])
    with pytest.raises(UserError, match="'dose' is not in the model"):
        predict_patients(fit, [{"dose": 1.0}], ["P01"])
