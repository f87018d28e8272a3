"""The rule that chooses the inference, and what the result says about it."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import f

from analysis import Fit, bootstrap, fit_mixed, term_tests
from analysis.errors import UserError
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import chosen, joint_test


def trial(patients: int = 16, seed: int = 5) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 5)
    day = np.tile(np.arange(5.0), patients)
    effects = rng.normal(size=(patients, 2)) * [1.0, 0.5]
    y = 1 + 0.2 * day + effects[patient, 0] + effects[patient, 1] * day
    y = y + rng.normal(0, 0.3, len(day))
    return pl.DataFrame({"p": patient, "day": day, "arm": (patient % 2).astype(float), "y": y})


def fitted(**options) -> Fit:
    return fit_mixed(trial(), "y ~ day * arm", "p", "1 + day", verify=False, **options)


def test_the_default_joint_test_is_hotelling_where_that_is_exact():
    """Balanced visits and patients' own lines: the lines of two groups differ by Hotelling's T2 of
    the patients' own coefficients."""
    frame = trial()
    y = frame["y"].to_numpy().reshape(16, 5).T
    basis = np.column_stack([np.ones(5), np.arange(5.0)])
    own = np.linalg.lstsq(basis, y, rcond=None)[0].T
    first, second = own[0::2], own[1::2]
    centered = np.concatenate([first - first.mean(axis=0), second - second.mean(axis=0)])
    spread = centered.T @ centered / 14
    gap = second.mean(axis=0) - first.mean(axis=0)
    t2 = 8 * 8 / 16 * gap @ np.linalg.solve(spread, gap)
    exact = (14 - 2 + 1) / (14 * 2) * t2

    test = joint_test(fitted().design, "arm", np.eye(4)[[2, 3]])

    assert (test.kind, test.method, test.df) == ("F", "Kenward-Roger", 2)
    assert test.den_df == pytest.approx(13, rel=1e-4)
    assert test.statistic == pytest.approx(exact, rel=1e-4)
    assert test.p_value == pytest.approx(f.sf(exact, 2, 13), rel=1e-3)
    plain = joint_test(fitted(inference="satterthwaite").design, "arm", np.eye(4)[[2, 3]])
    assert plain.method == "Satterthwaite"
    assert plain.p_value < 0.95 * test.p_value


def test_a_single_effect_has_one_p_value():
    """The joint test of one effect is the t test of the table, squared."""
    fit = fitted()
    test = joint_test(fit.design, "day:arm", np.eye(4)[[3]])
    assert test.method == "Satterthwaite"
    assert test.statistic == pytest.approx(fit.estimates[3].statistic ** 2)
    assert test.p_value == pytest.approx(fit.estimates[3].p_value)


def test_without_reml_the_joint_test_is_satterthwaite():
    fit = fitted(reml=False)
    assert joint_test(fit.design, "arm", np.eye(4)[[2, 3]]).method == "Satterthwaite"
    assert "Kenward-Roger" not in fit.inference_note


def test_the_rule_says_which_and_why():
    choice = chosen("auto", reml=True)
    assert (choice.single, choice.joint) == ("satterthwaite", "kenward_roger")
    assert "at 12 patients it rejects a true null" in choice.note
    assert "Joint tests of several effects by Kenward-Roger" in choice.note
    assert chosen("wald", True)[:2] == ("wald", "wald")
    with pytest.raises(UserError, match="inference 'magic' does not exist"):
        chosen("magic", True)


