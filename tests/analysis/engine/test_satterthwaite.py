"""Degrees of freedom where they are known: balanced designs have a textbook answer."""

import numpy as np
import pytest

from analysis.engine.kenward_roger import joint_test, kenward_roger
from analysis.engine.newton import EXACT, minimize
from analysis.engine.products import cross_products, pooled
from analysis.engine.satterthwaite import degrees_of_freedom, joint_degrees
from analysis.engine.structure import RandomStructure

PATIENTS, VISITS = 14, 5


def balanced(seed: int = 3):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(PATIENTS), VISITS)
    time = np.tile(np.arange(VISITS) - 2.0, PATIENTS)
    group = np.where(patient % 2, 0.5, -0.5)
    x = np.column_stack([np.ones_like(time), time, group])
    y = rng.normal(size=len(time)) + 2 * rng.normal(size=PATIENTS)[patient]
    structure = RandomStructure(1)
    products = pooled(cross_products(np.ones((len(y), 1)), x, y, patient))
    ends = minimize(products, structure, True, np.ones((1, 1)), EXACT)
    return structure, products, ends


def test_balanced_intercept_model():
    """Between patients: m - 2; within: m (v - 1) - 1 degrees of freedom, exactly."""
    structure, products, ends = balanced()
    _, df = degrees_of_freedom(ends.point, ends.theta, structure, np.eye(3))
    expected = [PATIENTS - 2, PATIENTS * (VISITS - 1) - 1, PATIENTS - 2]
    np.testing.assert_allclose(df[0], expected, rtol=1e-6)
    adjusted = kenward_roger(ends.theta[0], products, structure)
    np.testing.assert_allclose(adjusted.covariance, adjusted.plain, rtol=1e-6, atol=1e-12)
    tests = [joint_test(adjusted, row[None], np.ones(3), 1.0) for row in np.eye(3)]
    np.testing.assert_allclose([test.den_df for test in tests], expected, rtol=1e-6)


def test_joint_degrees_are_those_of_lmertest():
    assert joint_degrees(np.array([17.0])) == 17.0
    assert joint_degrees(np.array([9.0, 9.0, 9.0])) == 9.0
    assert joint_degrees(np.array([1.5, 30.0])) == 2.0
    expected = 10 / 8 + 20 / 18
    assert joint_degrees(np.array([10.0, 20.0])) == pytest.approx(2 * expected / (expected - 2))
