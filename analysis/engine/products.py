"""Cross-products of each patient, and their sums over patients with the same visits.

Patients with the same Z'Z share every matrix of the likelihood, so their cross-products are summed
once: what an evaluation costs is the number of distinct visit patterns, not of patients.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index

CHUNK = 1_000_000
"""Numbers held at a time while sums are formed."""
MOST_PADDING = 2
"""Rows with padding, relative to the rows there are, up to which patients are put side by side."""
SAME_PATTERN = 1e-12
"""Relative difference of Z'Z below which two patients have the same visits."""


class CrossProducts(NamedTuple):
    """Per patient: a = Z'Z (m, q, q), b = Z'[X y] (m, q, p+1), c = [X y]'[X y] (m, p+1, p+1).

    pattern: which of the distinct a each patient has, numbered from 0.
    """

    a: Array
    b: Array
    c: Array
    n_rows: Index
    pattern: Index

    @property
    def n_fixed(self) -> int:
        return int(self.c.shape[1]) - 1

    @property
    def n_patterns(self) -> int:
        return int(self.pattern.max()) + 1


class Pooled(NamedTuple):
    """Sums over the patients of each pattern; the axis R (1 or replicates) leads where it is named.

    a: (G, q, q). weight: patients of each pattern (R, G). n: observations (R,).
    u_xx (R, s, G, p (p+1) / 2): products of Z'X with itself, symmetric pairs of Z's columns (s) by
    pairs of X's; u_y (R, s, G, p+1): of Z'X and Z'y with Z'y. c_xx, c_y: the same of [X y]'[X y].
    """

    a: Array
    weight: Array
    n: Array
    u_xx: Array
    u_y: Array
    c_xx: Array
    c_y: Array

    @property
    def n_fixed(self) -> int:
        return int(self.c_y.shape[-1]) - 1

    @property
    def n_replicates(self) -> int:
        return max(len(item) for item in self[1:])

    def take(self, index: Index) -> "Pooled":
        """Some of the replicates."""
        chosen = (item if len(item) == 1 else item[index] for item in self[1:])
        return Pooled(self.a, *chosen)


@cache
def pairs(n: int) -> tuple[Index, Index]:
    """Row and column of the packed elements of a symmetric matrix."""
    rows, cols = np.triu_indices(n)
    return rows.astype(np.intp), cols.astype(np.intp)


def unpack(packed: Array, n: int) -> Array:
    """Symmetric matrices (..., n, n) of packed elements."""
    return np.asarray(packed[..., _packed_positions(n)])


@cache
def _packed_positions(n: int) -> Index:
    rows, cols = pairs(n)
    where = np.empty((n, n), dtype=np.intp)
    where[rows, cols] = where[cols, rows] = np.arange(len(rows))
    return where


def cross_products(z: Array, x: Array, y: Array, patient: Index) -> CrossProducts:
    """patient: 0..m-1 for each row."""
    rows, codes, q = np.column_stack([z, x, y]), patient, z.shape[1]
    if (np.diff(patient) < 0).any():
        order = np.argsort(patient, kind="stable")
        rows, codes = rows[order], patient[order]
    starts = np.searchsorted(codes, np.arange(int(codes[-1]) + 1))
    whole = row_products(rows, rows, starts)
    a, b, c = (
        np.ascontiguousarray(part)
        for part in (whole[:, :q, :q], whole[:, :q, q:], whole[:, q:, q:])
    )
    return CrossProducts(a, b, c, np.bincount(codes), patterns(a))


def by_patient(rows: Array, starts: Index, axis: int = 0) -> Array:
    """Sums over the rows of each patient, which follow each other from `starts` on."""
    return np.asarray(np.add.reduceat(rows, starts, axis=axis))


