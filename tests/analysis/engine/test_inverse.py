"""Inverses of many small matrices: LAPACK and elimination agree, and a bad one spoils no other."""

import numpy as np
import pytest

from analysis.engine.inverse import inverses


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("count", [1, 5, 300])
@pytest.mark.parametrize("bad", [False, True])
def test_inverses(size, count, bad):
    rows = np.random.default_rng(size).normal(size=(count, 3 * size, size))
    matrices = np.swapaxes(rows, 1, 2) @ rows
    good = np.ones(count, dtype=bool)
    if bad:
        matrices[0] = -matrices[0]
        good[0] = False
    found = inverses(matrices)
    assert found.ok.tolist() == good.tolist()
    np.testing.assert_allclose(found.inverse[good], np.linalg.inv(matrices[good]), rtol=1e-7)
    logs = np.linalg.slogdet(matrices[good])[1]
    np.testing.assert_allclose(found.log_determinant[good], logs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("count", [2, 300])
def test_a_collinear_column_is_not_inverted(count):
    rows = np.random.default_rng(3).normal(size=(count, 9, 5))
    rows[1, :, 4] = rows[1, :, :4].sum(axis=1)
    found = inverses(np.swapaxes(rows, 1, 2) @ rows)
    assert not found.ok[1]
    assert found.ok.sum() == count - 1
