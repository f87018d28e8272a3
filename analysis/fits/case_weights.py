"""Cross-products of trials in which every patient counts a given number of times."""

import numpy as np

from analysis.engine.products import Pooled, outcome_sums, pairs, summed
from analysis.engine.structure import Array
from analysis.fits.design import Design

MOST = 20_000_000
"""Numbers of the patients' own sums; beyond that a design is too large to be resampled."""


class CaseProducts:
    """A design's patients, each with its own sums, to be added with whole weights."""

    def __init__(self, design: Design) -> None:
        products, whole = design.products, design.pooled
        p, m = products.n_fixed, design.n_subjects
        rows, cols = pairs(p)
        everyone = np.arange(m)
        bx, by = products.b[:, :, :p], products.b[:, :, p]
        self.whole, self.n_rows = whole, products.n_rows.astype(float)
        self.order = np.argsort(products.pattern, kind="stable")
        self.starts = np.flatnonzero(np.diff(products.pattern[self.order], prepend=-1))
        self.u_xx = summed(bx, bx, rows, cols, everyone)
        self.u_y = outcome_sums(bx, by[None], everyone)[0]
        self.c_xx, self.c_y = products.c[:, rows, cols], products.c[:, :, p]

    @property
    def size(self) -> int:
        """Numbers that one weighted trial needs."""
        return int(self.u_xx.size + self.u_y.size)

    def weighted(self, weights: Array) -> Pooled:
        """One replicate per row of `weights` (R, patients)."""
        return Pooled(
            self.whole.a,
            np.add.reduceat(weights[:, self.order], self.starts, axis=1),
            weights @ self.n_rows,
            self._by_pattern(self.u_xx, weights),
            self._by_pattern(self.u_y, weights),
            weights @ self.c_xx,
            weights @ self.c_y,
        )

    def _by_pattern(self, sums: Array, weights: Array) -> Array:
        """(s, m, c) weighted by (R, m) and added over the patients of a pattern: (R, s, G, c)."""
        each = sums[None, :, self.order] * weights[:, None, self.order, None]
        return np.asarray(np.add.reduceat(each, self.starts, axis=2))
