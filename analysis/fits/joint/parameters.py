"""Where each parameter of a joint model stands in the vector that is searched."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from analysis.engine.structure import Array, Index


@dataclass(frozen=True)
class OutcomeIndex:
    """Positions of one event cause (or of the response): baseline or intercept, covariates,
    association."""

    baseline: slice
    covariates: slice
    association: slice

    @property
    def fixed(self) -> slice:
        """Baseline and covariates, which stand side by side."""
        return slice(self.baseline.start, self.covariates.stop)


@dataclass(frozen=True)
class Layout:
    """Fixed effects (n_fixed), Cholesky factor of the random effects' covariance by rows, log of
    the residual standard deviation, then for each outcome (baseline, covariates, association).

    nested: that many effects, the last ones, are independent of all others (of a lesion).
    """

    n_fixed: int
    n_random: int
    outcomes: tuple[tuple[int, int, int], ...]
    nested: int = 0

    @property
    def beta(self) -> slice:
        return slice(0, self.n_fixed)

    @cached_property
    def entries(self) -> tuple[Index, Index]:
        """Row and column of each entry of the factor."""
        rows, cols = np.tril_indices(self.n_random)
        kept = (rows < self.n_random - self.nested) | (rows == cols)
        return rows[kept].astype(np.intp), cols[kept].astype(np.intp)

    @property
    def factor(self) -> slice:
        return slice(self.n_fixed, self.log_sigma)

    @property
    def log_sigma(self) -> int:
        return self.n_fixed + len(self.entries[0])

    @cached_property
    def outcome(self) -> tuple[OutcomeIndex, ...]:
        found, at = [], self.log_sigma + 1
        for sizes in self.outcomes:
            ends = np.cumsum([at, *sizes])
            slices = [slice(int(a), int(b)) for a, b in pairwise(ends)]
            found.append(OutcomeIndex(*slices))
            at = int(ends[-1])
        return tuple(found)

    @property
    def size(self) -> int:
        return self.log_sigma + 1 + sum(sum(sizes) for sizes in self.outcomes)

    def column(self, effect: int) -> tuple[Index, Index]:
        """Rows of the factor's column `effect`, and their positions in the vector."""
        rows, cols = self.entries
        here = np.flatnonzero(cols == effect)
        return rows[here], np.asarray(self.n_fixed + here, dtype=np.intp)

    def factor_of(self, theta: Array) -> Array:
        """The lower triangular factor, (effects, effects)."""
        lam = np.zeros((self.n_random, self.n_random))
        lam[self.entries] = theta[self.factor]
        return lam