def row_products(left: Array, right: Array, starts: Index) -> Array:
    """left' right of each patient, whose rows follow each other from `starts` on."""
    counts = np.diff(starts, append=len(left))
    if len(starts) * int(counts.max()) <= MOST_PADDING * len(left):
        one = _each(left, counts)
        other = one if right is left else _each(right, counts)
        return np.asarray(np.swapaxes(one, 1, 2) @ other)
    m, edges = len(starts), np.append(starts, len(left))
    result = np.empty((m, left.shape[1], right.shape[1]))
    step = max(1, CHUNK * m // (len(left) * left.shape[1] * right.shape[1]))
    for begin in range(0, m, step):
        end = min(begin + step, m)
        rows = slice(edges[begin], edges[end])
        block = left[rows, :, None] * right[rows, None, :]
        np.add.reduceat(block, starts[begin:end] - edges[begin], axis=0, out=result[begin:end])
    return result


def _each(rows: Array, counts: Index) -> Array:
    """Rows of each patient, (patients, most rows, columns); missing ones are zero."""
    most = int(counts.max())
    if int(counts.min()) == most:
        return rows.reshape(len(counts), most, rows.shape[1])
    padded = np.zeros((len(counts), most, rows.shape[1]))
    padded[np.arange(most) < counts[:, None]] = rows
    return padded


def patterns(a: Array) -> Index:
    """Number of the distinct Z'Z of each patient."""
    scale = float(np.abs(a).max()) or 1.0
    rounded = np.round(a.reshape(len(a), -1) / (scale * SAME_PATTERN * 10)) + 0.0
    if len(a) == 1:
        return np.zeros(1, dtype=np.intp)
    # One number per patient sorts faster than a row; rows of the same number are compared.
    key = rounded @ np.sqrt(np.arange(2.0, 2.0 + rounded.shape[1]))
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if not np.array_equal(rounded[first[inverse]], rounded):
        inverse = np.unique(rounded, axis=0, return_inverse=True)[1]
    return inverse.reshape(-1).astype(np.intp)


def pooled(products: CrossProducts) -> Pooled:
    """One replicate: the data as they are."""
    p = products.n_fixed
    rows, cols = pairs(p)
    c = products.c.sum(axis=0)
    b, pattern = products.b, products.pattern
    first = np.unique(pattern, return_index=True)[1]
    return Pooled(
        products.a[first],
        np.bincount(pattern).astype(float)[None],
        np.array([float(products.n_rows.sum())]),
        summed(b[:, :, :p], b[:, :, :p], rows, cols, pattern)[None],
        outcome_sums(b[:, :, :p], b[:, :, p][None], pattern),
        c[rows, cols][None],
        c[:, p][None],
    )


def summed(left: Array, right: Array, rows: Index, cols: Index, pattern: Index) -> Array:
    """sum_i left_i[a, rows] right_i[b, cols], symmetric in (a, b) and in (rows, cols), by pattern.

    Pairs a < b carry both of their products, so that a packed symmetric matrix of Z's columns
    contracts with the result. Returns (s, patterns, len(rows)).
    """
    first, second = pairs(left.shape[1])
    order = np.argsort(pattern, kind="stable")
    starts = np.flatnonzero(np.diff(pattern[order], prepend=-1))
    one, two = (np.ascontiguousarray(side[order].transpose(1, 2, 0)) for side in (left, right))
    total = np.empty((len(first), len(starts), len(rows)))
    step = max(1, CHUNK // len(order))
    for index, (a, b) in enumerate(zip(first, second, strict=True)):
        for begin in range(0, len(rows), step):
            part = slice(begin, begin + step)
            block = one[a, rows[part]] * two[b, cols[part]]
            if a != b:
                block += one[b, rows[part]] * two[a, cols[part]]
            total[index, :, part] = np.add.reduceat(block, starts, axis=1).T
    return total


def outcome_sums(bx: Array, by: Array, pattern: Index) -> Array:
    """u_y of outcomes: bx (m, q, p), by (R, m, q) to (R, s, patterns, p + 1)."""
    m, q, p = bx.shape
    first, second = pairs(q)
    both = np.where(first == second, 0.5, 1.0)
    order = np.argsort(pattern, kind="stable")
    starts = np.flatnonzero(np.diff(pattern[order], prepend=-1))
    bx, by = bx[order], by[:, order]
    xy = bx[:, first] * both[:, None], bx[:, second] * both[:, None]
    result = np.empty((len(by), len(starts), len(first), p + 1))
    step = max(1, CHUNK // (m * len(first) * (p + 1)))
    for begin in range(0, len(by), step):
        part = by[begin : begin + step]
        lo, hi = part[:, :, first], part[:, :, second]
        block = xy[0] * hi[..., None] + xy[1] * lo[..., None]
        result[begin : begin + step, :, :, :p] = np.add.reduceat(block, starts, axis=1)
        square = lo * hi * (2 * both)
        result[begin : begin + step, :, :, p] = np.add.reduceat(square, starts, axis=1)
    return np.ascontiguousarray(result.transpose(0, 2, 1, 3))
