"""The profiled likelihood against dense matrices, its derivatives against differences."""

from itertools import pairwise

import numpy as np
import pytest

from analysis.engine.directions import any_size
from analysis.engine.likelihood import evaluate
from analysis.engine.newton import EXACT, minimize
from analysis.engine.products import cross_products, outcome_sums, pooled, row_products
from analysis.engine.small_directions import small
from analysis.engine.structure import RandomStructure

STRUCTURES = {
    "intercept": RandomStructure(1),
    "slope, full": RandomStructure(2),
    "slope, diagonal": RandomStructure(2, diagonal=True),
    "curve, full": RandomStructure(3),
    "nested": RandomStructure(2, nested=(3,)),
    "two nested factors, diagonal": RandomStructure(2, diagonal=True, nested=(2, 3)),
    "nested without a block of more": RandomStructure(1, nested=(3,)),
}


def data(structure: RandomStructure, seed: int = 0, patients: int = 12, regular: bool = False):
    """Rows of `patients` with a group, time and levels; z has the structure's columns."""
    rng = np.random.default_rng(seed)
    visits = np.full(patients, 6) if regular else rng.integers(3, 8, patients)
    patient = np.repeat(np.arange(patients), visits)
    n = len(patient)
    time = np.tile(np.arange(6.0), patients) / 3 if regular else rng.normal(size=n)
    x = np.column_stack([np.ones(n), time, patient % 2, time * (patient % 2)])
    blocks = [np.column_stack([time**power for power in range(structure.size)])]
    for width in structure.nested:
        blocks.append(np.eye(width)[rng.integers(0, width, n)])
    y = rng.normal(size=n) + rng.normal(size=patients)[patient]
    return np.column_stack(blocks), x, y, patient


def dense(theta, z, x, y, patient, structure, reml):
    """-2 log-likelihood (restricted) from V itself, fixed effects and residual profiled out."""
    psi = structure.factor(theta) @ structure.factor(theta).T
    v = np.eye(len(y)) + (z @ psi @ z.T) * (patient[:, None] == patient[None])
    inverse = np.linalg.inv(v)
    xvx = x.T @ inverse @ x
    beta = np.linalg.solve(xvx, x.T @ inverse @ y)
    r2 = (y - x @ beta) @ inverse @ (y - x @ beta)
    degrees = len(y) - x.shape[1] if reml else len(y)
    extra = np.linalg.slogdet(xvx)[1] if reml else 0.0
    return np.linalg.slogdet(v)[1] + extra + degrees * (1 + np.log(2 * np.pi * r2 / degrees))


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_equals_dense_matrices_and_its_own_differences(name, reml):
    structure = STRUCTURES[name]
    z, x, y, patient = data(structure)
    products = pooled(cross_products(z, x, y, patient))
    theta = np.random.default_rng(1).normal(size=(3, structure.n_parameters))
    point = evaluate(theta, products, structure, reml)
    assert point.ok.all()
    step = 1e-5 * np.eye(structure.n_parameters)
    for row, value in enumerate(theta):
        expected = dense(value, z, x, y, patient, structure, reml)
        assert point.criterion[row] == pytest.approx(expected, rel=1e-11)
        up, down = (evaluate(value + sign * step, products, structure, reml) for sign in (1, -1))
        slope = (up.criterion - down.criterion) / 2e-5
        np.testing.assert_allclose(point.gradient[row], slope, rtol=1e-5, atol=1e-6)
        curve = (up.gradient - down.gradient) / 2e-5
        np.testing.assert_allclose(point.hessian[row], curve, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("diagonal", [True, False])
def test_both_ways_to_the_directions_agree(size, diagonal):
    structure = RandomStructure(size, diagonal)
    rng = np.random.default_rng(size)
    lam = structure.factor(rng.normal(size=(4, structure.n_parameters)))
    z = rng.normal(size=(5, 7, size))
    a, weight = np.swapaxes(z, 1, 2) @ z, rng.integers(1, 4, (1, 5)).astype(float)
    for one, other in zip(
        any_size(lam, a, weight, structure), small(lam, a, weight, structure), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("counts", [[4, 4, 4], [3, 5, 4], [1, 40, 2]])
def test_sums_of_products_of_each_patient(counts):
    """Side by side, padded, or row by row: the same sums."""
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=(sum(counts), 2)), rng.normal(size=(sum(counts), 3))
    edges = np.cumsum([0, *counts])
    found = row_products(left, right, edges[:-1])
    for patient, (begin, end) in enumerate(pairwise(edges)):
        np.testing.assert_allclose(found[patient], left[begin:end].T @ right[begin:end])


def test_patients_with_the_same_visits_are_pooled_without_a_change():
    structure = RandomStructure(2)
    z, x, y, patient = data(structure, patients=30, regular=True)
    products = cross_products(z, x, y, patient)
    assert products.n_patterns == 1
    apart = products._replace(pattern=np.arange(30))
    theta = np.array([[0.7, -0.2, 0.4]])
    one = evaluate(theta, pooled(products), structure, True)
    other = evaluate(theta, pooled(apart), structure, True)
    for name in ("criterion", "gradient", "hessian", "beta"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-10)


def test_one_call_fits_many_outcomes_as_one_call_each():
    structure = RandomStructure(2)
    z, x, y, patient = data(structure)
    rng = np.random.default_rng(5)
    outcomes = y + rng.normal(size=(4, len(y)))
    singles = [pooled(cross_products(z, x, outcome, patient)) for outcome in outcomes]
    products = cross_products(z, x, y, patient)
    by = np.stack([cross_products(z, x, outcome, patient).b[:, :, -1] for outcome in outcomes])
    many = pooled(products)._replace(
        u_y=outcome_sums(products.b[:, :, :-1], by, products.pattern),
        c_y=np.column_stack([outcomes @ x, (outcomes**2).sum(axis=1)]),
    )
    start = np.tile(structure.start(1.0), (4, 1))
    together = minimize(many, structure, True, start, EXACT)
    assert together.converged.all()
    for row, single in enumerate(singles):
        alone = minimize(single, structure, True, start[:1], EXACT)
        np.testing.assert_allclose(together.theta[row], alone.theta[0], atol=1e-6)
        assert together.point.criterion[row] == pytest.approx(alone.point.criterion[0], abs=1e-9)


def test_one_replicate_that_cannot_be_fitted_spoils_no_other():
    structure = RandomStructure(1)
    z, x, y, patient = data(structure)
    whole = pooled(cross_products(z, x, y, patient))
    c_y = np.repeat(whole.c_y, 3, axis=0)
    c_y[1, -1] = 0.0  # a residual sum of squares below zero
    broken = minimize(whole._replace(c_y=c_y), structure, True, np.ones((3, 1)))
    assert broken.converged.tolist() == [True, False, True]
    assert broken.theta[0] == pytest.approx(broken.theta[2])


def test_a_zero_variance_is_found_exactly():
    """Residuals of patients cancel: the between-patient variance is zero, not small."""
    structure = RandomStructure(1)
    patient = np.repeat(np.arange(10), 4)
    y = np.tile([1.0, -1.0, 2.0, -2.0], 10) + np.tile([0.1, -0.1], 20)
    products = pooled(cross_products(np.ones((40, 1)), np.ones((40, 1)), y, patient))
    ends = minimize(products, structure, True, np.array([[1.0], [0.2], [5.0], [60.0]]))
    assert ends.converged.all()
    assert ends.theta.tolist() == [[0.0], [0.0], [0.0], [0.0]]
