"""What depends on Z alone: the matrices of each pattern that contract with its cross-products."""

from functools import cache
from typing import NamedTuple

import numpy as np

from analysis.engine.inverse import inverses
from analysis.engine.products import pairs
from analysis.engine.structure import Array, Index, RandomStructure


class Directions(NamedTuple):
    """matrices: K, then N E_r N', then sym(N E_r W E_s N') for r <= s, packed: (s, k, R, G).

    log: sum over patients of log|M|, and its derivatives in psi.
    """

    matrices: Array
    log: Array
    log_slope: Array
    log_curve: Array
    ok: np.ndarray


def any_size(lam: Array, a: Array, weight: Array, structure: RandomStructure) -> Directions:
    """lam: (R, q, q), a: (G, q, q), weight: patients of each pattern (R or 1, G)."""
    (g, q), n, r = a.shape[:2], structure.n_parameters, len(lam)
    eye = np.eye(q)
    al = (a.reshape(g * q, q) @ lam).reshape(r, g, q, q)
    m_inverse, log, ok = inverses(eye + _rows_times(np.swapaxes(al, 2, 3), lam))
    h = np.swapaxes(_rows_times(m_inverse, np.swapaxes(lam, 1, 2)), 2, 3)
    n_t = eye - al @ np.swapaxes(h, 2, 3)
    w = n_t @ a
    first, second = pairs(q)
    flat = _basis_times(np.swapaxes(n_t, 2, 3), structure).reshape(r, g, q * n, q)
    slope = (flat @ n_t).reshape(r, g, q, n, q)
    both = ((flat @ w) @ np.swapaxes(flat, 2, 3)).reshape(r, g, -1)
    one, two = _pair_positions(q, n)
    curve = 0.5 * (both[:, :, one] + both[:, :, two])
    out = np.empty((len(first), 1 + n + n * (n + 1) // 2, r, g))
    k = _rows_times(h, np.swapaxes(lam, 1, 2))
    out[:, 0] = k[:, :, first, second].transpose(2, 0, 1)
    out[:, 1 : n + 1] = slope.transpose(2, 4, 3, 0, 1)[first, second]
    out[:, n + 1 :] = curve.reshape(r, g, -1, len(first)).transpose(3, 2, 0, 1)
    return Directions(
        out,
        (log * weight).sum(axis=1),
        *_log_derivatives(w, weight, structure),
        np.asarray(ok.all(axis=1)),
    )


def _rows_times(left: Array, right: Array) -> Array:
    """(R, G, q, q) times (R, q, q): one product per replicate, over all patterns."""
    r, g, q = left.shape[:3]
    return np.asarray((left.reshape(r, g * q, q) @ right).reshape(r, g, q, q))


def _basis_times(left: Array, structure: RandomStructure) -> Array:
    """left E_r of every direction: (R, G, q, parameters, q)."""
    r, g, q = left.shape[:3]
    return np.asarray((left.reshape(-1, q) @ structure.basis_rows).reshape(r, g, q, -1, q))


@cache
def _pair_positions(q: int, n: int) -> tuple[Index, Index]:
    """Where (a, r, b, s) and (b, r, a, s) lie for all pairs r <= s and a <= b."""
    i, j = pairs(n)
    first, second = pairs(q)
    i, j, first, second = i[:, None], j[:, None], first[None], second[None]
    one = ((first * n + i) * q + second) * n + j
    two = ((second * n + i) * q + first) * n + j
    return one.reshape(-1), two.reshape(-1)


def _log_derivatives(w: Array, weight: Array, structure: RandomStructure) -> tuple[Array, Array]:
    """Derivatives of sum log|M| in psi: tr(W E_r) and -tr(W E_r W E_s)."""
    r, g, q = w.shape[:3]
    n = structure.n_parameters
    basis = structure.basis.reshape(n, q * q).T
    slope = (weight[:, None, :] @ (w.reshape(-1, q * q) @ basis).reshape(r, g, n))[:, 0]
    we = _basis_times(w, structure)
    left = (we * weight[:, :, None, None, None]).transpose(0, 3, 1, 2, 4).reshape(r, n, -1)
    right = we.transpose(0, 1, 4, 2, 3).reshape(r, -1, n)
    return slope, -(left @ right)
