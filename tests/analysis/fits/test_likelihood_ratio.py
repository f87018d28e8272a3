"""Likelihood-ratio tests: R's statistics, the mixture of each question, and the simulated null."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

from analysis import Fit, LikelihoodRatioTest, fit_mixed, likelihood_ratio_test
from analysis.errors import UserError


def fitted(frame: pl.DataFrame, formula: str = "y ~ day", random: str = "1", **options) -> Fit:
    return fit_mixed(frame, formula, "p", random, verify=False, **options)


def test_equals_r(small_trial):
    large = fitted(small_trial, random="1 + day")
    random = likelihood_ratio_test(large, fitted(small_trial))
    assert random.statistic == pytest.approx(24.6513155852, abs=1e-5)
    assert random.reference == "0.5 chi2(1) + 0.5 chi2(2)"
    half = 0.5 * (chi2.sf(random.statistic, 1) + chi2.sf(random.statistic, 2))
    assert random.p_value == pytest.approx(half)
    fixed = likelihood_ratio_test(large, fitted(small_trial, "y ~ 1", "1 + day"))
    assert (fixed.criterion, fixed.compared, fixed.df) == ("ML", "fixed effects", 1)
    assert fixed.statistic == pytest.approx(7.638416176, abs=1e-5)
    assert fixed.p_value == pytest.approx(chi2.sf(7.638416176, 1), rel=1e-4)
    assert LikelihoodRatioTest.from_dict(json.loads(json.dumps(fixed.to_dict()))) == fixed


@pytest.mark.parametrize(
    ("random", "options", "reference"),
    [
        ("1 + day", {"covariance": "diagonal"}, "0.5 chi2(0) + 0.5 chi2(1)"),
        ("1", {"nested": ("sex",)}, "0.5 chi2(0) + 0.5 chi2(1)"),
    ],
)
def test_each_question_has_its_mixture(small_trial, random, options, reference):
    frame = small_trial.with_columns(sex=pl.when(pl.col("day") < 2).then(1).otherwise(2))
    found = likelihood_ratio_test(fitted(frame, random=random, **options), fitted(frame))
    assert found.reference == reference
    assert found.df == 1
    assert found.p_value == pytest.approx(found.p_naive / 2)


def test_correlation_alone_is_an_ordinary_test(small_trial):
    large = fitted(small_trial, random="1 + day")
    small = fitted(small_trial, random="1 + day", covariance="diagonal")
    assert likelihood_ratio_test(large, small).reference == "chi2(1)"


def null_trial(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    patient, day = np.repeat(np.arange(12), 5), np.tile(np.arange(5.0), 12)
    y = rng.normal(size=12)[patient] + rng.normal(size=60)
    return pl.DataFrame({"p": patient, "day": day, "y": y})


def test_simulated_null_agrees_with_the_mixture(small_trial):
    frame = null_trial(1)
    large, small = fitted(frame, random="1 + day"), fitted(frame)
    one = likelihood_ratio_test(large, small)
    drawn = likelihood_ratio_test(large, small, method="bootstrap", replicates=1000, seed=2)
    assert drawn.reference == "parametric bootstrap"
    assert (drawn.replicates, drawn.n_failed) == (1000, 0)
    assert drawn.p_value == pytest.approx(one.p_value, abs=0.06)
    clear = fitted(small_trial, random="1 + day"), fitted(small_trial)
    assert likelihood_ratio_test(*clear, method="bootstrap", replicates=200).p_value == 1 / 201


def test_simulated_null_of_fixed_effects_corrects_a_small_trial(small_trial):
    large, small = fitted(small_trial, random="1 + day"), fitted(small_trial, "y ~ 1", "1 + day")
    one = likelihood_ratio_test(large, small)
    drawn = likelihood_ratio_test(large, small, method="bootstrap", replicates=2000, seed=1)
    # t with 11 degrees of freedom: 0.0159 instead of chi-square's 0.0057
    assert one.p_value < drawn.p_value
    assert drawn.p_value == pytest.approx(large.estimates[1].p_value, abs=0.008)


def test_several_variances_at_once_are_simulated():
    frame = null_trial(3).with_columns(half=pl.when(pl.col("day") < 2).then(1).otherwise(2))
    large = fitted(frame, random="1 + day", nested=("half",))
    found = likelihood_ratio_test(large, fitted(frame), replicates=200)
    assert found.reference == "parametric bootstrap"
    with pytest.raises(UserError, match="several variances at once have no known distribution"):
        likelihood_ratio_test(large, fitted(frame), method="asymptotic")


def test_refusals(small_trial):
    large, small = fitted(small_trial, random="1 + day"), fitted(small_trial)
    with pytest.raises(UserError, match="give the larger one first"):
        likelihood_ratio_test(small, large)
    with pytest.raises(UserError, match="test one at a time"):
        likelihood_ratio_test(large, fitted(small_trial, "y ~ 1"))
    with pytest.raises(UserError, match="the models are the same"):
        likelihood_ratio_test(small, small)
    with pytest.raises(UserError, match="saw different rows"):
        likelihood_ratio_test(large, fitted(small_trial.head(55)))
    with pytest.raises(UserError, match="one fit is REML and one is not"):
        likelihood_ratio_test(large, fitted(small_trial, reml=False))
    with pytest.raises(UserError, match="no method 'exact'"):
        likelihood_ratio_test(large, small, method="exact")
