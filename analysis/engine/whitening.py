"""Values of clusters without their correlation."""

import numpy as np

from analysis.engine.structure import Array


def whitened(v: Array, values: Array) -> Array:
    """L^-1 values of every cluster, V = L L'. v: (m, n, n), values: (m, n)."""
    lower = np.linalg.cholesky(v)
    if len(v) > 1:
        return np.asarray(np.linalg.solve(lower, values[:, :, None])[:, :, 0])
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(lower[0], values[0], lower=True)[None])
