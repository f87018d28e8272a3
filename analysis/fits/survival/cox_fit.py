"""A fitted proportional hazards model: estimates, residuals, what checks ask of it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analysis.engine.maximum import Maximum, maximize, profile_interval
from analysis.engine.partial_likelihood import RiskSets
from analysis.engine.structure import Array, Index
from analysis.fits.survival.design import Covariates
from analysis.fits.survival.rows import EventRows
from analysis.results import Estimate, finite

NO_END = 12.0
"""Estimate per standard deviation of its covariate (log hazard) from which it has no end."""
FLAT = 1e-6
"""Information in a direction, relative to that without effects, below which there is none."""


@dataclass(eq=False)
class FittedCox:
    """Design, risk sets and, once found, the maximum. Held by `Fit.design`."""

    design: Covariates
    sets: RiskSets
    rows: EventRows
    cluster: Index | None
    level: float
    firth: bool = False
    found: Maximum = field(init=False)

    @cached_property
    def covariance(self) -> Array:
        """Of the scaled estimates: inverse information, or the sandwich where rows are grouped."""
        inverse = np.linalg.pinv(self.sets.point(self.found.beta).information, hermitian=True)
        if self.cluster is None:
            return np.asarray(inverse)
        parts = np.zeros((int(self.cluster.max()) + 1, len(self.found.beta)))
        np.add.at(parts, self.cluster, self.sets.score_residuals(self.found.beta) @ inverse)
        return np.asarray(parts.T @ parts)

    @property
    def log_likelihood(self) -> float:
        """At the maximum; Firth's penalty holds the information on the scale of the data."""
        units = float(np.log(self.design.scale).sum()) if self.firth else 0.0
        return self.found.value + units

    @property
    def std_error(self) -> Array:
        return np.asarray(np.sqrt(np.diag(self.covariance)) / self.design.scale)

    def estimates(self) -> tuple[Estimate, ...]:
        """One row per covariate, as log hazard ratios."""
        return tuple(self._estimate(index) for index in range(len(self.design.names)))

    def _estimate(self, index: int) -> Estimate:
        from scipy.stats import chi2, norm

        scale = float(self.design.scale[index])
        value, error = float(self.found.beta[index]) / scale, float(self.std_error[index])
        name = self.design.names[index]
        if not self.firth or self.cluster is not None:
            width = norm.ppf(0.5 + self.level / 2) * error
            p_value = 2 * norm.sf(abs(value / error))
            return Estimate(name, value, error, None, finite(value / error), float(p_value),
                            finite(value - width), finite(value + width))  # fmt: skip
        likelihood = penalized(self.sets)
        held = self.found.beta.copy()
        held[index] = 0.0
        others = np.array([i for i in range(len(held)) if i != index], dtype=np.intp)
        null = maximize(likelihood, held, others).value if len(others) else likelihood(held)[0]
        statistic = max(2 * (self.found.value - null), 0.0)
        ends = profile_interval(likelihood, self.found, index, chi2.ppf(self.level, 1) / 2)
        low, high = (None if end is None else end / scale for end in ends)
        return Estimate(
            name, value, error, None, statistic, float(chi2.sf(statistic, 1)), low, high
        )


def fit_cox_core(sets: RiskSets, *, firth: bool) -> Maximum:
    """The maximum of the partial likelihood, with Firth's penalty or without."""
    start = np.zeros(sets.x.shape[1])
    if firth:
        return maximize(penalized(sets), start)

    def likelihood(beta: Array) -> tuple[float, Array, Array]:
        point = sets.point(beta)
        return point.value, point.score, point.information

    return maximize(likelihood, start)


def penalized(sets: RiskSets):  # type: ignore[no-untyped-def]
    """Log partial likelihood plus half the log determinant of the information (Jeffreys)."""

    def likelihood(beta: Array) -> tuple[float, Array, Array]:
        point = sets.point(beta)
        sign, log_det = np.linalg.slogdet(point.information)
        if sign <= 0:
            return -np.inf, point.score, point.information
        slopes = sets.third(sets.weights(beta), point.terms)
        inverse = np.linalg.inv(point.information)
        score = point.score + 0.5 * np.einsum("ij,ijk->k", inverse, slopes)
        return point.value + 0.5 * float(log_det), score, point.information

    return likelihood


def diverges(found: Maximum, sets: RiskSets) -> bool:
    """Whether an estimate runs away: far out, or where the likelihood has gone flat."""
    before = sets.point(np.zeros_like(found.beta)).information
    return runs_away(found.beta, before, sets.point(found.beta).information)


def runs_away(beta: Array, before: Array, after: Array) -> bool:
    """From the information without effects (before) and at the end of the search (after)."""
    if np.abs(beta).max(initial=0.0) > NO_END:
        return True
    least, left = np.linalg.eigvalsh(before)[0], np.linalg.eigvalsh(after)[0]
    return bool(left < FLAT * max(float(least), 1e-300))