def test_bootstrap_as_inference_gives_the_numbers_of_the_bootstrap():
    fit = fitted(inference="bootstrap", seed=3)
    rows = [row for row in bootstrap(fit, 1000, 3).estimates if row.part == "fixed effect"]
    for estimate, row in zip(fit.estimates, rows, strict=True):
        assert estimate.df is None
        for name in ("conf_low", "conf_high", "p_value"):
            assert getattr(estimate, name) == pytest.approx(getattr(row, name))
    assert fit.inference == "bootstrap"
    assert "1,000 replicates, seed 3" in fit.inference_note
    assert "parametric bootstrap" in fit.sentence
    other = fitted(inference="bootstrap", seed=4)
    assert other.estimates[1].conf_low != fit.estimates[1].conf_low
    satterthwaite = fitted().estimates[3]
    width = satterthwaite.conf_high - satterthwaite.conf_low
    assert fit.estimates[3].conf_low == pytest.approx(satterthwaite.conf_low, abs=0.1 * width)


def test_a_restored_bootstrap_fit_repeats_its_draws():
    fit = fitted(inference="bootstrap", seed=3)
    restored = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    assert restored == fit
    at, against = {"arm": 1.0, "day": 2.0}, {"arm": 0.0, "day": 2.0}
    again = restored.contrast(at, against, frame=trial())
    assert again.conf_low == pytest.approx(fit.contrast(at, against).conf_low, rel=1e-5)


@pytest.mark.parametrize("inference", ["auto", "bootstrap", "kenward_roger", "wald"])
def test_intervals_have_the_level_that_was_asked_for(inference):
    wide, narrow = (fitted(inference=inference, level=level) for level in (0.99, 0.8))
    assert (wide.conf_level, narrow.conf_level) == (0.99, 0.8)
    for one, other in zip(wide.estimates, narrow.estimates, strict=True):
        assert one.p_value == other.p_value
        assert one.conf_low < other.conf_low < other.conf_high < one.conf_high
    at = {"arm": 1.0}
    restored = Fit.from_dict(json.loads(json.dumps(wide.to_dict())))
    again = restored.contrast(at, frame=trial()).conf_low
    assert again == pytest.approx(wide.contrast(at).conf_low, rel=1e-4)
    rows = bootstrap(wide, 400).estimates, bootstrap(narrow, 400).estimates
    assert rows[0][-1].conf_low < rows[1][-1].conf_low
    with pytest.raises(UserError, match="level 95 must lie between 0 and 1"):
        fitted(level=95)


def singular_trial(seed: int) -> pl.DataFrame:
    """Few patients without anything between them."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(rng.integers(5, 9)), 4)
    day = np.tile(np.arange(4.0), len(patient) // 4)
    arm = np.array(["x", "y", "z"])[patient % 3]
    return pl.DataFrame({"p": patient, "day": day, "arm": arm, "y": rng.normal(size=len(day))})


def test_singular_fits_have_numbers_under_every_inference():
    methods = set()
    for seed in (*range(10), 114):
        for inference in ("auto", "kenward_roger"):
            fit = fit_mixed(
                singular_trial(seed), "y ~ day * arm", "p", "1 + day", inference=inference,
                verify=False,
            )  # fmt: skip
            for row in fit.estimates:
                assert row.p_value is not None
                assert row.df is None or row.df > 0
            for test in term_tests(fit).tests:
                assert np.isfinite(test.statistic)
                assert 0 <= test.p_value <= 1
                assert test.den_df is None or test.den_df > 0
                methods.add((inference, test.method))
    assert ("kenward_roger", "Kenward-Roger") in methods


@pytest.mark.parametrize("failure", [ZeroDivisionError, np.linalg.LinAlgError])
def test_satterthwaite_stands_in_where_kenward_roger_has_no_moments(monkeypatch, failure):
    """At degrees of freedom of 2, rounding decides whether they exist."""

    def without_moments(*_):
        raise failure

    fit = fitted(inference="kenward_roger").design
    rows = np.eye(4)[1:]
    monkeypatch.setattr(FittedMixed, "kenward_roger_test", without_moments)
    test = joint_test(fit, "all", rows)
    effects, covariance = fit.contrast(rows)
    assert test.method == "Satterthwaite"
    assert test.statistic == pytest.approx(effects @ np.linalg.solve(covariance, effects) / 3)
    assert test.p_value == pytest.approx(f.sf(test.statistic, 3, test.den_df))
