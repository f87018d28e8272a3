"""Log-likelihood of a joint model by quadrature centered at each patient's posterior.

Given standard normal effects u of a patient, measurements and events are independent; their
likelihood is integrated over u on Gauss-Hermite nodes that are placed at the mode and along the
curvature of the patient's own posterior (adaptive quadrature: Rizopoulos 2012,
doi:10.1016/j.csda.2011.09.007, whose pseudo-adaptive nodes stay where the mixed model put them,
while these follow the parameters). With the nodes held, score and information are exact (Louis
1982): information = posterior mean of the curvature + posterior variance of the score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.fits.joint.contributions import (
    effect_derivatives,
    expected_curvature,
    gram,
    lifted,
    scores,
)
from analysis.fits.joint.parameters import Layout
from analysis.fits.joint.parts import Part
from analysis.fits.joint.quadrature import Grid

MODE_STEPS, MODE_TOLERANCE, HALVINGS = 50, 1e-8, 20
LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Block:
    """Some patients and the parts of their likelihood. sign: +1, or -1 for the probability that
    is divided by under left truncation."""

    patients: Index
    sign: Array
    parts: tuple[Part, ...]


class Centers(NamedTuple):
    """Mode of a block's posterior of u, (patients, effects), and a root of its covariance."""

    mode: Array
    root: Array


def prior_centers(n: int, q: int) -> Centers:
    """Centers of n posteriors of q effects before any data: zero, the identity."""
    return Centers(np.zeros((n, q)), np.tile(np.eye(q), (n, 1, 1)))


class Evaluation(NamedTuple):
    """At one vector of parameters; centers as used, one per block."""

    value: float
    score: Array
    hessian: Array
    centers: tuple[Centers, ...]


class Integral(Protocol):
    """What the search needs of a likelihood by adaptive quadrature."""

    @property
    def layout(self) -> Layout: ...

    def start(self) -> tuple[Centers, ...]: ...

    def centers(self, theta: Array, start: Sequence[Centers]) -> tuple[Centers, ...]: ...

    def value(self, theta: Array, centers: Sequence[Centers]) -> float: ...

    def evaluate(self, theta: Array, centers: Sequence[Centers]) -> Evaluation: ...


@dataclass(frozen=True, eq=False)
class Likelihood:
    """All blocks of a joint model. `value` and `evaluate` place the nodes anew unless centers are
    given; the centers of a neighboring point are the best start for that."""

    layout: Layout
    grid: Grid
    blocks: tuple[Block, ...]

    def start(self) -> tuple[Centers, ...]:
        """Centers to search from: the prior."""
        return tuple(prior_centers(len(b.sign), self.layout.n_random) for b in self.blocks)

    def centers(self, theta: Array, start: Sequence[Centers]) -> tuple[Centers, ...]:
        """Posterior modes and curvatures at these parameters."""
        return tuple(
            posterior_center(block.parts, theta, center.mode)
            for block, center in zip(self.blocks, start, strict=True)
        )

    def value(self, theta: Array, centers: Sequence[Centers]) -> float:
        """Log-likelihood with the nodes at these centers."""
        total = 0.0
        for block, center in zip(self.blocks, centers, strict=True):
            _, log_sum = self._weights(block, theta, center)
            total += float(block.sign @ log_sum)
        return total

    def evaluate(self, theta: Array, centers: Sequence[Centers]) -> Evaluation:
        """Value, exact score and exact Hessian of `value` with the nodes held."""
        size = self.layout.size
        total, score, hessian = 0.0, np.zeros(size), np.zeros((size, size))
        for block, center in zip(self.blocks, centers, strict=True):
            u = placed(center, self.grid)
            found = [part.at(theta, u) for part in block.parts]
            log_terms = _log_terms(found, u, center, self.grid)
            log_sum = log_sum_exp(log_terms)
            weight = np.exp(log_terms - log_sum[:, None])
            v = lifted(u)
            slopes = np.sum([scores(part, v, size) for part in found], axis=0)
            mean = np.einsum("ij,ijp->ip", weight, slopes)
            signed = weight * block.sign[:, None]
            hessian += gram(slopes * signed[:, :, None], slopes)
            hessian -= (mean * block.sign[:, None]).T @ mean
            for part in found:
                hessian += expected_curvature(part, v, signed, size)
            total += float(block.sign @ log_sum)
            score += block.sign @ mean
        return Evaluation(total, score, hessian, tuple(centers))

    def posterior_means(self, theta: Array, centers: Sequence[Centers]) -> Array:
        """Posterior mean of u of every patient, in the order of the patients' numbers."""
        found: dict[int, Array] = {}
        for block, center in zip(self.blocks, centers, strict=True):
            u = placed(center, self.grid)
            log_terms, log_sum = self._weights(block, theta, center)
            mean = np.einsum("ij,ijq->iq", np.exp(log_terms - log_sum[:, None]), u)
            found.update(
                (int(p), row)
                for p, row, sign in zip(block.patients, mean, block.sign, strict=True)
                if sign > 0
            )
        return np.array([found[number] for number in sorted(found)])

    def _weights(self, block: Block, theta: Array, center: Centers) -> tuple[Array, Array]:
        u = placed(center, self.grid)
        found = [part.at(theta, u) for part in block.parts]
        log_terms = _log_terms(found, u, center, self.grid)
        return log_terms, log_sum_exp(log_terms)


