"""Restricted likelihood of a censored model: the variances that its small-sample tests rest on.

Maximum likelihood takes no account of the fixed effects it estimated, so with few patients its
variances are too small. Cox and Reid's adjusted profile likelihood makes up for them:
l(v) - log det J(v) / 2, where l(v) is the log-likelihood of the variances v at the fixed effects
that are best for them and J(v) the information of these (1987,
doi:10.1111/j.2517-6161.1987.tb01422.x). Where nothing is censored it is the restricted likelihood
(REML) to the last digit, and so are the standard errors and degrees of freedom that come from it.

Degrees of freedom of a contrast are Satterthwaite's: twice its squared variance over the variance
of that variance, by the delta method from the information of all variance parameters (Giesbrecht
and Burns 1985, doi:10.2307/2530863). Score and curvature of l are exact; those of log det J are
differences.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.joint.likelihood import Evaluation, Integral
from analysis.fits.joint.parameters import Layout
from analysis.fits.joint.search import HALVINGS, NEAR, Found, ascent
from analysis.fits.joint.starts import WEAK

STEP = 1e-3
"""Change of a variance parameter by which J is differenced; all are of size one."""
STEPS, DECREMENT, FIXED_STEPS = 40, 1e-7, 20
FLAT = 1e-8
"""Directions of less curvature than this share of the largest carry no information, as at a
variance of zero; the degrees of freedom leave them out."""


class Restricted(NamedTuple):
    """At the maximum of the restricted likelihood, on the working scale.

    covariance: of the fixed effects. slopes: its derivative in each variance parameter.
    spread: covariance of the variance parameters. theta: all parameters.
    """

    theta: Array
    covariance: Array
    slopes: Array
    spread: Array

    def degrees(self, rows: Array) -> Array:
        """Satterthwaite's degrees of freedom of contrasts of the fixed effects (working scale)."""
        variance = np.einsum("lp,pq,lq->l", rows, self.covariance, rows)
        gradient = np.einsum("lp,vpq,lq->lv", rows, self.slopes, rows)
        spread = np.einsum("lv,vw,lw->l", gradient, self.spread, gradient)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0, 2 * variance**2 / spread, np.inf)


class Point(NamedTuple):
    """The restricted likelihood at one vector of variances, and the full one beneath it.

    whole.theta: with the best fixed effects.
    """

    theta: Array
    whole: Evaluation
    value: float


class Curved(NamedTuple):
    """Score and Hessian of a criterion in the variances, and the change of J in each of them."""

    score: Array
    hessian: Array
    slopes: Array


