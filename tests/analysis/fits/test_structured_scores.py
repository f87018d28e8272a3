"""The exact gradient of every part of a covariance."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis import fit_mixed
from analysis.engine.covariance_parts import RandomTerm
from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.engine.residual_parts import (
    AutoregressiveResidual,
    IndependentResidual,
    UnstructuredResidual,
)
from analysis.fits.structured.search import optimum

PARTS = {
    "random": lambda z, code, time: RandomTerm("p", ("a", "b"), z, code),
    "diagonal": lambda z, code, time: RandomTerm("p", ("a", "b"), z, code, True),
    "groups": lambda z, code, time: IndependentResidual((code % 2).astype(np.intp), ("0", "1")),
    "weights": lambda z, code, time: IndependentResidual(
        np.zeros(len(code), dtype=np.intp), ("",), np.sqrt(1 + time)
    ),
    "ar1": lambda z, code, time: AutoregressiveResidual(time, False, code),
    "car1": lambda z, code, time: AutoregressiveResidual(time * 0.7, True, code),
    "unstructured": lambda z, code, time: UnstructuredResidual(
        time.astype(np.intp), ("0", "1", "2"), np.full(6, 0.2)
    ),
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("reml", [True, False])
def test_scores_are_the_slope_of_the_likelihood(name, reml):
    rng = np.random.default_rng(2)
    code = np.repeat(np.arange(6), 3)[:-1]
    time = np.tile([0.0, 1.0, 2.0], 6)[:-1]
    z = np.column_stack([np.ones(17), time])
    part = PARTS[name](z, code, time)
    noise = IndependentResidual(np.zeros(17, dtype=np.intp), ("",))
    parts = (part, noise) if name in ("random", "diagonal") else (part,)
    x = np.column_stack([np.ones(17), rng.normal(size=17)])
    dense = DenseLikelihood(x, rng.normal(size=17), code, parts, reml)
    at = dense.start + rng.normal(0, 0.2, len(dense.start))
    step = 1e-6
    slope = [
        (dense.point(at + move).value - dense.point(at - move).value) / (2 * step)
        for move in step * np.eye(len(at))
    ]
    assert dense.point(at).score == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("reml", [True, False])
def test_the_hessian_is_the_slope_of_the_scores(name, reml):
    """Of patients that count several times, or not at all, as well."""
    rng = np.random.default_rng(3)
    code = np.repeat(np.arange(6), 3)[:-1]
    time = np.tile([0.0, 1.0, 2.0], 6)[:-1]
    part = PARTS[name](np.column_stack([np.ones(17), time]), code, time)
    noise = IndependentResidual(np.zeros(17, dtype=np.intp), ("",))
    parts = (part, noise) if name in ("random", "diagonal") else (part,)
    x = np.column_stack([np.ones(17), rng.normal(size=17)])
    counts = np.array([1.0, 2.0, 1.0, 0.0, 3.0, 1.0])
    dense = DenseLikelihood(x, rng.normal(size=17), code, parts, reml, counts)
    at = dense.start + rng.normal(0, 0.2, len(dense.start))
    step = 1e-5
    slope = [
        (dense.point(at - move).score - dense.point(at + move).score) / (2 * step)
        for move in step * np.eye(len(at))
    ]
    np.testing.assert_allclose(dense.point(at).observed, np.stack(slope), atol=1e-6)


@pytest.mark.parametrize("asked", ["car1:day", "unstructured:day", "by:assay"])
def test_a_patient_counted_twice_is_two_patients(uneven, asked):
    fitted = fit_mixed(uneven, "y ~ day", "p", residual=asked).design
    counts = np.ones(fitted.design.n_subjects)
    counts[2] = 2
    dense = replace(fitted.dense, counts=counts)
    again = uneven.filter(pl.col("p") == "P02").with_columns(p=pl.lit("again"))
    other = fit_mixed(pl.concat([uneven, again]), "y ~ day", "p", residual=asked).design
    found = optimum(dense, fitted.theta)
    theirs = other.variance_components()
    ours = replace(fitted, theta=found.theta).variance_components()
    for one, two in zip(ours, theirs, strict=True):
        assert one.sd_or_corr == pytest.approx(two.sd_or_corr, rel=1e-4)
