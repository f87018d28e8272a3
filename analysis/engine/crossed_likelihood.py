"""The same likelihood where effects cross clusters and residuals are independent.

All rows are one cluster, V = R + Z D Z' with a diagonal R. Its inverse and its determinant come
from matrices as large as the effects (Woodbury): with A = Z'R^-1 Z, D = Lam Lam' and K = Lam (I +
Lam'A Lam)^-1 Lam', V^-1 = R^-1 - R^-1 Z K Z'R^-1 and |V| = |R| |I + Lam'A Lam|. Gradient and
Hessian are exact, as traces of Z'V^-1 Z.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from analysis.engine.covariance_parts import Part, RandomTerm
from analysis.engine.dense_likelihood import DenseLikelihood, DensePoint
from analysis.engine.residual_parts import IndependentResidual
from analysis.engine.structure import Array, Index


class _Terms(NamedTuple):
    """Rows in use; Z, sparse; where the columns of each term lie; the sums Z'WZ over the rows of
    each residual group, W their weights."""

    rows: Index
    z: Any
    blocks: tuple[slice, ...]
    grams: Array
    group: Index
    weight: Array


class _Inverse(NamedTuple):
    """Pieces of V^-1 at one theta. r: diagonal of R; own: A of each residual group, their sum a."""

    r: Array
    own: Array
    a: Array
    k: Array
    log_det: float


@dataclass(eq=False)
class CrossedLikelihood(DenseLikelihood):
    """parts: random terms, then an independent residual. counts: zero or one."""

    KEPT: ClassVar[tuple[str, ...]] = ("terms",)

    @staticmethod
    def carries(parts: tuple[Part, ...]) -> bool:
        """Whether a covariance of these parts has the form."""
        *terms, residual = parts
        return isinstance(residual, IndependentResidual) and all(
            isinstance(term, RandomTerm) for term in terms
        )

    @cached_property
    def terms(self) -> _Terms:
        """What does not depend on theta."""
        from scipy.sparse import csr_matrix, hstack

        rows = np.concatenate([batch.ravel() for batch in self.batches])
        residual = self.parts[-1]
        assert isinstance(residual, IndependentResidual)
        columns, blocks, begin = [], [], 0
        for term in self._random:
            q, levels = term.z.shape[1], int(term.level.max()) + 1
            place = term.level[rows][:, None] * q + np.arange(q)
            row = np.repeat(np.arange(len(rows)), q)
            shape = (len(rows), levels * q)
            columns.append(csr_matrix((term.z[rows].ravel(), (row, place.ravel())), shape=shape))
            blocks.append(slice(begin, begin + levels * q))
            begin += levels * q
        z = hstack(columns, format="csr")
        group = residual.group[rows]
        weight = np.ones(len(rows)) if residual.root is None else residual.root[rows] ** 2
        grams = []
        for number in range(residual.n_parameters):
            own = z.multiply(np.where(group == number, weight, 0.0)[:, None]).tocsr()
            grams.append((z.T @ own).toarray())
        return _Terms(rows, z, tuple(blocks), np.stack(grams), group, weight)

    @property
    def _random(self) -> list[RandomTerm]:
        return [part for part in self.parts if isinstance(part, RandomTerm)]

    def value(self, theta: Array, rows: Index) -> Array:
        """V of the block alone, (1, n, n); rows: those of the only batch."""
        from scipy.sparse import csr_matrix

        assert np.array_equal(rows[0], self.terms.rows), "V of a part of the block"
        half = self.terms.z @ csr_matrix(self._factor(theta))
        found = (half @ half.T).toarray()
        found[np.diag_indices(len(found))] += self._diagonal(theta)
        return np.asarray(found[None])

    def _factor(self, theta: Array) -> Array:
        """Lam."""
        lam = np.zeros(self.terms.grams.shape[1:])
        for term, block, own in zip(
            self._random, self.terms.blocks, self.split.of(theta), strict=False
        ):
            levels = (block.stop - block.start) // term.z.shape[1]
            lam[block, block] = np.kron(np.eye(levels), term.factor(own))
        return lam

    def _diagonal(self, theta: Array) -> Array:
        """Of R."""
        sigma2 = np.exp(2 * self.split.of(theta)[-1])
        return np.asarray(sigma2[self.terms.group] / self.terms.weight)

    def _inverse(self, theta: Array) -> _Inverse:
        r, lam = self._diagonal(theta), self._factor(theta)
        sigma2 = np.exp(2 * self.split.of(theta)[-1])
        parts = self.terms.grams / sigma2[:, None, None]
        a = parts.sum(axis=0)
        m = np.eye(len(a)) + lam.T @ a @ lam
        lower = np.linalg.cholesky(m)
        half = np.linalg.solve(lower, lam.T)
        log_det = float(np.log(r).sum()) + 2 * float(np.log(np.diag(lower)).sum())
        return _Inverse(r, parts, a, half.T @ half, log_det)

    def _solved(self, found: _Inverse, columns: Array) -> Array:
        """V^-1 of the columns."""
        over = columns / found.r[:, None]
        z = self.terms.z
        return np.asarray(over - (z @ (found.k @ (z.T @ over))) / found.r[:, None])

    def precision(self, theta: Array) -> Callable[[Array], Array]:
        """V^-1 times columns of all rows (n, c), by matrices as large as the effects."""
        found, rows = self._inverse(theta), self.terms.rows

        def solved(columns: Array) -> Array:
            result = np.zeros_like(columns)
            result[rows] = self._solved(found, columns[rows])
            return result

        return solved

    def _moved(self, found: _Inverse, theta: Array, columns: Array) -> Array:
        """Every derivative of V times the columns: (k, n, c)."""
        t, moved = self.terms, []
        within = t.z.T @ columns
        for term, block, own in zip(self._random, t.blocks, self.split.of(theta), strict=False):
            q = term.z.shape[1]
            levels = within[block].reshape(-1, q, columns.shape[1])
            for slope in _psi_slopes(term, own):
                turned = (slope @ levels).reshape(-1, columns.shape[1])
                moved.append(t.z[:, block] @ turned)
        for number in range(len(t.grams)):
            moved.append(2 * np.where(t.group == number, found.r, 0.0)[:, None] * columns)
        return np.stack(moved)

    def point(self, theta: Array) -> DensePoint:
        """Raises LinAlgError where a covariance is not positive definite."""
        t, found, p = self.terms, self._inverse(theta), self.x.shape[1]
        x, y = self.x[t.rows], self.y[t.rows]
        wx = self._solved(found, x)
        xx, xy = x.T @ wx, wx.T @ y
        covariance: Array = np.asarray(np.linalg.inv(xx), dtype=float)
        beta = covariance @ xy
        wr = self._solved(found, (y - x @ beta)[:, None])[:, 0]
        value = -0.5 * (found.log_det + float(y @ wr) + len(y) * np.log(2 * np.pi))
        sides = self._moved(found, theta, np.column_stack([wr, wx]))
        k = len(sides)
        solved = self._solved(found, sides.transpose(1, 0, 2).reshape(len(y), -1))
        solved = solved.reshape(len(y), k, 1 + p).transpose(1, 0, 2)
        slopes = -np.einsum("np,knq->kpq", wx, sides[:, :, 1:])
        leans = sides[:, :, 0] @ wx
        traces, expected = self._traces(found, theta)
        fixed = covariance if self.reml else np.zeros((p, p))
        score, bend = self._score(found, theta, traces, wr, wx, fixed)
        observed = sides[:, :, 0] @ solved[:, :, 0].T - leans @ covariance @ leans.T
        observed -= expected + bend
        if self.reml:
            value += 0.5 * (p * np.log(2 * np.pi) - np.linalg.slogdet(xx)[1])
            carried = solved[:, :, 1:] @ covariance
            observed += np.tensordot(sides[:, :, 1:], carried, ((1, 2), (1, 2)))
            turned = slopes @ covariance
            observed -= 0.5 * np.einsum("kpq,jqp->kj", turned, turned)
        observed = (observed + observed.T) / 2
        return DensePoint(float(value), score, expected, observed, beta, covariance, slopes)

    def _traces(self, found: _Inverse, theta: Array) -> tuple[Array, Array]:
        """G = Z'V^-1 Z, and the expected information."""
        own = self.split.of(theta)
        n = np.eye(len(found.a)) - found.k @ found.a
        g = found.a @ n
        slopes = [_psi_slopes(term, own[place]) for place, term in enumerate(self._random)]
        information = np.zeros((len(theta), len(theta)))
        self._among_effects(information, g, slopes)
        self._with_residual(information, found, n, slopes)
        return g, information

    def _among_effects(self, information: Array, g: Array, slopes: list[Array]) -> None:
        """Fills in tr(G E_a G E_b) / 2 of every pair of the random terms' parameters."""
        blocks, edges = self.terms.blocks, self.split.edges
        widths = [term.z.shape[1] for term in self._random]
        for a, (first, q) in enumerate(zip(blocks, widths, strict=True)):
            for b, (second, s) in enumerate(zip(blocks, widths, strict=True)):
                own = g[first, second].reshape(-1, q, (second.stop - second.start) // s, s)
                pairs = np.tensordot(own, own, ((0, 2), (0, 2)))
                information[edges[a] : edges[a + 1], edges[b] : edges[b + 1]] = 0.5 * np.einsum(
                    "uik,vjl,ijkl->uv", slopes[a], slopes[b], pairs
                )

    def _with_residual(
        self, information: Array, found: _Inverse, n: Array, slopes: list[Array]
    ) -> None:
        """Fills in what residual variances share with each other and with the random terms."""
        t, edges = self.terms, self.split.edges
        last, turned = edges[-2], found.k @ found.own
        for number, gram in enumerate(found.own):
            whole = n.T @ gram @ n
            for a, (term, block) in enumerate(zip(self._random, t.blocks, strict=True)):
                cross = np.tensordot(slopes[a], _own_blocks(whole, block, term.z.shape[1]), 2)
                information[edges[a] : edges[a + 1], last + number] = cross
                information[last + number, edges[a] : edges[a + 1]] = cross
            for other in range(len(t.grams)):
                both = float((turned[number] * turned[other].T).sum())
                if number == other:
                    both += float((t.group == number).sum()) - 2 * float(np.trace(turned[number]))
                information[last + number, last + other] = 2 * both

    def _score(
        self, found: _Inverse, theta: Array, g: Array, wr: Array, wx: Array, fixed: Array
    ) -> tuple[Array, Array]:
        """Score, and the traces with the second derivatives of V."""
        t, own, edges = self.terms, self.split.of(theta), self.split.edges
        score, bend = np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
        zr, zx = t.z.T @ wr, t.z.T @ wx
        by_v = 0.5 * (np.outer(zr, zr) - g + zx @ fixed @ zx.T)
        for a, (term, block) in enumerate(zip(self._random, t.blocks, strict=True)):
            where = slice(edges[a], edges[a + 1])
            inside = _own_blocks(by_v, block, term.z.shape[1])
            score[where] = np.tensordot(_psi_slopes(term, own[a]), inside, 2)
            i, j = term.entries
            bend[where, where] = np.where(j[:, None] == j[None, :], 2 * inside[np.ix_(i, i)], 0.0)
        spread = wr**2 + np.einsum("np,pq,nq->n", wx, fixed, wx)
        for number, gram in enumerate(found.own):
            mine, place = t.group == number, edges[-2] + number
            beyond = float((spread * found.r)[mine].sum()) - float(mine.sum())
            score[place] = beyond + float((found.k * gram).sum())
            bend[place, place] = 2 * score[place]
        return score, bend

    def second_moments(self, theta: Array) -> tuple[Array, Array]:
        """Of Kenward and Roger; every variance enters V linearly, so the second is not needed."""
        found = self._inverse(theta)
        x = self.x[self.terms.rows]
        sides = self._moved(found, theta, self._solved(found, x))
        k, n, p = sides.shape
        solved = self._solved(found, sides.transpose(1, 0, 2).reshape(n, -1)).reshape(n, k, p)
        q = np.einsum("knp,njq->kjpq", sides, solved)
        return q, np.zeros_like(q)


def _psi_slopes(term: RandomTerm, theta: Array) -> Array:
    """Derivatives of Psi by the elements of its factor: (k, q, q)."""
    lam = term.factor(theta)
    i, j = term.entries
    half = np.zeros((len(i), *lam.shape))
    half[np.arange(len(i)), i] = lam[:, j].T
    return half + np.swapaxes(half, 1, 2)


def _own_blocks(matrix: Array, block: slice, q: int) -> Array:
    """Sum of the diagonal blocks of a term's levels."""
    own = matrix[block, block].reshape(-1, q, (block.stop - block.start) // q, q)
    return np.asarray(np.einsum("liLj->lLij", own)[np.arange(len(own)), np.arange(len(own))].sum(0))
