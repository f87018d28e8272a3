"""What must not change the answer: scale, shift, row order, names; and what must, by how much."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import Fit, fit_mixed

FORMULA = "y ~ day * arm"


def trial(seed: int = 4, patients: int = 14) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 6)
    day = np.tile(np.arange(6.0), patients) + rng.uniform(0, 0.4, 6 * patients)
    effects = rng.normal(size=(patients, 2)) * [0.8, 0.2]
    y = 1 + 0.2 * day + effects[patient, 0] + effects[patient, 1] * day
    y = y + rng.normal(0, 0.4, len(day))
    return pl.DataFrame({"p": patient, "day": day, "arm": (patient % 2).astype(float), "y": y})


def fitted(frame: pl.DataFrame, random: str = "1 + day", **options) -> Fit:
    return fit_mixed(frame, FORMULA, "p", random, verify=False, **options)


def columns(fit: Fit, name: str) -> np.ndarray:
    return np.array([getattr(estimate, name) for estimate in fit.estimates])


PLAIN = trial()


@settings(max_examples=15, deadline=None)
@given(
    factor=st.sampled_from([1e-9, 1e-3, 0.5, 7.0, 1e4, 1e9]),
    shift=st.floats(-1e3, 1e3),
    stretch=st.sampled_from([1e-3, 0.1, 24.0, 1e4]),
    inference=st.sampled_from(["satterthwaite", "kenward_roger", "wald"]),
)
def test_units_of_outcome_and_time_change_no_test(factor, shift, stretch, inference):
    plain = fitted(PLAIN, inference=inference)
    moved = fitted(
        PLAIN.with_columns(y=factor * (pl.col("y") + shift), day=stretch * pl.col("day")),
        inference=inference,
    )
    for name in ("statistic", "p_value"):
        ours, theirs = columns(plain, name)[1:], columns(moved, name)[1:]
        np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-12)
    if inference != "wald":
        np.testing.assert_allclose(columns(moved, "df")[1:], columns(plain, "df")[1:], rtol=1e-4)
    scale = factor / np.array([1.0, stretch, 1.0, stretch])[1:]
    expected = columns(plain, "estimate")[1:] * scale
    np.testing.assert_allclose(columns(moved, "estimate")[1:], expected, rtol=1e-5)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_and_the_names_of_patients_change_nothing(seed):
    rng = np.random.default_rng(seed)
    names = rng.permutation(14) + 100
    mixed = PLAIN.with_columns(p=pl.Series(names[PLAIN["p"].to_numpy()]))
    mixed = mixed.sample(fraction=1.0, shuffle=True, seed=seed)
    plain, other = fitted(PLAIN), fitted(mixed)
    assert other.criterion == pytest.approx(plain.criterion, abs=1e-8)
    for name in ("estimate", "std_error", "df", "p_value"):
        np.testing.assert_allclose(columns(other, name), columns(plain, name), rtol=1e-5)


def test_every_patient_twice_doubles_the_likelihood():
    """Under ML the optimum stays, the criterion doubles and variances of estimates halve."""
    twice = pl.concat([PLAIN, PLAIN.with_columns(p=pl.col("p") + 100)])
    plain, double = fitted(PLAIN, reml=False), fitted(twice, reml=False)
    assert double.criterion == pytest.approx(2 * plain.criterion, rel=1e-9)
    np.testing.assert_allclose(columns(double, "estimate"), columns(plain, "estimate"), rtol=1e-6)
    errors = columns(plain, "std_error") / np.sqrt(2)
    np.testing.assert_allclose(columns(double, "std_error"), errors, rtol=1e-6)
    np.testing.assert_allclose(columns(double, "df"), 2 * columns(plain, "df"), rtol=1e-4)


def test_a_trial_of_many_patients_has_the_normal_reference():
    fit = fitted(trial(patients=600))
    wald = fitted(trial(patients=600), inference="wald")
    assert columns(fit, "df").min() > 400
    np.testing.assert_allclose(columns(fit, "conf_low"), columns(wald, "conf_low"), rtol=5e-3)


def test_the_result_says_which_inference_and_why():
    assert fitted(PLAIN).inference == "satterthwaite"
    assert fitted(PLAIN).inference_note.startswith("Chosen by default, at every number of patients")
    asked = fitted(PLAIN, inference="kenward_roger")
    assert asked.inference_note.startswith("t and F tests with Kenward-Roger")
    assert fitted(PLAIN, inference="wald").check("inference").status == "note"
    assert "Satterthwaite t" in fitted(PLAIN).sentence


def test_kenward_roger_is_never_more_certain_than_the_plain_errors():
    """Its correction adds the uncertainty of the variances: errors grow, a little."""
    ratio = columns(fitted(PLAIN, inference="kenward_roger"), "std_error") / columns(
        fitted(PLAIN), "std_error"
    )
    assert ratio.min() > 1 - 1e-9
    assert ratio.max() < 1.05


def test_level_of_the_default_test_in_small_null_trials():
    """4,000 null trials of 12 patients: Satterthwaite holds its level, Wald does not."""
    from analysis.fits.replicates import retested

    rng = np.random.default_rng(11)
    patient, day = np.repeat(np.arange(12), 5), np.tile(np.arange(5.0), 12)
    y = rng.normal(size=(4000, 12))[:, patient] + rng.normal(size=(4000, 60))
    frame = pl.DataFrame({"p": patient, "day": day, "arm": (patient % 2) * 1.0, "y": y[0]})
    tested = retested(fitted(frame, "1").design, y, np.array([[0.0, 0.0, 1.0, 2.0]]))
    assert np.isfinite(tested.p_value).all()
    share = float((tested.p_value < 0.05).mean())
    wald = float((np.abs(tested.statistic) > 1.96).mean())
    assert 0.04 < share < 0.06
    assert wald > 0.068
