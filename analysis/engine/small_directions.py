"""The matrices of each pattern for a few random effects, written out element by element.

The same numbers as `directions.any_size`, several times as fast where there are many patterns or
replicates: one array over them stands for each matrix element, so that no small matrix product is
called. For few of them the number of array calls counts, and matrix products are quicker.
"""

from collections.abc import Iterable

import numpy as np

from analysis.engine.directions import Directions
from analysis.engine.products import pairs
from analysis.engine.structure import Array, RandomStructure

LARGEST = 5
MANY = 400
"""Replicates times patterns from which elements are quicker than matrix products."""
Grid = list[list[Array]]
"""Matrix elements, each an array (replicates, patterns)."""


def suits(structure: RandomStructure, size: int) -> bool:
    """Whether this way is the quicker one; size: replicates times patterns."""
    if structure.nested or structure.n_columns > LARGEST:
        return False
    return size >= MANY or structure.n_columns == 1


def small(lam: Array, a: Array, weight: Array, structure: RandomStructure) -> Directions:
    """lam: (R, q, q), a: (G, q, q). For a structure without nested factors."""
    q, n, r, g = lam.shape[1], structure.n_parameters, len(lam), len(a)
    entries = [(int(i), int(j)) for i, j in zip(*structure.block_entries, strict=True)]
    k, inner, w, log, ok = _elements(lam, a)
    rows = [(int(i), int(j)) for i, j in zip(*pairs(q), strict=True)]
    ahead = [(r1, r2) for r1 in range(n) for r2 in range(r1, n)]
    out = np.empty((len(rows), 1 + n + len(ahead), r, g))
    through = [_inner_times(inner, w, entry) for entry in entries]
    for at, (i, j) in enumerate(rows):
        out[at, 0] = k[i][j]
        for index, (b, c) in enumerate(entries):
            out[at, 1 + index] = _symmetric(
                inner[i][b], inner[j][c], inner[i][c], inner[j][b], b, c
            )
        for index, (r1, r2) in enumerate(ahead):
            out[at, 1 + n + index] = _curve(through[r1], inner, entries[r2], i, j)
    return Directions(
        out,
        (log * weight).sum(axis=1),
        *_log_derivatives(w, weight, entries),
        np.asarray(ok.all(axis=1)),
    )


def _elements(lam: Array, a: Array) -> tuple[Grid, Grid, Grid, Array, np.ndarray]:
    """K, N = I - K A, W = A N and log|I + Lam' A Lam|."""
    span = range(lam.shape[1])
    factor = [[lam[:, None, i, j] for j in span] for i in span]
    rows = [[a[None, :, i, j] for j in span] for i in span]
    al = [[_sum(rows[i][k] * factor[k][j] for k in span if k >= j) for j in span] for i in span]
    m = [
        [_sum(factor[k][i] * al[k][j] for k in span if k >= i) + (i == j) for j in span]
        for i in span
    ]
    inverse, log, ok = _inverse(m)
    h = [[_sum(factor[i][k] * inverse[k][j] for k in span if k <= i) for j in span] for i in span]
    k_ = [[_sum(h[i][k] * factor[j][k] for k in span if k <= j) for j in span] for i in span]
    n = [[(i == j) - _sum(h[i][k] * al[j][k] for k in span) for j in span] for i in span]
    w = [[_sum(rows[i][k] * n[k][j] for k in span) for j in span] for i in span]
    return k_, n, w, log, ok


def _sum(terms: Iterable[Array]) -> Array:
    total: Array | None = None
    for term in terms:
        total = term if total is None else total + term
    assert total is not None
    return total


def _inverse(m: Grid) -> tuple[Grid, Array, np.ndarray]:
    """Gauss-Jordan on matrices with eigenvalues of one or more."""
    size, work = len(m), [list(row) for row in m]
    log, ok = np.zeros(work[0][0].shape), np.ones(work[0][0].shape, dtype=bool)
    for i in range(size):
        pivot = work[i][i]
        good = pivot > 0
        ok &= good
        pivot = np.where(good, pivot, 1.0)
        log += np.log(pivot)
        scale = 1.0 / pivot
        row = [work[i][j] * scale for j in range(size)]
        for j in range(size):
            if j != i:
                factor = work[j][i]
                work[j] = [work[j][c] - factor * row[c] for c in range(size)]
                work[j][i] = -factor * scale
        row[i] = scale
        work[i] = row
    return work, log, ok


def _symmetric(ib: Array, jc: Array, ic: Array, jb: Array, b: int, c: int) -> Array:
    return ib * jc if b == c else ib * jc + ic * jb


def _inner_times(inner: Grid, w: Grid, entry: tuple[int, int]) -> Grid:
    """N E W for the direction of one entry of Psi."""
    (b, c), span = entry, range(len(w))
    if b == c:
        return [[inner[i][b] * w[b][j] for j in span] for i in span]
    return [[inner[i][b] * w[c][j] + inner[i][c] * w[b][j] for j in span] for i in span]


def _curve(through: Grid, inner: Grid, entry: tuple[int, int], i: int, j: int) -> Array:
    """Element (i, j) of the symmetric part of N E_r W E_s N'."""
    b, c = entry
    one = through[i][b] * inner[j][c]
    if b != c:
        one = one + through[i][c] * inner[j][b]
    if i == j:
        return one
    two = through[j][b] * inner[i][c]
    if b != c:
        two = two + through[j][c] * inner[i][b]
    return 0.5 * (one + two)


def _log_derivatives(w: Grid, weight: Array, entries: list[tuple[int, int]]) -> tuple[Array, Array]:
    """tr(W E_r) and -tr(W E_r W E_s), summed over patients."""
    n, r = len(entries), len(w[0][0])
    slope, curve = np.empty((r, n)), np.empty((r, n, n))
    heavy = [[element * weight for element in row] for row in w]
    for one, (b, c) in enumerate(entries):
        slope[:, one] = heavy[b][c].sum(axis=1) * (1 if b == c else 2)
        for two, (d, e) in enumerate(entries[: one + 1]):
            value = np.einsum("rg,rg->r", heavy[c][d], w[e][b])
            if b != c or d != e:
                value = value + np.einsum("rg,rg->r", heavy[c][e], w[d][b])
            size = 2 if b != c and d != e else 1
            curve[:, one, two] = curve[:, two, one] = -size * value
    return slope, curve
