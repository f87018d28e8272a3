"""Inverses of many small positive definite matrices at once, without one bad one spoiling all."""

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from analysis.engine.structure import Array

RELATIVE_PIVOT = 1e-11
"""A pivot that falls below this share of its diagonal element means a collinear column."""
FEW = 100
"""Up to this many matrices, and for any number of larger ones, LAPACK is quicker than elimination
over all."""
WIDE = 4


class Inverses(NamedTuple):
    """inverse (..., n, n), log-determinant (...) and whether each matrix was positive definite."""

    inverse: Array
    log_determinant: Array
    ok: np.ndarray


def inverses(matrices: Array) -> Inverses:
    """Inverse and log-determinant of symmetric matrices over the leading axes."""
    n = matrices.shape[-1]
    if n == 2:
        return _of_two(matrices)
    if matrices.size == n * n:
        return _of_one(matrices)
    if n > 1 and (n >= WIDE or matrices.size <= FEW * n * n):
        return _by_lapack(matrices)
    return _by_elimination(matrices)


def _of_two(matrices: Array) -> Inverses:
    """Two by two, written out."""
    first, off, second = matrices[..., 0, 0], matrices[..., 0, 1], matrices[..., 1, 1]
    product = first * second
    determinant = product - off * off
    ok = (first > 0) & (determinant > RELATIVE_PIVOT * product)
    determinant = np.where(ok, determinant, 1.0)
    inverse = np.empty_like(matrices)
    inverse[..., 0, 0], inverse[..., 1, 1] = second / determinant, first / determinant
    inverse[..., 0, 1] = inverse[..., 1, 0] = -off / determinant
    return Inverses(inverse, np.log(determinant), ok)


def _of_one(matrices: Array) -> Inverses:
    """A single one, past the checks around LAPACK that cost more than its work."""
    lead, n = matrices.shape[:-2], matrices.shape[-1]
    matrix = matrices.reshape(n, n)
    root, fault = dpotrf(matrix, lower=1, clean=1)
    pivots = root.diagonal()
    if fault or not (pivots * pivots > RELATIVE_PIVOT * matrix.diagonal()).all():
        return Inverses(np.zeros_like(matrices), np.zeros(lead), np.zeros(lead, dtype=bool))
    half, _ = dpotri(root, lower=1)
    inverse = half + half.T
    inverse.flat[:: n + 1] = half.diagonal()
    logs = np.full(lead, 2 * np.log(pivots).sum())
    return Inverses(inverse.reshape(matrices.shape), logs, np.ones(lead, dtype=bool))


def _by_elimination(matrices: Array) -> Inverses:
    """Gauss-Jordan in place, one pivot of every matrix at a time."""
    work = matrices.copy()
    lead, n = work.shape[:-2], work.shape[-1]
    ok, logs = np.ones(lead, dtype=bool), np.zeros(lead)
    least = RELATIVE_PIVOT * np.diagonal(matrices, axis1=-2, axis2=-1)
    for i in range(n):
        pivot = work[..., i, i]
        good = pivot > least[..., i]
        ok &= good
        pivot = np.where(good, pivot, 1.0)
        logs += np.log(pivot)
        scale = 1.0 / pivot
        if n > 1:
            row = work[..., i, :] * scale[..., None]
            column = work[..., :, i].copy()
            work -= column[..., :, None] * row[..., None, :]
            work[..., i, :] = row
            work[..., :, i] = -column * scale[..., None]
        work[..., i, i] = scale
    return Inverses(work, logs, ok)


def _by_lapack(matrices: Array) -> Inverses:
    """All at once; where one of them is not positive definite, apart from it."""
    try:
        root = np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        few = matrices.size <= FEW * matrices.shape[-1] ** 2
        return _one_by_one(matrices) if few else _by_elimination(matrices)
    pivots = root.diagonal(0, -2, -1)
    least = RELATIVE_PIVOT * matrices.diagonal(0, -2, -1)
    ok = np.asarray((pivots * pivots > least).all(axis=-1))
    if not ok.all():
        return _by_elimination(matrices)
    inverse = np.asarray(np.linalg.inv(matrices), dtype=float)
    return Inverses(inverse, 2 * np.log(pivots).sum(axis=-1), ok)


def _one_by_one(matrices: Array) -> Inverses:
    lead, n = matrices.shape[:-2], matrices.shape[-1]
    flat = matrices.reshape(-1, n, n)
    inverse, logs = np.zeros_like(flat), np.zeros(len(flat))
    ok = np.zeros(len(flat), dtype=bool)
    for index, matrix in enumerate(flat):
        try:
            pivots = np.diag(np.linalg.cholesky(matrix))
        except np.linalg.LinAlgError:
            continue
        if np.all(pivots**2 > RELATIVE_PIVOT * np.diag(matrix)):
            ok[index], logs[index] = True, 2 * float(np.log(pivots).sum())
            inverse[index] = np.linalg.inv(matrix)
    return Inverses(inverse.reshape(matrices.shape), logs.reshape(lead), ok.reshape(lead))
