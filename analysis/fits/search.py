"""The optimum of one design from several starts, confirmed by statsmodels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.likelihood import Point, evaluate
from analysis.engine.moment_start import moment_covariance
from analysis.engine.newton import EXACT, Optima, chosen, minimize
from analysis.engine.products import Pooled
from analysis.engine.structure import Array, Index, RandomStructure
from analysis.fits import statsmodels_bridge as bridge

if TYPE_CHECKING:
    from analysis.fits.design import Design

START_SCALES = (1.0, 0.1, 0.3, 3.0, 10.0)
"""Standard deviations of the random effects to look at first, relative to the residual's."""
APART = (0.1, 5.0)
"""The same for one effect while the others stay at 1."""
STARTS = 2
"""Searches made where one is not enough, see `_starts`."""
MANY = 3
"""Random effects from which a third search begins at independent effects of the residual's size."""
LEAST = 0.05
"""Smallest standard deviation of a start: at zero the gradient vanishes."""
LARGE = 200
"""Visit patterns above which the first look is at common scales only."""
SEARCH_LIMIT_SUBJECTS = 1000
"""Above this statsmodels only evaluates our optimum: its own search would take minutes."""
AGREEMENT = 1e-4


class Optimum(NamedTuple):
    """Best of several starts, on the scaled problem; `point` has one replicate.

    gradient_norm: largest element of the gradient in theta. agreement: gap in -2 log-likelihood
    between the two best starts.
    """

    theta: Array
    point: Point
    converged: bool
    gradient_norm: float
    agreement: float

    @property
    def criterion(self) -> float:
        return float(self.point.criterion[0])

    @property
    def beta(self) -> Array:
        return np.asarray(self.point.beta[0])

    @property
    def sigma2(self) -> float:
        return float(self.point.sigma2[0])

    @property
    def covariance(self) -> Array:
        """Covariance of the scaled fixed effects."""
        return np.asarray(self.sigma2 * self.point.covariance[0])


class Starts(NamedTuple):
    """Where searches begin, (R, parameters), and the likelihood there when it is known."""

    theta: Array
    point: Point | None = None


def optimize(design: "Design", reml: bool, starts: Starts | Sequence[Array]) -> Optimum:
    """Smallest criterion over the starts. Raises LinAlgError when none can be evaluated."""
    given = starts if isinstance(starts, Starts) else Starts(np.stack(starts))
    return _best(design.pooled, design.structure, reml, given)


def optimum_of(pooled: Pooled, structure: RandomStructure, reml: bool) -> Optimum:
    """The same for cross-products alone, from starts of their own."""
    return _best(pooled, structure, reml, _starts(pooled, structure, reml))


def _best(pooled: Pooled, structure: RandomStructure, reml: bool, given: Starts) -> Optimum:
    found = minimize(pooled, structure, reml, given.theta, EXACT, given.point)
    if not found.point.ok.any():
        raise np.linalg.LinAlgError("the likelihood cannot be evaluated")
    order = np.asarray(np.argsort(found.point.criterion, kind="stable"), dtype=np.intp)
    best = _clearest(found, order)
    values = found.point.criterion[order]
    point = Point(*(item[best : best + 1] for item in found.point))
    return Optimum(
        found.theta[best],
        point,
        bool(found.converged[best]),
        float(np.abs(point.gradient).max()),
        float(values[min(1, len(values) - 1)] - values[0]),
    )


def _clearest(found: Optima, order: Index) -> int:
    """Of the ends that are equally good the one with the most exact zeros."""
    best = found.point.criterion[order[0]]
    equal = [int(i) for i in order if found.point.criterion[i] <= best + 1e-9 and found.point.ok[i]]
    return max(equal, key=lambda i: int((found.theta[i] == 0).sum()))


