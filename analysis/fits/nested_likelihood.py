"""Log-likelihood of patients whose measurements lie in lesions: an integral within an integral.

Given the effects u of a patient the lesions are independent, each with an intercept w of its own:

    L = integral over u of the product over lesions of (integral over w of p(rows | u, w)),

so a lesion costs an integral of one dimension more than the patient's effects, however many lesions
there are. The nodes of u stand at the mode and along the curvature of the patient's posterior of
all effects with those of the lesions taken out, the nodes of w along each lesion's own given u:
where nothing is censored both are exact (nested adaptive quadrature: Rabe-Hesketh, Skrondal and
Pickles 2005, doi:10.1016/j.jeconom.2004.08.017). Score and information are those of
`analysis.fits.joint.likelihood`, with the variance of the score taken in two steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.fits.joint.contributions import (
    Contribution,
    effect_derivatives,
    expected_curvature,
    gram,
    lifted,
    scores,
)
from analysis.fits.joint.likelihood import (
    HALVINGS,
    LOG_2PI,
    MODE_STEPS,
    MODE_TOLERANCE,
    Centers,
    Evaluation,
    log_sum_exp,
    placed,
    prior_centers,
)
from analysis.fits.joint.parameters import Layout
from analysis.fits.joint.parts import Measurements
from analysis.fits.joint.quadrature import Grid, hermite_grid


@dataclass(frozen=True, eq=False)
class LesionBlock:
    """Lesions of some patients, side by side: one row of `part` per lesion.

    first: where each patient's lesions begin; owner: place in the block of each lesion's patient.
    The last random effect of `part` is the lesion's own.
    """

    first: Index
    owner: Index
    part: Measurements

    def total(self, of_lesions: Array) -> Array:
        """Sum over the lesions of each patient."""
        return np.asarray(np.add.reduceat(of_lesions, self.first, axis=0))


class Spread(NamedTuple):
    """What the nodes weigh. log_sum: log-likelihood of each patient; outer: of the nodes of u,
    (patients, nodes); inner: of the nodes of w given u, (lesions, nodes of u, nodes of w)."""

    log_sum: Array
    outer: Array
    inner: Array


class Arrow(NamedTuple):
    """Log-posterior of u and all w of each patient, gradients, and minus its curvature, which is
    shaped like an arrow: lesions touch the patient's effects only."""

    value: Array
    patient: Array
    lesion: Array
    both: Array
    own: Array
    schur: Array


@dataclass(frozen=True, eq=False)
class NestedLikelihood:
    """As `analysis.fits.joint.likelihood.Likelihood`, by lesion: centers are (lesions, effects)
    with the lesion's own effect last. per_effect: nodes of each."""

    layout: Layout
    per_effect: int
    blocks: tuple[LesionBlock, ...]

    @property
    def grid(self) -> Grid:
        """Nodes of u, each followed by the nodes of w."""
        return hermite_grid(self.layout.n_random, self.per_effect)

    def start(self) -> tuple[Centers, ...]:
        """Centers to search from: the prior."""
        return tuple(prior_centers(len(b.owner), self.layout.n_random) for b in self.blocks)

    def centers(self, theta: Array, start: Sequence[Centers]) -> tuple[Centers, ...]:
        """Posterior modes and curvatures at these parameters."""
        return tuple(
            lesion_center(block, theta, center.mode)
            for block, center in zip(self.blocks, start, strict=True)
        )

    def value(self, theta: Array, centers: Sequence[Centers]) -> float:
        """Log-likelihood with the nodes at these centers."""
        return sum(
            float(self._spread(block, block.part.at(theta, u).value, u, center).log_sum.sum())
            for block, center, u in self._nodes(centers)
        )

    def evaluate(self, theta: Array, centers: Sequence[Centers]) -> Evaluation:
        """Value, exact score and exact Hessian of `value` with the nodes held."""
        size = self.layout.size
        total, score, hessian = 0.0, np.zeros(size), np.zeros((size, size))
        for block, center, u in self._nodes(centers):
            found = block.part.at(theta, u)
            spread = self._spread(block, found.value, u, center)
            total += float(spread.log_sum.sum())
            own_score, own_hessian = _derivatives(block, found, lifted(u), spread, size)
            score += own_score
            hessian += own_hessian
        return Evaluation(total, score, hessian, tuple(centers))

    def posterior_means(self, theta: Array, centers: Sequence[Centers]) -> Array:
        """Posterior mean of the patient's effects and its own, one row per lesion."""
        found = []
        for block, center, u in self._nodes(centers):
            spread = self._spread(block, block.part.at(theta, u).value, u, center)
            weight = (spread.inner * spread.outer[block.owner][:, :, None]).reshape(u.shape[:2])
            found.append(np.einsum("ij,ijq->iq", weight, u))
        return np.concatenate(found)

    def _nodes(self, centers: Sequence[Centers]) -> list[tuple[LesionBlock, Centers, Array]]:
        return [
            (block, center, placed(center, self.grid))
            for block, center in zip(self.blocks, centers, strict=True)
        ]

    def _spread(self, block: LesionBlock, value: Array, u: Array, center: Centers) -> Spread:
        q, n = self.layout.n_random - 1, self.per_effect
        shape = (len(value), -1, n)
        volume = np.log(np.diagonal(center.root, axis1=1, axis2=2))
        own = value - 0.5 * (u[:, :, q] ** 2 + LOG_2PI) + volume[:, q:]
        own = own.reshape(shape) + hermite_grid(1, n).log_weight
        lesion = log_sum_exp(own)
        patient_u = u[block.first, ::n, :q]
        outer = block.total(lesion) - 0.5 * ((patient_u**2).sum(axis=2) + q * LOG_2PI)
        outer += hermite_grid(q, n).log_weight + volume[block.first, :q].sum(axis=1)[:, None]
        log_sum = log_sum_exp(outer)
        return Spread(
            log_sum, np.exp(outer - log_sum[:, None]), np.exp(own - lesion[:, :, None])
        )  # fmt: skip