def placed(center: Centers, grid: Grid) -> Array:
    """Nodes of each patient, (patients, nodes, effects)."""
    return np.asarray(center.mode[:, None, :] + grid.nodes @ center.root.transpose(0, 2, 1))


def posterior_center(
    parts: Sequence[Part], theta: Array, start: Array, steps: int = MODE_STEPS
) -> Centers:
    """Mode of the posterior of u by Newton's method with halved steps, all patients at once.

    With few steps from a near start it is close to the mode: enough to draw candidates from.
    """
    mode, active = start, np.ones(len(start), dtype=bool)
    for _ in range(steps):
        value, gradient, hessian = _posterior(parts, theta, mode)
        lost = ~np.isfinite(value)
        if lost.any() and mode[lost].any():
            mode = np.where(lost[:, None], 0.0, mode)
            continue
        step = np.asarray(np.linalg.solve(_definite(-hessian), gradient[:, :, None]))[:, :, 0]
        active = np.abs(step).max(axis=1, initial=0.0) > MODE_TOLERANCE
        if not active.any() or not np.isfinite(step).all():
            break
        mode = _stepped(parts, theta, mode, value, step)
    _, _, hessian = _posterior(parts, theta, mode)
    covariance = np.linalg.inv(_definite(-hessian))
    return Centers(mode, np.linalg.cholesky(covariance))


def _stepped(parts: Sequence[Part], theta: Array, mode: Array, value: Array, step: Array) -> Array:
    """The step, halved for the patients where it would go down."""
    size = np.ones(len(mode))
    for _ in range(HALVINGS):
        new = mode + size[:, None] * step
        worse = ~(_posterior_value(parts, theta, new) >= value - 1e-9 * (1 + np.abs(value)))
        if not worse.any():
            return new
        size = np.where(worse, size / 2, size)
    return np.where(worse[:, None], mode, mode + size[:, None] * step)


def _posterior_value(parts: Sequence[Part], theta: Array, mode: Array) -> Array:
    u = mode[:, None, :]
    value = np.sum([part.at(theta, u).value[:, 0] for part in parts], axis=0)
    return np.asarray(value - 0.5 * (mode**2).sum(axis=1))


def _posterior(parts: Sequence[Part], theta: Array, mode: Array) -> tuple[Array, Array, Array]:
    value = -0.5 * (mode**2).sum(axis=1)
    gradient = -mode.copy()
    hessian = np.tile(-np.eye(mode.shape[1]), (len(mode), 1, 1))
    for part in parts:
        found = part.at(theta, mode[:, None, :])
        slope, curvature = effect_derivatives(found)
        value = value + found.value[:, 0]
        gradient = gradient + slope
        hessian = hessian + curvature
    return value, gradient, hessian


def _definite(matrix: Array) -> Array:
    """The matrix with eigenvalues of at least 1, the prior's own precision: measurements and
    hazards only add to it, an event known between two times may take away."""
    if not np.isfinite(matrix).all():
        raise np.linalg.LinAlgError("the posterior of the random effects is not finite")
    values, vectors = np.linalg.eigh(matrix)
    if values.min(initial=1.0) >= 1.0:
        return matrix
    return np.asarray((vectors * np.maximum(values, 1.0)[:, None, :]) @ vectors.transpose(0, 2, 1))


def _log_terms(found: Sequence[object], u: Array, center: Centers, grid: Grid) -> Array:
    value = np.sum([part.value for part in found], axis=0)  # type: ignore[attr-defined]
    volume = np.log(np.diagonal(center.root, axis1=1, axis2=2)).sum(axis=1)
    prior = -0.5 * (u**2).sum(axis=2) - 0.5 * u.shape[2] * LOG_2PI
    return np.asarray(value + prior + grid.log_weight + volume[:, None])


def log_sum_exp(log_terms: Array) -> Array:
    """Logarithm of the sum over the last axis."""
    top = log_terms.max(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(top + np.log(np.exp(log_terms - top[..., None]).sum(axis=-1)))
