"""Bootstrap, permutation and leave-one-out: many refits in one call, and what they say."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import (
    BootstrapResult,
    Fit,
    PermutationResult,
    bootstrap,
    fit_mixed,
    permutation_test,
)
from analysis.errors import UserError
from analysis.fits.influence import KeyContrast, leave_one_out


def trial(seed: int = 1, patients: int = 24, effect: float = 0.0, irregular: bool = False):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 5)
    day = np.tile(np.arange(5.0), patients) + (rng.uniform(0, 0.3, len(patient)) * irregular)
    arm = np.where(patient % 2, "b", "a")
    level = rng.normal(0, 0.8, patients)[patient]
    y = 1 + 0.2 * day + effect * (arm == "b") + level + rng.normal(0, 0.5, len(day))
    names = np.char.add("P", patient.astype(str))
    return pl.DataFrame({"p": names, "day": day, "arm": arm, "y": y})


def fitted(frame: pl.DataFrame, **options) -> Fit:
    return fit_mixed(frame, "y ~ day * arm", "p", verify=False, **options)


def test_bootstrap_agrees_with_the_model():
    fit = fitted(trial(effect=1.0, irregular=True))
    result = bootstrap(fit, 2000, seed=3)
    assert (result.replicates, result.n_failed) == (2000, 0)
    fixed = [row for row in result.estimates if row.part == "fixed effect"]
    for row, estimate in zip(fixed, fit.estimates, strict=True):
        assert (row.term, row.estimate) == (estimate.term, pytest.approx(estimate.estimate))
        assert row.std_error == pytest.approx(estimate.std_error, rel=0.08)
        width = estimate.conf_high - estimate.conf_low
        assert row.conf_low == pytest.approx(estimate.conf_low, abs=0.08 * width)
        assert row.conf_high == pytest.approx(estimate.conf_high, abs=0.08 * width)
        assert row.p_value == pytest.approx(estimate.p_value, abs=0.05)
    named = {row.term: row for row in result.estimates if row.part != "fixed effect"}
    assert list(named) == ["p (Intercept)", "Residual", "ICC"]
    assert named["Residual"].estimate == pytest.approx(fit.variance_components[-1].variance)
    assert named["ICC"].estimate == pytest.approx(fit.icc)
    assert named["ICC"].conf_low < fit.icc < named["ICC"].conf_high
    # the residual variance is chi-square: its relative standard deviation is sqrt(2 / df)
    df = 24 * 4 - 2
    share = named["Residual"].std_error / named["Residual"].estimate
    assert share == pytest.approx(np.sqrt(2 / df), rel=0.08)


def test_bootstrap_is_repeatable_and_survives_json():
    fit = fitted(trial())
    one, other = bootstrap(fit, 200, seed=7), bootstrap(fit, 200, seed=7)
    assert one == other
    assert one != bootstrap(fit, 200, seed=8)
    assert BootstrapResult.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert one.table().columns[:3] == ["part", "term", "estimate"]


def test_restored_fits_take_their_data_again():
    frame = trial()
    fit = fitted(frame, covariance="diagonal")
    restored = Fit.from_dict(json.loads(json.dumps(fit.to_dict())))
    with pytest.raises(UserError, match="restored without its data; give them as frame"):
        bootstrap(restored, 100)
    assert bootstrap(restored, 100, frame=frame) == bootstrap(fit, 100)
    same = permutation_test(restored, "arm", 99, frame=frame)
    assert same == permutation_test(fit, "arm", 99)
    with pytest.raises(UserError, match="does not give the stored fit again"):
        bootstrap(restored, 100, frame=trial(seed=9))


def test_permutation_agrees_with_satterthwaite_where_both_hold():
    fit = fitted(trial(effect=0.6, irregular=True))
    result = permutation_test(fit, "arm", 1999, seed=1, terms="interaction")
    wald = fit.estimates[-1]
    assert result.statistic == pytest.approx(wald.statistic**2, rel=1e-4)
    assert result.p_value == pytest.approx(wald.p_value, abs=0.04)
    assert (result.df, result.n_failed) == (1, 0)
    both = permutation_test(fit, "arm", 999, seed=1)
    assert both.df == 2
    assert PermutationResult.from_dict(json.loads(json.dumps(both.to_dict()))) == both


@pytest.mark.parametrize("terms", ["any", "interaction"])
def test_variances_of_the_null_model_give_the_same_answer_fast(terms):
    fit = fitted(trial(effect=0.6, irregular=True))
    slow, fast = (
        permutation_test(fit, "arm", 1999, 1, terms=terms, variances=variances)
        for variances in ("refitted", "null")
    )
    assert fast.p_value == pytest.approx(slow.p_value, abs=0.02)
    assert "variances of the model without the label" in fast.note
    assert fast.n_failed == 0


def test_a_statistic_with_null_variances_is_generalized_least_squares():
    """By dense algebra: V of the model without the label, F of the label's terms."""
    frame = trial(effect=0.6, irregular=True)
    found = permutation_test(fitted(frame), "arm", 99, terms="any", variances="null")
    null = fit_mixed(frame, "y ~ day", "p", verify=False).design
    design = fitted(frame).design.design
    same = design.patient[:, None] == design.patient
    v = np.eye(frame.height) + null.block[0, 0] / null.sigma2 * same
    x, y = design.matrices.x, design.matrices.y
    inverse = np.linalg.inv(v)
    covariance = np.linalg.inv(x.T @ inverse @ x)
    beta = covariance @ x.T @ inverse @ y
    rest = y - x @ beta
    sigma2 = rest @ inverse @ rest / (frame.height - 4)
    part = beta[2:]
    expected = part @ np.linalg.solve(covariance[2:, 2:], part) / 2 / sigma2
    assert list(design.matrices.x_names[2:]) == ["arm[T.b]", "day:arm[T.b]"]
    assert found.statistic == pytest.approx(expected, rel=1e-5)


