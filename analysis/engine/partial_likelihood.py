"""Partial likelihood of the proportional hazards model with its derivatives.

Counting-process rows (entry, exit], strata, ties by Efron (doi:10.1080/01621459.1977.10480613) or
Breslow. Every event time gives one term per event: risk-set moments with the share of the tied
events taken out (Efron), all of it kept (Breslow).
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array, Index


class Term(NamedTuple):
    """Moments of the risk set behind each event, first axis: event. total: sum of weights; mean:
    (E, p); covariance: (E, p, p)."""

    total: Array
    mean: Array
    covariance: Array


class PartialPoint(NamedTuple):
    """Log partial likelihood at beta, its score and information, and the terms behind them."""

    value: float
    score: Array
    information: Array
    terms: Term


@dataclass(eq=False)
class RiskSets:
    """Rows of one model. entry: -inf where a row is at risk from the start; stratum: 0, 1, ...

    x is centered on the way in; the partial likelihood does not change with it.
    """

    x: Array
    entry: Array
    exit: Array
    event: NDArray[np.bool_]
    stratum: Index
    efron: bool = True

    @cached_property
    def order(self) -> Index:
        """Rows with an event, by stratum and time; ties keep the order of the rows."""
        rows = np.flatnonzero(self.event)
        return rows[np.lexsort((self.exit[rows], self.stratum[rows]))]

    @cached_property
    def tie(self) -> Index:
        """Number of the event time behind each event of `order`."""
        time, stratum = self.exit[self.order], self.stratum[self.order]
        new = np.append(True, (np.diff(time) != 0) | (np.diff(stratum) != 0))
        return np.cumsum(new) - 1

    @cached_property
    def share(self) -> Array:
        """Part of the tied events' weight that is taken out of the risk set of each event."""
        count = np.bincount(self.tie)
        first = np.append(0, np.cumsum(count)[:-1])
        place = np.arange(len(self.tie)) - first[self.tie]
        return place / count[self.tie] if self.efron else np.zeros(len(self.tie))

    @cached_property
    def first(self) -> Index:
        """Place in `order` where each event time begins."""
        return np.asarray(np.flatnonzero(np.diff(self.tie, prepend=-1)))

    @cached_property
    def _entered(self) -> "_Suffix":
        return _Suffix.of(self.entry, self.stratum, self._times)

    @cached_property
    def _left(self) -> "_Suffix":
        return _Suffix.of(self.exit, self.stratum, self._times)

    @property
    def _times(self) -> tuple[Array, Index]:
        rows = self.order[self.first]
        return self.exit[rows], self.stratum[rows]

    def at_risk(self, row: int) -> NDArray[np.bool_]:
        """Rows under observation just before the event of `row`, in its stratum."""
        time = self.exit[row]
        inside = (self.entry < time) & (self.exit >= time)
        return np.asarray(inside & (self.stratum == self.stratum[row]))

    def weights(self, beta: Array) -> Array:
        """exp(x beta) of every row, scaled so that the largest is 1."""
        linear = self.x @ beta
        return np.asarray(np.exp(linear - linear.max(initial=-np.inf)))

    def point(self, beta: Array) -> PartialPoint:
        """Value, score and information at beta."""
        linear, weight = self.x @ beta, self.weights(beta)
        terms = self.terms(weight)
        shift = linear.max(initial=-np.inf)
        value = float((linear[self.order] - shift - np.log(terms.total)).sum())
        score = (self.x[self.order] - terms.mean).sum(axis=0)
        return PartialPoint(value, score, terms.covariance.sum(axis=0), terms)

    def terms(self, weight: Array) -> Term:
        """Moments of the risk set of each event under weights of the rows."""
        cross = self.x[:, :, None] * self.x[:, None, :]
        totals, firsts, seconds = (
            self._sums(weight * part) if part.ndim == 1 else self._sums(_weighted(part, weight))
            for part in (np.ones(len(weight)), self.x, cross)
        )
        mean = firsts / totals[:, None]
        covariance = seconds / totals[:, None, None] - mean[:, :, None] * mean[:, None, :]
        return Term(totals, mean, covariance)

    def third(self, weight: Array, terms: Term) -> Array:
        """Third central moments of the risk sets, summed over the events: (p, p, p)."""
        n, p = self.x.shape
        cube = np.einsum("ni,nj,nk->nijk", self.x, self.x, self.x).reshape(n, -1)
        raw = (self._sums(_weighted(cube, weight)) / terms.total[:, None]).reshape(-1, p, p, p)
        mean, second = terms.mean, terms.covariance
        mixed = np.einsum("ei,ejk->eijk", mean, second)
        mixed = mixed + np.einsum("ej,eik->eijk", mean, second)
        mixed = mixed + np.einsum("ek,eij->eijk", mean, second)
        cubes = np.einsum("ei,ej,ek->eijk", mean, mean, mean)
        return np.asarray((raw - mixed - cubes).sum(axis=0))

    def score_residuals(self, beta: Array) -> Array:
        """Each row's part of the score, (rows, p), which they sum to (Therneau 2000, 4.6)."""
        weight, found = self.weights(beta), np.zeros_like(self.x)
        terms = self.terms(weight)
        count = np.bincount(self.tie)
        for place, (row, tie) in enumerate(zip(self.order, self.tie, strict=True)):
            dying = np.zeros(len(weight), dtype=bool)
            dying[self.order[self.tie == tie]] = True
            kept = np.where(dying, 1 - self.share[place], 1.0) * self.at_risk(row)
            pull = dying / count[tie] - weight * kept / terms.total[place]
            found += pull[:, None] * (self.x - terms.mean[place])
        return found

    def _sums(self, weighted: Array) -> Array:
        """Sums over the risk set of each event, less the share of the tied events."""
        flat = weighted.reshape(len(weighted), -1)
        risk = self._left.sums(flat) - self._entered.sums(flat)
        dying = np.add.reduceat(flat[self.order], self.first, axis=0)
        found = risk[self.tie] - self.share[:, None] * dying[self.tie]
        return np.asarray(found.reshape(len(self.tie), *weighted.shape[1:]))


class _Suffix(NamedTuple):
    """Sums over the rows of a stratum whose time is not before each of some times."""

    order: Index
    begin: Index
    end: Index

    @classmethod
    def of(cls, time: Array, stratum: Index, at: tuple[Array, Index]) -> "_Suffix":
        order = np.lexsort((-time, stratum))
        begin, end = np.zeros(len(at[0]), dtype=np.intp), np.zeros(len(at[0]), dtype=np.intp)
        edges = np.searchsorted(stratum[order], np.arange(int(stratum.max(initial=0)) + 2))
        for number, (low, high) in enumerate(pairwise(edges)):
            here = at[1] == number
            begin[here] = low
            end[here] = low + np.searchsorted(-time[order[low:high]], -at[0][here], side="right")
        return cls(order, begin, end)

    def sums(self, flat: Array) -> Array:
        total = np.concatenate([np.zeros((1, flat.shape[1])), np.cumsum(flat[self.order], axis=0)])
        return np.asarray(total[self.end] - total[self.begin])


def _weighted(part: Array, weight: Array) -> Array:
    return np.asarray(part * weight.reshape(-1, *([1] * (part.ndim - 1))))
