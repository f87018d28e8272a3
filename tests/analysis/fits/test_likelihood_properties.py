"""Laws of the likelihood: it adds over patients, knows no coding, and grows with copies."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import Fit, fit_mixed, permutation_test
from analysis.engine.likelihood import moments
from analysis.engine.products import cross_products, pooled
from analysis.engine.structure import RandomStructure
from analysis.fits.inference import joint_test

STRUCTURES = st.sampled_from(
    [
        RandomStructure(1),
        RandomStructure(2),
        RandomStructure(3, diagonal=True),
        RandomStructure(2, nested=(2,)),
    ]
)


def rows(seed: int, structure: RandomStructure, patients: int = 9):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(3, 7, patients))
    n, width = len(patient), structure.n_columns
    z, x = rng.normal(size=(n, width)), np.column_stack([np.ones(n), rng.normal(size=n)])
    return z, x, rng.normal(size=n), patient


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), structure=STRUCTURES, share=st.integers(1, 8))
def test_the_likelihood_of_a_trial_is_the_sum_of_its_parts(seed, structure, share):
    """At given variances every sum of the likelihood adds over any split of the patients."""
    z, x, y, patient = rows(seed, structure)
    theta = np.random.default_rng(seed).normal(size=(1, structure.n_parameters))
    first = np.random.default_rng(seed + 1).permutation(9)[:share]

    def part(chosen: np.ndarray):
        codes = np.unique(patient[chosen], return_inverse=True)[1]
        products = cross_products(z[chosen], x[chosen], y[chosen], codes)
        return moments(theta, pooled(products), structure)

    whole = part(np.ones(len(y), dtype=bool))
    one, other = part(np.isin(patient, first)), part(~np.isin(patient, first))
    for name in whole._fields[:-1]:
        total = getattr(one, name) + getattr(other, name)
        np.testing.assert_allclose(total, getattr(whole, name), rtol=1e-7, atol=1e-8)


def trial(seed: int = 6, patients: int = 14) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 6)
    day = np.tile(np.arange(6.0), patients) + rng.uniform(0, 0.4, 6 * patients)
    effects = rng.normal(size=(patients, 2)) * [0.8, 0.2]
    y = 1 + 0.2 * day + effects[patient, 0] + effects[patient, 1] * day
    arm = np.array(["a", "b", "c"])[patient % 3]
    side = np.where(np.arange(len(day)) % 2, "left", "right")
    y = y + rng.normal(0, 0.4, len(day))
    return pl.DataFrame({"p": patient, "day": day, "arm": arm, "side": side, "y": y})


def fitted(frame: pl.DataFrame, formula: str = "y ~ day * arm", **options) -> Fit:
    return fit_mixed(frame, formula, "p", options.pop("random", "1 + day"), verify=False, **options)


@settings(max_examples=8, deadline=None)
@given(
    copies=st.integers(2, 6),
    options=st.sampled_from(
        [{}, {"covariance": "diagonal"}, {"random": "1"}, {"random": "1", "nested": ("side",)}]
    ),
)
def test_copies_of_every_patient(copies, options):
    """Under ML the optimum stays and the information grows with the number of copies: standard
    errors fall with its root and degrees of freedom grow with it, towards the normal reference."""
    frame = trial()
    many = pl.concat([frame.with_columns(p=pl.col("p") + 100 * k) for k in range(copies)])
    one, more = fitted(frame, reml=False, **options), fitted(many, reml=False, **options)
    assert more.criterion == pytest.approx(copies * one.criterion, rel=1e-8)
    for first, second in zip(one.estimates, more.estimates, strict=True):
        assert second.estimate == pytest.approx(first.estimate, rel=1e-5, abs=1e-8)
        assert second.std_error == pytest.approx(first.std_error / np.sqrt(copies), rel=1e-5)
        assert second.df == pytest.approx(first.df * copies, rel=1e-3)
    for first, second in zip(one.variance_components, more.variance_components, strict=True):
        assert second.variance == pytest.approx(first.variance, rel=1e-3, abs=1e-8)


@pytest.mark.parametrize("inference", ["auto", "satterthwaite", "kenward_roger", "wald"])
@settings(max_examples=5, deadline=None)
@given(order=st.permutations(["a", "b", "c"]))
def test_the_coding_of_a_factor_changes_no_joint_test(inference, order):
    """Whichever level is the reference, and under sum contrasts."""
    plain = _tests(fitted(trial(), inference=inference))
    renamed = trial().with_columns(arm=pl.col("arm").cast(pl.Enum(list(order))))
    other = _tests(fitted(renamed, inference=inference))
    summed = _tests(fitted(trial(), "y ~ day * C(arm, contr.sum)", inference=inference))
    for found in (other, summed):
        np.testing.assert_allclose(found, plain, rtol=1e-4)


def _tests(fit: Fit) -> list[float]:
    """Interaction, and all effects of the arm: statistic, df, p."""
    terms = fit.design.design.matrices.x_terms
    numbers = []
    for enough in (2, 1):
        columns = [
            index
            for _, names, where in terms
            if "arm" in names and len(names) >= enough
            for index in range(where.start, where.stop)
        ]
        test = joint_test(fit.design, "arm", np.eye(len(fit.estimates))[columns])
        numbers += [test.statistic, float(test.den_df or 0), test.p_value]
    return numbers


@settings(max_examples=10, deadline=None)
@given(factor=st.sampled_from([1e-6, 0.1, 3.0, 1e5]), shift=st.floats(-100, 100))
def test_units_change_no_simulated_inference(factor, shift):
    """Bootstrap and permutation with the same seed see the same trials in other units."""
    moved = trial().with_columns(y=factor * (pl.col("y") + shift))
    options = {"random": "1", "inference": "bootstrap", "seed": 2}
    one, other = fitted(trial(), **options), fitted(moved, **options)
    for first, second in zip(one.estimates[1:], other.estimates[1:], strict=True):
        assert second.p_value == pytest.approx(first.p_value, abs=2.1e-3)
        assert second.conf_low == pytest.approx(factor * first.conf_low, rel=1e-3)
    same = [permutation_test(fit, "arm", 199, 3, variances="null").p_value for fit in (one, other)]
    assert same[0] == pytest.approx(same[1], abs=5.1e-3)


def test_balanced_groups_give_the_variances_of_the_analysis_of_variance():
    """REML of a balanced one-way layout is the ANOVA estimator, whose test of the mean is exact."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=(10, 4)) + 1.5 * rng.normal(size=(10, 1)) + 3
    frame = pl.DataFrame({"p": np.repeat(np.arange(10), 4), "y": y.reshape(-1)})
    fit = fitted(frame, "y ~ 1", random="1")
    within = y.var(axis=1, ddof=1).mean()
    between = 4 * y.mean(axis=1).var(ddof=1)
    level, residual = fit.variance_components
    assert residual.variance == pytest.approx(within, rel=1e-6)
    assert level.variance == pytest.approx((between - within) / 4, rel=1e-6)
    assert fit.estimates[0].std_error == pytest.approx(np.sqrt(between / 40), rel=1e-6)
    assert fit.estimates[0].df == pytest.approx(9, rel=1e-5)