@dataclass(frozen=True, eq=False)
class RestrictedLikelihood:
    """adjusted: with the term in J, without it the profile of the full likelihood."""

    likelihood: Integral
    adjusted: bool = True

    @property
    def layout(self) -> Layout:
        return self.likelihood.layout

    @property
    def fixed(self) -> slice:
        return self.layout.beta

    @property
    def free(self) -> slice:
        """Where the variance parameters stand: the factor and the log residual deviation."""
        return slice(self.layout.n_fixed, self.layout.log_sigma + 1)

    def at(self, theta: Array, start: Evaluation) -> Point:
        """The fixed effects that are best for these variances. Raises LinAlgError where there are
        none."""
        theta, whole = theta.copy(), start
        for _ in range(FIXED_STEPS):
            whole = self.likelihood.evaluate(theta, self.likelihood.centers(theta, whole.centers))
            step = np.linalg.solve(self._information(whole), whole.score[self.fixed])
            if 0.5 * float(whole.score[self.fixed] @ step) < 0.01 * DECREMENT:
                break
            theta[self.fixed] += step
        sign, log_det = np.linalg.slogdet(self._information(whole))
        if sign <= 0 or not np.isfinite(whole.value):
            raise np.linalg.LinAlgError("the information of the fixed effects is not positive")
        return Point(theta, whole, whole.value - 0.5 * log_det * self.adjusted)

    def _information(self, whole: Evaluation) -> Array:
        return -whole.hessian[self.fixed, self.fixed]

    def bend(self, point: Point) -> Array:
        """Change of the best fixed effects with each variance parameter, (fixed, variances)."""
        cross = point.whole.hessian[self.fixed, self.free]
        return np.asarray(np.linalg.solve(self._information(point.whole), cross))

    def curved(self, point: Point) -> Curved:
        """Score and Hessian at a point."""
        n = self.free.stop - self.free.start

        def moved(*directions: tuple[int, float]) -> Array:
            change = np.zeros(n)
            for index, sign in directions:
                change[index] += sign * STEP
            return self._information(self._moved(point, change).whole)

        middle = self._information(point.whole)
        inverse = np.linalg.inv(middle)
        up = [moved((k, 1.0)) for k in range(n)]
        down = [moved((k, -1.0)) for k in range(n)]
        slopes = np.array([(u - d) / (2 * STEP) for u, d in zip(up, down, strict=True)])
        whole, bend = point.whole, self.bend(point)
        score = whole.score[self.free].copy()
        hessian = (
            whole.hessian[self.free, self.free] + bend.T @ whole.hessian[self.fixed, self.free]
        )
        if self.adjusted:
            relative = inverse @ slopes
            score -= 0.5 * np.trace(relative, axis1=1, axis2=2)
            for k in range(n):
                for m in range(k + 1):
                    if k == m:
                        second = up[k] + down[k] - 2 * middle
                    else:
                        both = moved((k, 1.0), (m, 1.0)) + moved((k, -1.0), (m, -1.0))
                        second = 0.5 * (both + 2 * middle - up[k] - down[k] - up[m] - down[m])
                    value = np.trace(inverse @ second) / STEP**2
                    value -= np.trace(relative[k] @ relative[m])
                    hessian[k, m] -= 0.5 * value
                    hessian[m, k] = hessian[k, m]
        return Curved(score, hessian, slopes)

    def highest(self, found: Found) -> tuple[Point, Curved]:
        """Newton's method with halved steps from the maximum of the full likelihood.

        Raises LinAlgError where no maximum is found.
        """
        point = self.at(self._start(found.theta), found.evaluation)
        curved = self.curved(point)
        for _ in range(STEPS):
            step = _newton(point, curved)
            decrement = 0.5 * float(curved.score @ step)
            if decrement < DECREMENT:
                return point, curved
            moved = self._near(point, step, decrement) or self._line(point, step)
            if moved is None:
                break
            point, curved = moved
        raise np.linalg.LinAlgError("no maximum of the restricted likelihood was found")

    def _near(self, point: Point, step: Array, decrement: float) -> tuple[Point, Curved] | None:
        """Near the end a full step that makes the next one smaller (see `search`)."""
        if decrement >= NEAR:
            return None
        try:
            new = self._moved(point, step)
            curved = self.curved(new)
        except np.linalg.LinAlgError:
            return None
        smaller = 0.5 * float(curved.score @ _newton(new, curved)) < 0.5 * decrement
        return (new, curved) if smaller else None

    def _start(self, theta: Array) -> Array:
        """A variance that vanished may be there under the restricted likelihood, and zero is a
        stationary point of both."""
        theta = theta.copy()
        if not self.adjusted:
            return theta
        rows, cols = self.layout.entries
        weak = (rows == cols) & (np.abs(theta[self.layout.factor]) < WEAK)
        theta[self.layout.factor] = np.where(weak, WEAK, theta[self.layout.factor])
        return theta

    def _line(self, point: Point, step: Array) -> tuple[Point, Curved] | None:
        """First of the halved steps that gains."""
        size = 1.0
        for _ in range(HALVINGS):
            try:
                new = self._moved(point, size * step)
                if new.value > point.value:
                    return new, self.curved(new)
            except np.linalg.LinAlgError:
                pass
            size /= 2
        return None

    def _moved(self, point: Point, step: Array) -> Point:
        theta = point.theta.copy()
        theta[self.free] += step
        theta[self.fixed] += self.bend(point) @ step
        return self.at(theta, point.whole)


def _newton(point: Point, curved: Curved) -> Array:
    return ascent(Evaluation(point.value, curved.score, curved.hessian, point.whole.centers))


def restricted(
    likelihood: Integral, found: Found, censored: bool, adjusted: bool = True
) -> Restricted:
    """The maximum, and what the tests take from it.

    censored: whether any value is. Then the best fixed effects move with the variances, and what
    that adds to their uncertainty counts (without censoring its expectation is zero, as REML has
    it). Raises LinAlgError where there is no maximum.
    """
    criterion = RestrictedLikelihood(likelihood, adjusted)
    point, curved = criterion.highest(found)
    information = -point.whole.hessian[criterion.fixed, criterion.fixed]
    inverse = np.asarray(np.linalg.inv(information), dtype=float)
    spread = _inverse(-curved.hessian)
    covariance = inverse
    if censored:
        bend = criterion.bend(point)
        covariance = np.asarray(inverse + bend @ spread @ bend.T, dtype=float)
    return Restricted(point.theta, covariance, -inverse @ curved.slopes @ inverse, spread)


def _inverse(information: Array) -> Array:
    """Without the directions that have no curvature."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    kept = values > FLAT * max(float(values.max()), 1.0)
    return np.asarray(
        (vectors[:, kept] / values[kept]) @ vectors[:, kept].T / np.outer(scale, scale)
    )
