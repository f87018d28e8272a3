"""Residuals correlated over visits or days against nlme, and what must not change them."""

import numpy as np
import polars as pl
import pytest

from analysis import fit_mixed
from analysis.errors import UserError


def test_continuous_autoregression_as_lme(single, component, column):
    # lme(y ~ day + arm, random = ~1 | patient, correlation = corCAR1(form = ~day | patient))
    fit = fit_mixed(single, "y ~ day + arm", "patient", residual="car1:day")
    assert fit.log_likelihood == pytest.approx(-28.7089295324, rel=1e-7)
    assert column(fit, "estimate") == pytest.approx(
        [1.546498809288, 0.242980969948, 0.358082362046], rel=1e-5
    )
    assert column(fit, "std_error") == pytest.approx(
        [0.5820099754886, 0.0544966141784, 0.8091478934616], rel=1e-4
    )
    assert component(fit, "Residual", "correlation at distance 1") == pytest.approx(
        0.4346181338, rel=1e-3
    )
    assert component(fit, "patient", "(Intercept)") == pytest.approx(1.108458239, rel=1e-3)


def test_autoregression_over_whole_visits_has_two_spellings(single, component, column):
    one = fit_mixed(single, "y ~ day", "patient", residual="ar1:day")
    two = fit_mixed(single, "y ~ day", "patient", residual="car1:day")
    assert component(one, "Residual", "correlation at distance 1") > 0
    assert one.criterion == pytest.approx(two.criterion, rel=1e-8)
    assert column(one, "std_error") == pytest.approx(column(two, "std_error"), rel=1e-5)


def test_days_and_hours_give_one_model(single, component):
    one = fit_mixed(single, "y ~ day", "patient", residual="car1:day")
    hours = single.with_columns(hour=pl.col("day") * 24)
    two = fit_mixed(hours, "y ~ day", "patient", residual="car1:hour")
    assert one.criterion == pytest.approx(two.criterion, rel=1e-9)
    rho = [component(fit, "Residual", "correlation at distance 1") for fit in (one, two)]
    assert rho[1] ** 24 == pytest.approx(rho[0], rel=1e-4)


def test_correlation_over_days_within_lesions_as_nlme(lesions, component, column):
    # lme(y ~ day, random = ~ 1 | patient/lesion, correlation = corCAR1(form = ~ day |
    # patient/lesion)), nlme 3.1-162
    fit = fit_mixed(lesions, "y ~ day", "patient", nested="lesion", residual="car1:day")
    assert fit.log_likelihood == pytest.approx(-79.364875077, abs=1e-6)
    assert column(fit, "estimate") == pytest.approx([1.9268892753, 0.2554868561], rel=1e-5)
    assert column(fit, "std_error") == pytest.approx([0.30388078691, 0.03180933875], rel=1e-4)
    assert component(fit, "Residual", None) == pytest.approx(0.4726715, rel=1e-3)
    assert component(fit, "Residual", "correlation at distance 1") == pytest.approx(
        0.59773374, rel=1e-3
    )


@pytest.mark.parametrize(
    ("residual", "message"),
    [
        ("toeplitz:day", "'unstructured:COLUMN'"),
        ("car1", "name the column"),
        ("independent:day", "takes no column"),
        ("car1:dya", "no column 'dya'"),
        ("car1:lesion", "must be a number"),
        ("ar1:half", "use 'car1' for time"),
    ],
)
def test_a_residual_that_does_not_exist(residual, message, single):
    with pytest.raises(UserError, match=message):
        fit_mixed(
            single.with_columns(half=pl.col("day") / 2), "y ~ day", "patient", residual=residual
        )


def test_a_correlation_of_zero_is_shown_as_zero_with_a_note(component):
    """Neighbors that go against each other: a positive correlation does not help anywhere."""
    rng = np.random.default_rng(5)
    patient, day = np.repeat(np.arange(12), 6), np.tile(np.arange(6.0), 12)
    y = rng.normal(0, 1, 12)[patient] + np.where(day % 2, 0.4, -0.4) + rng.normal(0, 0.3, 72)
    frame = pl.DataFrame({"patient": patient, "day": day, "y": y})
    fit = fit_mixed(frame, "y ~ day", "patient", residual="car1:day")
    assert component(fit, "Residual", "correlation at distance 1") == 0.0
    check = fit.check("boundary")
    assert (check.status, "estimated as zero" in check.message) == ("note", True)
    plain = fit_mixed(frame, "y ~ day", "patient", verify=False)
    assert fit.criterion == pytest.approx(plain.criterion, rel=1e-7)
    assert fit.estimates[1].df == pytest.approx(plain.estimates[1].df, rel=1e-3)