def _derivatives(
    block: LesionBlock, found: Contribution, v: Array, spread: Spread, size: int
) -> tuple[Array, Array]:
    """Score and Hessian of one block (Louis 1982). The variance of the score is the mean over u of
    its variance given u, a sum over lesions, and the variance over u of its mean given u."""
    outer = spread.outer[block.owner]
    weight = (spread.inner * outer[:, :, None]).reshape(found.value.shape)
    slopes = scores(found, v, size)
    by_node = slopes.reshape(*spread.inner.shape, size)
    lesion = np.einsum("ljm,ljmp->ljp", spread.inner, by_node)
    patient = block.total(lesion)
    mean = np.einsum("ij,ijp->ip", spread.outer, patient)
    hessian = expected_curvature(found, v, weight, size)
    hessian += gram(slopes * weight[:, :, None], slopes)
    hessian -= gram(lesion * outer[:, :, None], lesion)
    hessian += gram(patient * spread.outer[:, :, None], patient) - mean.T @ mean
    return mean.sum(axis=0), hessian


def lesion_center(block: LesionBlock, theta: Array, start: Array) -> Centers:
    """Mode of the posterior of all effects of each patient, by Newton's method with halved steps;
    root: of the covariance of u, and of w given u, per lesion. Raises LinAlgError where it is not
    finite."""
    u, w = start[block.first, :-1], start[:, -1]
    for _ in range(MODE_STEPS):
        arrow = _arrow(block, theta, u, w)
        step_u, step_w = _newton(block, arrow)
        longest = max(np.abs(step_u).max(initial=0.0), np.abs(step_w).max(initial=0.0))
        if longest <= MODE_TOLERANCE:
            break
        u, w = _stepped(block, theta, (u, w), (step_u, step_w), arrow.value)
    arrow = _arrow(block, theta, u, w)
    root_u = np.linalg.cholesky(np.linalg.inv(arrow.schur))[block.owner]
    q = u.shape[1]
    root = np.zeros((len(w), q + 1, q + 1))
    root[:, :q, :q] = root_u
    root[:, q, :q] = np.einsum("lq,lqr->lr", arrow.both / arrow.own[:, None], root_u)
    root[:, q, q] = arrow.own**-0.5
    return Centers(np.column_stack([u[block.owner], w]), root)


def _posterior(block: LesionBlock, found: Contribution, u: Array, w: Array) -> Array:
    patient = block.total(found.value[:, 0] - 0.5 * w**2)
    return np.asarray(patient - 0.5 * (u**2).sum(axis=1))


def _at(block: LesionBlock, theta: Array, u: Array, w: Array) -> Contribution:
    return block.part.at(theta, np.column_stack([u[block.owner], w])[:, None, :])


def _arrow(block: LesionBlock, theta: Array, u: Array, w: Array) -> Arrow:
    found = _at(block, theta, u, w)
    slope, curvature = effect_derivatives(found)
    both, own = curvature[:, :-1, -1], 1 - curvature[:, -1, -1]
    taken_out = both[:, :, None] * both[:, None, :] / own[:, None, None]
    schur = np.eye(u.shape[1]) - block.total(curvature[:, :-1, :-1] + taken_out)
    if not (np.isfinite(schur).all() and np.isfinite(own).all()):
        raise np.linalg.LinAlgError("the posterior of the random effects is not finite")
    value = _posterior(block, found, u, w)
    return Arrow(value, block.total(slope[:, :-1]) - u, slope[:, -1] - w, both, own, schur)


def _newton(block: LesionBlock, arrow: Arrow) -> tuple[Array, Array]:
    """Step in u and in w: the patient first, with the lesions taken out."""
    right = arrow.patient + block.total(arrow.both * (arrow.lesion / arrow.own)[:, None])
    step_u: Array = np.asarray(np.linalg.solve(arrow.schur, right[:, :, None]))[:, :, 0]
    along = (arrow.both * step_u[block.owner]).sum(axis=1)
    return step_u, (arrow.lesion + along) / arrow.own


def _stepped(
    block: LesionBlock, theta: Array, at: tuple[Array, Array], step: tuple[Array, Array],
    value: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """The step, halved for the patients where it would go down."""
    size = np.ones(len(value))
    for _ in range(HALVINGS):
        u, w = at[0] + size[:, None] * step[0], at[1] + size[block.owner] * step[1]
        new = _posterior(block, _at(block, theta, u, w), u, w)
        worse = ~(new >= value - 1e-9 * (1 + np.abs(value)))
        if not worse.any():
            break
        size = np.where(worse, size / 2, size)
    return u, w
