"""The sentences of simulated and profile inference, literally, and that results carry them."""

import json

import pytest

from analysis import (
    bootstrap,
    cluster_bootstrap,
    fit_mixed,
    likelihood_ratio_test,
    permutation_test,
    profile_intervals,
)
from analysis.fits.bootstrap import BootstrapEstimate, BootstrapResult
from analysis.fits.inference_sentences import (
    bootstrap_sentence,
    permutation_sentence,
    profile_sentence,
    ratio_test_sentence,
)
from analysis.fits.likelihood_ratio import LikelihoodRatioTest
from analysis.fits.permutation import PermutationResult
from analysis.fits.profile import ProfileInterval, ProfileIntervals

ROWS = (
    BootstrapEstimate("fixed effect", "Intercept", 2.6, 0.1, 2.4, 2.9, 0.001),
    BootstrapEstimate("fixed effect", "arm[T.b]", 0.281, 0.2, -0.1, 0.68, 0.189),
    BootstrapEstimate("variance", "Residual", 1.1, 0.1, 0.9, 1.3, None),
    BootstrapEstimate("share", "ICC", 0.52, 0.1, 0.31, 0.71, None),
)


def test_bootstrap() -> None:
    said = bootstrap_sentence("trials (parametric bootstrap", ROWS, 1000, 0, 7, 0.95, 24, 192)
    assert said == (
        "From 1,000 trials (parametric bootstrap, seed 7; 24 patients, 192 observations), "
        "95 % CI: arm[T.b] 0.28 (-0.10 to 0.68, p 0.19); ICC 0.52 (0.31 to 0.71)."
    )
    said = bootstrap_sentence("trials (parametric bootstrap", ROWS, 1000, 12, 7, 0.9, 24, 192)
    assert said.startswith(
        "From 988 trials (parametric bootstrap, seed 7, 12 more could not be fitted; 24 patients"
    )
    assert "90 % CI" in said


def test_many_effects_are_left_to_the_table() -> None:
    rows = [ROWS[1]] * 4 + [ROWS[3]]
    said = bootstrap_sentence("trials (parametric bootstrap", rows, 100, 0, 0, 0.95, 2, 1)
    assert said.endswith("4 fixed effects in the table; ICC 0.52 (0.31 to 0.71).")
    assert "2 patients, 1 observation)" in said


def test_profile() -> None:
    rows = (
        ProfileInterval("fixed effect", "Intercept", 2.6, 2.4, 2.9),
        ProfileInterval("fixed effect", "day", 0.24, 0.0836, 0.396),
        ProfileInterval("standard deviation", "p (Intercept)", 1.13, 0.758, None),
        ProfileInterval("correlation", "p day, (Intercept)", 0.2, -0.3, 0.7),
        ProfileInterval("standard deviation", "Residual", None, None, None),
    )
    assert profile_sentence(rows, 0.95, 12, 60) == (
        "By profile likelihood (maximum likelihood, nothing simulated; 12 patients, 60 "
        "observations), 95 % CI: day 0.24 (0.084 to 0.40); SD of p (Intercept) 1.1 (0.76 to no "
        "limit found); SD of Residual not estimable."
    )
    alone = profile_sentence(rows[3:4], 0.95, 12, 60)
    assert alone.endswith("95 % CI: no parameter was asked for.")


def test_likelihood_ratio() -> None:
    facts = (24, 192)
    assert ratio_test_sentence("random part", 9.2, 0.003, "0.5 chi2(0) + 0.5 chi2(1)", 0, 0, None,
                               *facts) == (
        "The larger random part fits better than the smaller one (likelihood-ratio test, statistic "
        "9.2 against 0.5 chi2(0) + 0.5 chi2(1); p 0.0030; 24 patients, 192 observations)."
    )  # fmt: skip
    assert ratio_test_sentence("fixed effects", 2.4, 0.12, "parametric bootstrap", 500, 3, 9,
                               *facts) == (
        "The larger set of fixed effects is not shown to fit better than the smaller one "
        "(likelihood-ratio test, statistic 2.4 against 497 trials simulated from the smaller "
        "model, seed 9, 3 more could not be fitted; p 0.12; 24 patients, 192 observations)."
    )  # fmt: skip


def test_permutation() -> None:
    assert permutation_sentence("arm", "any", 0.031, 999, 0, 1, 24, 192) == (
        "The outcome differs by arm (permutation of patients' labels, 999 relabelled trials, seed "
        "1; p 0.031; 24 patients, 192 observations)."
    )
    assert permutation_sentence("arm", "interaction", 0.4, 999, 4, 1, 24, 192) == (
        "The course of the outcome is not shown to differ by arm (permutation of patients' labels, "
        "995 relabelled trials, seed 1, 4 more could not be fitted; p 0.40; 24 patients, 192 "
        "observations)."
    )


@pytest.fixture(scope="module")
def fits(small_trial):
    formula = "y ~ day + sex"
    return [fit_mixed(small_trial, formula, "p", part, verify=False) for part in ("1", "1 + day")]


def test_results_carry_their_sentence_and_their_patients(fits) -> None:
    """In JSON too; a result stored before they had one still reads."""
    small, large = fits
    found = [
        (BootstrapResult, bootstrap(small, 100, seed=3), "parametric bootstrap, seed 3"),
        (BootstrapResult, cluster_bootstrap(small, 100, seed=3, strata="sex"),
         "whole patients drawn again within sex (cluster bootstrap, seed 3"),
        (ProfileIntervals, profile_intervals(small), "By profile likelihood"),
        (LikelihoodRatioTest, likelihood_ratio_test(large, small), "0.5 chi2(1) + 0.5 chi2(2)"),
        (LikelihoodRatioTest,
         likelihood_ratio_test(large, small, method="bootstrap", replicates=100, seed=5),
         "simulated from the smaller model, seed 5"),
        (PermutationResult, permutation_test(small, "sex", 99, seed=2), "by sex (permutation"),
    ]  # fmt: skip
    for kind, result, words in found:
        assert words in result.sentence
        assert "12 patients, 60 observations" in result.sentence
        assert (result.n_subjects, result.n_observations) == (12, 60)
        content = json.loads(json.dumps(result.to_dict(), allow_nan=False))
        assert kind.from_dict(content) == result
        for name in ("sentence", "n_subjects", "n_observations"):
            del content[name]
        assert kind.from_dict(content).sentence == ""
