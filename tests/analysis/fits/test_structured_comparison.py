"""Likelihood-ratio tests of structured fits: statistics as R's, the reference each question has."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Fit, LikelihoodRatioTest, fit_mixed, likelihood_ratio_test
from analysis.errors import UserError

EDGE, SLOPE = "0.5 chi2(0) + 0.5 chi2(1)", "0.5 chi2(1) + 0.5 chi2(2)"


@pytest.fixture(scope="module")
def of_days(uneven):
    return lambda formula="y ~ day * arm", **asked: fit_mixed(
        uneven, formula, "p", verify=False, **asked
    )


@pytest.fixture(scope="module")
def of_lesions(lesions):
    return lambda **asked: fit_mixed(lesions, "y ~ day", "patient", verify=False, **asked)


def test_residual_structures_as_nlme(of_days):
    """2 * (logLik(lme(y ~ day * arm, ~1 | p, correlation = corCAR1(form = ~day | p))) -
    logLik(lme(y ~ day * arm, ~1 | p))); the same with weights = varIdent(form = ~1 | assay), and
    with ~day | p against ~1 | p under those weights"""
    plain = of_days()
    over_time = likelihood_ratio_test(of_days(residual="car1:day"), plain)
    assert over_time.statistic == pytest.approx(19.5268223919, rel=1e-6)
    assert (over_time.df, over_time.reference, over_time.criterion) == (1, EDGE, "REML")
    assert over_time.null == "y ~ day * arm + (1 | p)"
    assert over_time.full == "y ~ day * arm + (1 | p), residual car1:day"
    assert over_time.compared == "residual structure"
    by_assay = of_days(residual="by:assay")
    groups = likelihood_ratio_test(by_assay, plain)
    assert groups.statistic == pytest.approx(1.96051319013, rel=1e-6)
    assert (groups.df, groups.reference) == (1, "chi2(1)")
    assert groups.p_value == groups.p_naive
    slope = likelihood_ratio_test(of_days(residual="by:assay", random="1 + day"), by_assay)
    assert slope.statistic == pytest.approx(27.7284278078, rel=1e-6)
    assert (slope.df, slope.reference) == (2, SLOPE)


def test_fixed_effects_by_maximum_likelihood_as_nlme(of_days):
    """2 * (logLik(lme(y ~ day * arm, ..., method = "ML")) - logLik(lme(y ~ day, ..., "ML")))"""
    found = likelihood_ratio_test(
        of_days(residual="car1:day"), of_days("y ~ day", residual="car1:day")
    )
    assert found.statistic == pytest.approx(4.15160315496, rel=1e-6)
    assert (found.compared, found.criterion, found.reference) == ("fixed effects", "ML", "chi2(2)")


def test_readers_and_slopes_of_lesions_as_lmer(of_lesions):
    """2 * (logLik(lmer(y ~ day + (1 | patient) + (1 | patient:lesion) + (1 | reader))) -
    logLik(lmer(y ~ day + (1 | patient) + (1 | patient:lesion)))); the same with
    (day | patient:lesion)"""
    plain = of_lesions(nested="lesion")
    readers = likelihood_ratio_test(of_lesions(nested="lesion", crossed="reader"), plain)
    assert readers.statistic == pytest.approx(0.110826802676, rel=1e-4)
    assert (readers.df, readers.reference) == (1, EDGE)
    assert readers.p_value == pytest.approx(readers.p_naive / 2)
    slopes = likelihood_ratio_test(of_lesions(nested="lesion: 1 + day"), plain)
    assert slopes.statistic == pytest.approx(17.0476173305, rel=1e-6)
    assert (slopes.df, slopes.reference) == (2, SLOPE)
    assert slopes.full == "y ~ day + (1 | patient) + (1 + day | patient:lesion)"


def test_an_unstructured_covariance_holds_what_depends_on_visits_alone(of_days):
    whole = of_days(residual="unstructured:day")
    for small, df in ((of_days(), 19), (of_days(residual="car1:day"), 18)):
        found = likelihood_ratio_test(whole, small)
        assert (found.df, found.reference) == (df, f"chi2({df})")
        assert found.statistic == pytest.approx(small.criterion - whole.criterion)
    assert likelihood_ratio_test(whole, of_days(residual="by:day")).df == 14
    with pytest.raises(UserError, match="not nested"):
        likelihood_ratio_test(whole, of_days(residual="by:assay"))


def test_coarser_groups_lie_inside_finer_ones(uneven):
    frame = uneven.with_columns(fine=pl.col("assay") + pl.col("arm"))
    fine, coarse, other = (
        fit_mixed(frame, "y ~ day", "p", residual=f"by:{name}") for name in ("fine", "assay", "arm")
    )
    found = likelihood_ratio_test(fine, coarse)
    assert (found.df, found.reference) == (2, "chi2(2)")
    for large, small in ((other, coarse), (coarse, fine)):
        with pytest.raises(UserError, match="not nested"):
            likelihood_ratio_test(large, small)


def test_a_random_intercept_beside_a_correlation_over_time(of_days):
    alone = of_days(residual="car1:day", random="0")
    found = likelihood_ratio_test(of_days(residual="car1:day"), alone)
    assert (found.df, found.reference) == (1, EDGE)
    assert found.null == "y ~ day * arm, residual car1:day"
    with pytest.raises(UserError, match="not nested"):
        likelihood_ratio_test(of_days(), alone)


def test_several_variances_at_once_are_simulated(of_lesions):
    large, small = of_lesions(nested="lesion: 1 + day", crossed="reader"), of_lesions()
    with pytest.raises(UserError, match="several variances at once"):
        likelihood_ratio_test(large, small, method="asymptotic")
    found = likelihood_ratio_test(large, small, replicates=140, seed=1)
    assert (found.reference, found.replicates, found.df) == ("parametric bootstrap", 140, 4)
    assert found.n_failed == 0
    assert found.p_value == pytest.approx(1 / 141)
    assert LikelihoodRatioTest.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_the_simulated_reference_of_a_correlation_is_its_mixture(of_days):
    """Half of the trials without a correlation have none at their optimum."""
    large, small = of_days("y ~ 1", residual="car1:day"), of_days("y ~ 1")
    found = likelihood_ratio_test(large, small, method="bootstrap", replicates=120, seed=3)
    assert found.p_value < 0.02
    assert found.n_failed == 0


def test_weights_must_be_the_same(of_days):
    with pytest.raises(UserError, match="not nested"):
        likelihood_ratio_test(of_days(weights="weight", residual="car1:day"), of_days())


def test_restored_fits_are_compared_from_their_data(of_days, uneven):
    fits = of_days(residual="car1:day"), of_days()
    stored = [Fit.from_dict(json.loads(json.dumps(fit.to_dict()))) for fit in fits]
    found = likelihood_ratio_test(*stored, frame=uneven)
    assert found.statistic == pytest.approx(19.5268223919, rel=1e-5)


def test_a_structure_that_is_none_has_the_likelihood_of_the_plain_fit(uneven):
    frame = uneven.with_columns(even=pl.lit(2.0))
    fits = {
        random: [
            fit_mixed(frame, "y ~ day", "p", random, weights="even"),
            fit_mixed(frame, "y ~ day", "p", random, verify=False),
        ]
        for random in ("1", "1 + day")
    }
    one, other = (
        likelihood_ratio_test(fits["1 + day"][index], fits["1"][index]) for index in (0, 1)
    )
    np.testing.assert_allclose(one.statistic, other.statistic, rtol=1e-6)
    assert (one.df, one.reference) == (other.df, other.reference)