def test_permutation_sees_a_clear_difference():
    result = permutation_test(fitted(trial(effect=4.0)), "arm", 499, seed=2)
    assert result.p_value == 1 / 500


def test_permutation_of_one_arrangement_is_a_plain_refit():
    """The statistic of relabelled patients is that of a fit to the relabelled frame."""
    from analysis.fits.permutation import _labels, _statistics

    frame = trial(effect=0.5, irregular=True)
    fit = fitted(frame)
    codes, values = _labels(fit.design, "arm")
    turned = np.roll(codes, 3)
    found = _statistics(fit.design, "arm", values, turned[None], [2])[0]
    names = dict(zip(fit.design.design.labels, (values[code] for code in turned), strict=True))
    arm = pl.col("p").replace_strict(names).alias("arm")
    again = fitted(frame.with_columns(arm))
    assert found == pytest.approx(again.estimates[2].statistic ** 2, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"variable": "day"}, "'day' changes within a patient"),
        ({"variable": "dose"}, "the model has no term with 'dose'"),
        ({"variable": "arm", "terms": "all"}, "terms 'all' does not exist"),
        ({"variable": "arm", "replicates": 5}, "5 are too few"),
        ({"variable": "arm", "variances": "known"}, "variances 'known' does not exist"),
    ],
)
def test_permutation_says_what_it_cannot_do(options, said):
    with pytest.raises(UserError, match=said):
        permutation_test(fitted(trial()), **options)


def test_a_fit_without_numbers_is_not_repeated():
    fit = fitted(trial(patients=3))
    with pytest.raises(UserError, match="the fit has no numbers"):
        bootstrap(fit, 100)


@pytest.mark.parametrize("inference", ["satterthwaite", "kenward_roger", "robust"])
@pytest.mark.parametrize("irregular", [True, False])
def test_leave_one_out_is_a_refit_without_the_patient(irregular, inference):
    frame = trial(effect=0.7, irregular=irregular, patients=9)
    frame = frame.filter((pl.col("p") > "P1") | (pl.col("day") > 1))
    fit = fitted(frame, inference=inference)
    row = np.array([0.0, 0.0, 1.0, 2.0])
    points = leave_one_out(fit.design, KeyContrast(row, float(row @ fit.design.beta), False))
    assert [point.usubjid for point in points] == sorted(frame["p"].unique())
    for point in points:
        alone = fitted(frame.filter(pl.col("p") != point.usubjid), inference=inference).design
        from analysis.fits.inference import tested

        expected = tested(alone, row[None])
        assert point.ratio == pytest.approx(float(expected.estimate[0]), rel=1e-6)
        assert point.conf_low == pytest.approx(float(expected.conf_low[0]), rel=1e-4)
        assert point.conf_high == pytest.approx(float(expected.conf_high[0]), rel=1e-4)
