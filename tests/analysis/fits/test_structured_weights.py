"""Weights: known precisions of values."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import fit_mixed


def test_a_weight_of_two_counts_as_the_mean_of_two_values(single, column):
    # Two values of one visit, or their mean with weight 2, differ by a constant of the likelihood
    # only where the residual variance is known; estimates agree where it is the same for both.
    rng = np.random.default_rng(1)
    twice = pl.concat([single.with_columns(y=pl.col("y") + s * 0.1) for s in (1, -1)])
    mean = single.with_columns(weight=pl.lit(2.0))
    mixed = pl.concat([mean, single.head(0).with_columns(weight=pl.lit(1.0))])
    fit = fit_mixed(mixed, "y ~ day", "patient", weights="weight")
    other = fit_mixed(twice, "y ~ day", "patient", verify=False)
    assert column(fit, "estimate") == pytest.approx(column(other, "estimate"), rel=1e-6)
    varied = single.with_columns(weight=pl.Series(rng.uniform(0.5, 2, single.height)))
    one = fit_mixed(varied, "y ~ day", "patient", weights="weight")
    scaled = varied.with_columns(weight=pl.col("weight") * 40)
    again = fit_mixed(scaled, "y ~ day", "patient", weights="weight")
    assert column(again, "estimate") == pytest.approx(column(one, "estimate"), rel=1e-7)
    assert column(again, "df") == pytest.approx(column(one, "df"), rel=1e-5)


def test_weights_as_lmer(single, component, column):
    # lmer(y ~ day + (1 | patient), weights = weight), lme4 1.1-31
    weight = (1 + pl.int_range(pl.len()) % 5) * 10.0
    fit = fit_mixed(single.with_columns(weight=weight), "y ~ day", "patient", weights="weight")
    assert fit.criterion == pytest.approx(61.4944527272, rel=1e-8)
    assert column(fit, "estimate") == pytest.approx([1.747357854717, 0.239715502371], rel=1e-5)
    assert column(fit, "std_error") == pytest.approx([0.3931489262655, 0.0443100452644], rel=1e-4)
    assert component(fit, "patient", "(Intercept)") == pytest.approx(1.07497710237, rel=1e-4)
    assert component(fit, "Residual", None) == pytest.approx(1.94537855783, rel=1e-4)


def test_the_variance_of_a_value_is_the_residual_variance_over_its_weight(single, component):
    """var(e_i) = sigma^2 / w_i, whatever the mean weight; only sigma answers to its unit."""
    one = single.with_columns(weight=(1 + pl.int_range(pl.len()) % 5).cast(float))
    for factor in (1.0, 40.0):
        frame = one.with_columns(pl.col("weight") * factor)
        fit = fit_mixed(frame, "y ~ day", "patient", weights="weight", verify=False)
        design, dense = fit.design.design, fit.design.dense
        sigma = component(fit, "Residual", None)
        residual, own = dense.parts[-1], dense.split.of(fit.design.theta)[-1]
        found = np.empty(single.height)
        for rows in dense.batches:
            value, _ = residual.covariance(own, rows)
            found[rows] = np.diagonal(value, axis1=1, axis2=2)
        weight = design.frame["weight"].to_numpy()
        assert design.y_scale**2 * found == pytest.approx(sigma**2 / weight, rel=1e-10)
        if factor == 1.0:
            first = sigma
    assert sigma == pytest.approx(first * np.sqrt(40), rel=1e-5)


def test_weights_of_a_published_trial_as_lmer(shared: Path, component, column):
    # R 4.2.2, lme4 1.1-31: lmer(Reaction ~ Days + (1 | Subject), weights = w), w 1 and 3 in turn
    frame = pl.read_csv(shared / "data" / "mixed_effects" / "lme4__sleepstudy.csv").with_columns(
        w=pl.when(pl.col("Days") % 2 == 0).then(1.0).otherwise(3.0)
    )
    fit = fit_mixed(frame, "Reaction ~ Days", "Subject", weights="w", verify=False)
    assert fit.criterion == pytest.approx(1805.08668660, rel=1e-9)
    assert column(fit, "estimate") == pytest.approx([252.0967264, 10.4669521], rel=1e-6)
    assert column(fit, "std_error") == pytest.approx([10.053214499, 0.786720439], rel=1e-5)
    assert component(fit, "Residual", None) == pytest.approx(42.71174749, rel=1e-6)
    assert component(fit, "Subject", "(Intercept)") == pytest.approx(38.42695620, rel=1e-6)


def test_missing_values_of_the_structure_are_counted(single):
    gaps = single.with_columns(weight=pl.when(pl.col("patient") == "P1").then(None).otherwise(1.0))
    fit = fit_mixed(gaps, "y ~ day", "patient", weights="weight")
    assert [(row.reason, row.n) for row in fit.excluded] == [("no value of weight", 4)]
    assert fit.n_subjects == 7
