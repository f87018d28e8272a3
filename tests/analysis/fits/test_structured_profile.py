"""Profile-likelihood intervals of structured fits: R, closed forms, and the plain engine's."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import ProfileIntervals, fit_mixed, profile_intervals

FORMULA = "y ~ day * arm"
QUANTILE = 3.841458820694124


def limits(fit, *parts: str) -> dict[str, tuple[float | None, float | None]]:
    found = profile_intervals(fit, parts or ("fixed effect", "standard deviation", "correlation"))
    return {row.term: (row.conf_low, row.conf_high) for row in found.intervals}


def test_a_correlation_over_time_as_nlme(uneven):
    """ML: 2 * (logLik(m) - logLik(update(m, correlation = corCAR1(r, form = ~day | p, fixed =
    TRUE)))) = qchisq(0.95, 1) at these r; and for day:arm 3.84144188721 is lost at -0.1136903"""
    fit = fit_mixed(uneven, FORMULA, "p", residual="car1:day")
    found = limits(fit)
    assert found["Residual at distance 1"] == pytest.approx(
        (0.745440129727, 0.973758808072), rel=1e-5
    )
    assert found["day:arm[T.b]"] == pytest.approx((-0.1136903, -0.00155575885), rel=1e-5)
    # Without the intercept 1.71678293157 is lost, less than the quantile: gls, by ML.
    assert found["p (Intercept)"][0] == 0.0


def test_a_variance_by_assay_as_nlme(uneven):
    """uniroot as above with weights = varIdent(form = ~1 | assay)"""
    found = limits(fit_mixed(uneven, FORMULA, "p", residual="by:assay"), "fixed effect")
    assert found["day:arm[T.b]"] == pytest.approx((-0.0794670687361, -0.0110138877423), rel=1e-5)


def test_weights_as_lmer(uneven):
    """confint(lmer(y ~ day * arm + (1 | p), weights = weight, REML = FALSE), devtol = 1e-9)"""
    found = limits(fit_mixed(uneven, FORMULA, "p", weights="weight"))
    assert found["p (Intercept)"] == pytest.approx((0.542819012363, 1.3623664742458), rel=1e-4)
    assert found["Residual"] == pytest.approx((0.8272909172811, 1.1958846109996), rel=1e-4)


def test_crossed_readers_as_lmer(single):
    """confint(lmer(y ~ day + (1 | patient) + (1 | reader), REML = FALSE)); it interpolates"""
    found = limits(fit_mixed(single, "y ~ day", "patient", crossed="reader"))
    assert found["patient (Intercept)"] == pytest.approx((0.645077551740, 1.827059053943), rel=1e-4)
    assert found["reader"] == pytest.approx((0.0, 0.521474450887), rel=1e-4)
    assert found["Residual"] == pytest.approx((0.268942841358, 0.497567314968), rel=1e-4)
    assert found["day"] == pytest.approx((0.162360269202, 0.336425445258), rel=1e-4)


def test_slopes_of_lesions_as_lmer(lesions):
    """confint(lmer(y ~ day + (1 | patient) + (day | patient:lesion), REML = FALSE)); it
    interpolates"""
    found = limits(fit_mixed(lesions, "y ~ day", "patient", nested="lesion: 1 + day"))
    assert found["patient (Intercept)"] == pytest.approx((0.3305000570, 1.4013458995), rel=1e-4)
    assert found["patient:lesion (Intercept)"] == pytest.approx(
        (0.4199456687, 0.9258490644), rel=1e-4
    )
    assert found["patient:lesion day"] == pytest.approx((0.0798623934, 0.2072200444), rel=2e-4)
    assert found["patient:lesion day, (Intercept)"] == pytest.approx(
        (-0.2078932034, 0.9561477887), rel=1e-3
    )
    assert found["Residual"] == pytest.approx((0.2351513342, 0.3514560440), rel=1e-5)


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_a_structure_that_is_none_has_the_intervals_of_the_plain_fit(uneven, covariance):
    frame = uneven.with_columns(same=pl.lit("x"))
    asked = {"random": "1 + day", "covariance": covariance}
    plain = limits(fit_mixed(frame, FORMULA, "p", verify=False, **asked))
    found = limits(fit_mixed(frame, FORMULA, "p", residual="by:same", **asked))
    found["Residual"] = found.pop("Residual x")
    assert set(found) == set(plain)
    for name, ends in plain.items():
        assert found[name] == pytest.approx(ends, rel=1e-4)


def test_two_visits_have_closed_forms():
    """n (s2 / v - 1 - log(s2 / v)) is lost at a variance v, and at a correlation rho
    n log((1 - rho r)^2 / ((1 - rho^2) (1 - r^2))), r and s2 by maximum likelihood."""
    rng = np.random.default_rng(6)
    n = 25
    values = rng.multivariate_normal([1.0, 2.0], [[1.0, 0.9], [0.9, 2.0]], n)
    frame = pl.DataFrame(
        {"p": np.repeat(np.arange(n), 2), "visit": ["v1", "v2"] * n, "y": values.ravel()}
    )
    found = limits(fit_mixed(frame, "y ~ visit", "p", residual="unstructured:visit"))
    s2 = np.cov(values.T, bias=True)
    for name, own in (("Residual v1", s2[0, 0]), ("Residual v2", s2[1, 1])):
        for end in found[name]:
            ratio = own / end**2
            assert n * (ratio - 1 - np.log(ratio)) == pytest.approx(QUANTILE, rel=1e-4)
    r = s2[0, 1] / np.sqrt(s2[0, 0] * s2[1, 1])
    for rho in found["Residual v2, v1"]:
        lost = n * np.log((1 - rho * r) ** 2 / ((1 - rho**2) * (1 - r**2)))
        assert lost == pytest.approx(QUANTILE, rel=1e-4)


def test_no_other_column_is_left_when_the_only_effect_is_held(uneven):
    found = limits(fit_mixed(uneven, "y ~ 1", "p", residual="car1:day"), "fixed effect")
    low, high = found["Intercept"]
    assert low < 2.6 < high


def test_the_result_is_stored(uneven):
    fit = fit_mixed(uneven, "y ~ day", "p", residual="by:assay")
    found = profile_intervals(fit)
    assert found.sentence.startswith("By profile likelihood")
    assert ProfileIntervals.from_dict(json.loads(json.dumps(found.to_dict()))) == found
