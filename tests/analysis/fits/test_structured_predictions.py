"""A patient's own mean and a new measurement under residual structures."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import PatientPredictions, fit_mixed, predict_patients
from analysis.errors import UserError

FORMULA = "y ~ day * arm"


def test_a_patients_own_mean_as_nlme(uneven):
    """m <- lme(y ~ day * arm, ~1 | p, correlation = corCAR1(form = ~day | p)); predict(m,
    data.frame(p = "P00", day = 5, arm = "a"), level = 1)"""
    fit = fit_mixed(uneven, FORMULA, "p", residual="car1:day")
    found = predict_patients(fit, [{"day": 5.0}], ["P00"])
    assert found.predictions[0].estimate == pytest.approx(2.79975310989, rel=1e-6)
    assert PatientPredictions.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@pytest.mark.parametrize("asked", [{"residual": "by:same"}, {"weights": "even"}])
def test_a_structure_that_is_none_predicts_as_the_plain_fit(uneven, asked):
    frame = uneven.with_columns(same=pl.lit("x"), even=pl.lit(2.0))
    plain = fit_mixed(frame, FORMULA, "p", "1 + day", verify=False)
    fit = fit_mixed(frame, FORMULA, "p", "1 + day", **asked)
    own = [{"day": 2.0}, {"day": 20.0}]
    fixed = {"same": "x"} if "residual" in asked else {"even": 2.0}
    new = [{"day": 9.0, "arm": "b"}]
    for at, who in ((own, ["P03", "P04"]), (new, ["new patient"])):
        one = predict_patients(fit, [{**item, **fixed} for item in at], who).table()
        other = predict_patients(plain, at, who).table()
        for name in ("estimate", "std_error", "conf_low", "pred_low", "pred_high"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-4)


def test_a_new_measurement_has_the_variance_of_its_assay_and_its_weight(uneven, component):
    fit = fit_mixed(uneven, FORMULA, "p", residual="by:assay", weights="weight")
    at = [{"day": 5.0, "assay": a, "weight": w} for a, w in (("a", 1), ("b", 1), ("b", 3))]
    rows = predict_patients(fit, at, ["P00"]).predictions
    spread = []
    for row in rows:
        ratio = (row.pred_high - row.estimate) / (row.conf_high - row.estimate)
        spread.append((ratio**2 - 1) * row.std_error**2)
    one, two = (component(fit, "Residual", level) ** 2 for level in "ab")
    assert spread == pytest.approx([one, two, two / 3], rel=1e-8)
    with pytest.raises(UserError, match="'assay' has no one value for patient P00"):
        predict_patients(fit, [{"day": 5.0, "weight": 1}], ["P00"])
    with pytest.raises(UserError, match="1 values of 'weight' are not positive"):
        predict_patients(fit, [{"day": 5.0, "assay": "a", "weight": -1}], ["P00"])


def test_a_group_that_is_a_whole_number_has_its_variance(lesions, component):
    fit = fit_mixed(lesions, "y ~ day", "patient", nested="lesion", residual="by:arm")
    rows = predict_patients(fit, [{"day": 3.0}], ["P0", "P1"]).predictions
    for row, arm in zip(rows, "01", strict=True):
        ratio = (row.pred_high - row.estimate) / (row.conf_high - row.estimate)
        spread = component(fit, "Residual", arm) ** 2
        spread += component(fit, "patient:lesion", "(Intercept)") ** 2
        assert (ratio**2 - 1) * row.std_error**2 == pytest.approx(spread, rel=1e-6)


def dense_covariance(fit, frame, patient: str, day: float):
    """Variance of (new measurement less predicted mean), from the joint normal of all values."""
    level, sigma, rho = (row.sd_or_corr for row in fit.variance_components)
    p = np.append(frame["p"].to_numpy(), patient)
    t = np.append(frame["day"].to_numpy(), day)
    same = p[:, None] == p[None, :]
    residual = np.where(same, sigma**2 * rho ** np.abs(t[:, None] - t[None, :]), 0.0)
    v = np.where(same, level**2, 0.0) + residual
    n = frame.height
    arm = np.append((frame["arm"] == "b").to_numpy(), frame.filter(p=patient)["arm"][0] == "b")
    x = np.column_stack([np.ones(n + 1), t, arm, t * arm]).astype(float)
    inverse = np.linalg.inv(v[:n, :n])
    phi = np.linalg.inv(x[:n].T @ inverse @ x[:n])
    hat = phi @ x[:n].T @ inverse
    own = np.where(p[:n] == patient, level**2, 0.0) @ inverse
    weights = x[n] @ hat + own @ (np.eye(n) - x[:n] @ hat)
    whole = np.append(-weights, 1.0)
    return float(whole @ v @ whole)


@pytest.mark.parametrize("day", [5.0, 60.0])
def test_a_new_measurement_goes_together_with_those_observed(uneven, day):
    """Its residual is correlated with those that moved the predicted mean."""
    fit = fit_mixed(uneven, FORMULA, "p", residual="car1:day")
    row = predict_patients(fit, [{"day": day}], ["P00"]).predictions[0]
    ratio = (row.pred_high - row.estimate) / (row.conf_high - row.estimate)
    variance = (ratio * row.std_error) ** 2
    assert variance == pytest.approx(dense_covariance(fit, uneven, "P00", day), rel=1e-7)


def test_a_new_lesion_and_a_new_reader_are_part_of_a_new_measurement(lesions, component):
    fit = fit_mixed(lesions, "y ~ day", "patient", nested="lesion: 1 + day", crossed="reader")
    row = predict_patients(fit, [{"day": 3.0}], ["P0"]).predictions[0]
    ratio = (row.pred_high - row.estimate) / (row.conf_high - row.estimate)
    level, slope = (component(fit, "patient:lesion", name) for name in ("(Intercept)", "day"))
    between = component(fit, "patient:lesion", "(Intercept)", "day") * level * slope
    expected = level**2 + 9 * slope**2 + 6 * between
    expected += component(fit, "reader", "(Intercept)") ** 2 + component(fit, "Residual", None) ** 2
    assert (ratio**2 - 1) * row.std_error**2 == pytest.approx(expected, rel=1e-7)


def test_an_unstructured_covariance_predicts_new_patients_only(uneven, component):
    fit = fit_mixed(uneven, FORMULA, "p", residual="unstructured:day")
    found = predict_patients(fit, [{"day": 7.0}])
    assert (found.status, found.reason, found.predictions) == (
        "not_estimable",
        "no_random_effects",
        (),
    )
    row = predict_patients(fit, [{"day": 7.0, "arm": "a"}], ["new patient"]).predictions[0]
    assert row.estimate == pytest.approx(fit.contrast({"day": 7.0, "arm": "a"}).estimate)
    ratio = (row.pred_high - row.estimate) / (row.conf_high - row.estimate)
    spread = (ratio**2 - 1) * row.std_error**2
    assert spread == pytest.approx(component(fit, "Residual", "7.0") ** 2, rel=1e-6)
    with pytest.raises(UserError, match=r"day = 5.0 has no residual variance.*3\.0, 7\.0"):
        predict_patients(fit, [{"day": 5.0, "arm": "a"}], ["new patient"])


def test_between_two_visits_there_is_no_prediction(single):
    fit = fit_mixed(single, "y ~ day", "patient", residual="ar1:day")
    assert predict_patients(fit, [{"day": 3}], ["P0"]).predictions[0].pred_low is not None
    with pytest.raises(UserError, match=r"day = 2\.5 lies between two visits"):
        predict_patients(fit, [{"day": 2.5}], ["P0"])
