"""Slopes of lesions inside the patient."""

import polars as pl
import pytest

from analysis import fit_mixed


def test_slopes_of_lesions_as_lmer(lesions, component, column):
    # lmer(y ~ day + arm + (day | patient) + (day | patient:lesion)), lmerTest 3.1-3
    fit = fit_mixed(lesions, "y ~ day + arm", "patient", "1 + day", ("lesion: 1 + day",))
    assert fit.criterion == pytest.approx(146.064680388, rel=1e-9)
    assert column(fit, "estimate") == pytest.approx(
        [1.774540248394, 0.256988095238, 0.293752836546], rel=1e-5
    )
    assert column(fit, "std_error") == pytest.approx(
        [0.451777461755, 0.034924314260, 0.638836267362], rel=1e-4
    )
    assert component(fit, "patient:lesion", "(Intercept)") == pytest.approx(0.61206582, rel=1e-3)
    assert component(fit, "patient:lesion", "day") == pytest.approx(0.14046662, rel=1e-3)
    assert component(fit, "Residual", None) == pytest.approx(0.28365850, rel=1e-4)
    assert fit.check("boundary") is not None, "lme4 finds the patient's correlation at -1 as well"


def test_slopes_of_lesions_on_a_spline_and_on_any_scale_are_one_model(lesions, component):
    hours = lesions.with_columns(hour=pl.col("day") * 1000.0)
    one = fit_mixed(lesions, "y ~ day", "patient", nested="lesion: 1 + day")
    two = fit_mixed(hours, "y ~ day", "patient", nested="lesion: 1 + hour")
    assert two.criterion == pytest.approx(one.criterion, abs=1e-6)
    assert component(two, "patient:lesion", "hour") == pytest.approx(
        component(one, "patient:lesion", "day") / 1000, rel=1e-4
    )
    curve = fit_mixed(
        lesions, "y ~ day", "patient", nested="lesion: 1 + cr(day, df=2, constraints='center')"
    )
    assert curve.status != "not_estimable"