def _starts(pooled: Pooled, structure: RandomStructure, reml: bool) -> Starts:
    """Points near the optimum: the best of a first look at some covariances, one step further.

    One or two random effects whose moment estimate is a covariance by itself have one top beside
    it, and one search from there is enough. Near a variance of zero, and with nested factors, the
    two best points of the look are searched from; with more effects from independent ones besides,
    for there a likelihood can have one top at zero and another one far inside.
    """
    moment = None if structure.nested else moment_covariance(pooled, structure)
    if moment is not None and structure.size < MANY and structure.is_covariance(moment, LEAST)[0]:
        theta = structure.nearest(moment, LEAST)
        return _stepped(theta, evaluate(theta, pooled, structure, reml), pooled, structure, reml)
    theta = np.stack(_looked(structure, moment, len(pooled.a) > LARGE))
    found = evaluate(theta, pooled, structure, reml)
    best = np.argsort(found.criterion, kind="stable")[: 1 if len(pooled.a) > LARGE else STARTS]
    starts = _stepped(theta[best], chosen(found, best), pooled, structure, reml)
    if len(pooled.a) > LARGE or structure.size < MANY:
        return starts
    assert starts.point is not None
    joined = zip(starts.point, chosen(found, np.arange(1)), strict=True)
    return Starts(np.concatenate([starts.theta, theta[:1]]), Point(*map(np.concatenate, joined)))


def _looked(structure: RandomStructure, moment: Array | None, large: bool) -> list[Array]:
    """Independent effects of the residual's size first, the moment estimate last."""
    looked = [structure.start(scale) for scale in START_SCALES]
    if not large and len(structure.diagonal_parameters) > 1:
        for parameter in structure.diagonal_parameters:
            for scale in APART:
                looked.append(structure.start(1.0))
                looked[-1][parameter] = scale
    return looked if moment is None else [*looked, *structure.nearest(moment, LEAST)]


def _stepped(
    theta: Array, before: Point, pooled: Pooled, structure: RandomStructure, reml: bool
) -> Starts:
    """Every point after a step of scoring, where that is better."""
    moved = _scored(structure, theta, before)
    after = evaluate(moved, pooled, structure, reml)
    better = after.criterion < before.criterion
    if better.all():
        return Starts(moved, after)
    point = Point(*(_where(better, *both) for both in zip(after, before, strict=True)))
    return Starts(_where(better, moved, theta), point)


def _where(rows: np.ndarray, one: Array, two: Array) -> Array:
    return np.where(rows.reshape(-1, *[1] * (one.ndim - 1)), one, two)


def _scored(structure: RandomStructure, theta: Array, point: Point) -> Array:
    """Each start after one step of Fisher scoring in the variances themselves.

    There the step is that of MINQUE and ends near the optimum from far away, where Newton's on the
    Cholesky factor takes several. What is not a covariance is lifted into one.
    """
    rows, cols, parameters = structure.positions
    moved = []
    for index, start in enumerate(theta):
        slope, curve = point.log_slope[index], point.log_curve[index]
        gradient = slope + point.degrees[index] / point.r2[index] * point.r2_slope[index]
        information = -curve - np.outer(slope, slope) / point.degrees[index]
        factor = structure.factor(start)
        psi = np.zeros(len(start))
        psi[parameters] = (factor @ factor.T)[rows, cols]
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            step = np.zeros_like(psi)
        moved.append(structure.nearest(psi - step, LEAST) if point.ok[index] else start)
    return np.stack(moved)


def search(design: "Design", reml: bool, verify: bool) -> tuple[Optimum, bridge.Refit]:
    """Best of several starts, then statsmodels from there; its optimum is taken when better."""
    optimum = optimize(design, reml, _starts(design.pooled, design.structure, reml))
    if not verify:
        return optimum, bridge.NOT_ASKED
    refit = _refit(design, optimum, reml)
    if criterion_at(design, refit.theta, reml) < optimum.criterion - AGREEMENT:
        assert refit.theta is not None
        optimum = optimize(design, reml, [optimum.theta, refit.theta])
        refit = _refit(design, optimum, reml)
    return optimum, refit


def criterion_at(design: "Design", theta: Array | None, reml: bool) -> float:
    """Our criterion where statsmodels ended. Near a singular covariance its own log-likelihood
    can come out infinite, so its claim of a better optimum counts only when this confirms it."""
    if theta is None or not np.isfinite(theta).all():
        return float("inf")
    point = evaluate(theta[None], design.pooled, design.structure, reml)
    return float(point.criterion[0]) if point.ok[0] else float("inf")


def _refit(design: "Design", optimum: Optimum, reml: bool) -> bridge.Refit:
    return bridge.statsmodels_refit(
        design.y_scaled,
        design.x_scaled,
        design.z_scaled,
        design.nested_levels,
        design.patient,
        design.structure,
        optimum.theta,
        reml,
        search=design.n_subjects <= SEARCH_LIMIT_SUBJECTS,
    )
