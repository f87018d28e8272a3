"""The parts of the likelihood: measurements, hazards of the causes, a binary response."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.fits.joint.contributions import (
    Bilinear,
    Contribution,
    ScaleTerms,
    Slots,
    WindowTerms,
    predictor,
)
from analysis.fits.joint.normal_interval import interval_derivatives
from analysis.fits.joint.parameters import Layout, OutcomeIndex

LOG_2PI = float(np.log(2 * np.pi))


class Part(Protocol):
    """Rows of some patients and their contribution at parameters and nodes."""

    def at(self, theta: Array, u: Array) -> Contribution: ...


@dataclass(frozen=True, eq=False)
class Measurements:
    """Visits of a block of patients, padded: `seen` marks real rows, `censored` those known
    between `low` and `high` only. x, z: (patients, visits, columns)."""

    layout: Layout
    x: Array
    z: Array
    y: Array
    seen: Array
    censored: NDArray[np.bool_]
    low: Array
    high: Array

    def at(self, theta: Array, u: Array) -> Contribution:
        layout = self.layout
        lam, tau = layout.factor_of(theta), theta[layout.log_sigma]
        sigma = np.exp(tau)
        direction = self.z @ lam
        mean = predictor(self.x @ theta[layout.beta], direction, u)
        seen = self.seen[:, None, :]
        standard = np.where(seen, self.y[:, None, :] - mean, 0.0) / sigma
        value = -0.5 * standard**2 - (tau + 0.5 * LOG_2PI) * seen
        first = standard / sigma
        second = np.broadcast_to(-seen / sigma**2, first.shape)
        scale_first = (standard**2 - 1) * seen
        scale_mixed, scale_second = -2 * first, -2 * standard**2
        if self.censored.any():
            # Only the rows that need them: normal probabilities cost more than all the rest.
            patient, visit = np.nonzero(self.censored)
            center = mean[patient, :, visit]
            low, high = self.low[patient, visit][:, None], self.high[patient, visit][:, None]
            found = interval_derivatives((low - center) / sigma, (high - center) / sigma, sigma)
            second = np.array(second)
            old = (value, first, second, scale_first, scale_mixed, scale_second)
            for array, new in zip(old, found, strict=True):
                array[patient, :, visit] = new
        scale = ScaleTerms(
            layout.log_sigma, scale_first.sum(axis=2), scale_mixed, scale_second.sum(axis=2)
        )
        slots = [(np.arange(layout.n_fixed), self.x)]
        for effect in range(layout.n_random):
            rows, positions = layout.column(effect)
            slots.append((positions, self.z[:, :, rows]))
        return Contribution(value.sum(axis=2), first, second, direction, tuple(slots), scale=scale)


@dataclass(frozen=True, eq=False)
class Associated:
    """Predictor of an outcome: constant columns, and features of the trajectory times their
    association. columns: (patients, rows, constant columns); x, z: (features, patients, rows,
    columns); center: subtracted from each feature, so that the baseline belongs to a mean signal.
    """

    layout: Layout
    index: OutcomeIndex
    columns: Array
    x: Array
    z: Array
    center: Array

    def parts(self, theta: Array) -> tuple[Array, Array, Slots, tuple[Bilinear, ...]]:
        """Fixed part and direction of the predictor, its slots and its bilinear terms."""
        layout, index = self.layout, self.index
        alpha, lam = theta[index.association], layout.factor_of(theta)
        mean = self.x @ theta[layout.beta] - self.center[:, None, None]
        turned = self.z @ lam
        fixed = self.columns @ theta[index.fixed] + _weighted(alpha, mean)
        direction = _weighted(alpha, turned)
        x_sum = _weighted(alpha, self.x)
        z_sum = _weighted(alpha, self.z)
        association = np.arange(index.association.start, index.association.stop)
        constant = np.arange(index.fixed.start, index.fixed.stop)
        slots = [
            (
                np.concatenate([constant, np.arange(layout.n_fixed), association]),
                np.concatenate([self.columns, x_sum, np.moveaxis(mean, 0, -1)], axis=2),
            )
        ]
        for effect in range(layout.n_random):
            rows, positions = layout.column(effect)
            own = np.moveaxis(turned[..., effect], 0, -1)
            columns = np.concatenate([z_sum[:, :, rows], own], axis=2)
            slots.append((np.concatenate([positions, association]), columns))
        return fixed, direction, tuple(slots), self._bilinear(association)

    def _bilinear(self, association: Array) -> tuple[Bilinear, ...]:
        layout, found = self.layout, []
        for feature, position in enumerate(association):
            slots = [(np.arange(layout.n_fixed), self.x[feature])]
            for effect in range(layout.n_random):
                rows, positions = layout.column(effect)
                slots.append((positions, self.z[feature][:, :, rows]))
            found.append(Bilinear(int(position), tuple(slots)))
        return tuple(found)


def _weighted(alpha: Array, features: Array) -> Array:
    total: Array = alpha[0] * features[0]
    for weight, item in zip(alpha[1:], features[1:], strict=True):
        total = total + weight * item
    return total


@dataclass(frozen=True, eq=False)
class Hazard:
    """Time at risk of a block of patients for one cause. Rows are the time nodes and, last, the
    event time. weight: of the nodes (0 for padding and for the last row); event: (patients,),
    1 where this cause ended the follow-up at a known time. window: nodes between the two times
    that bracket an event; None where every event time is known.
    """

    predictor: Associated
    weight: Array
    event: Array
    window: NDArray[np.bool_] | None = None

    def at(self, theta: Array, u: Array) -> Contribution:
        fixed, direction, slots, bilinear = self.predictor.parts(theta)
        eta = predictor(fixed, direction, u)
        with np.errstate(over="ignore", invalid="ignore"):
            hazard = self.weight[:, None, :] * np.exp(eta[:, :, :-1])
        first = np.empty_like(eta)
        second = np.zeros_like(eta)
        first[:, :, -1] = self.event[:, None]
        value = self.event[:, None] * eta[:, :, -1]
        terms = None
        if self.window is None:
            value = value - hazard.sum(axis=2)
            first[:, :, :-1] = second[:, :, :-1] = -hazard
        else:
            inside = hazard * self.window[:, None, :]
            before, within = (hazard - inside).sum(axis=2), inside.sum(axis=2)
            bracketed = np.asarray(self.window.any(axis=1))[:, None]
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                safe = np.where(bracketed, within, 1.0)
                ratio = np.where(bracketed, 1 / np.expm1(safe), 0.0)
                value = value - before + np.where(bracketed, np.log(-np.expm1(-safe)), 0.0)
            weighted = inside * (1 + ratio[:, :, None]) - hazard
            first[:, :, :-1] = second[:, :, :-1] = weighted
            slope = np.zeros_like(eta)
            slope[:, :, :-1] = inside
            terms = WindowTerms(-ratio * (1 + ratio), slope)
        return Contribution(value, first, second, direction, slots, bilinear, window=terms)


@dataclass(frozen=True, eq=False)
class Response:
    """A binary response of a block of patients, logistic in its predictor (one row each)."""

    predictor: Associated
    response: Array

    def at(self, theta: Array, u: Array) -> Contribution:
        from scipy.special import expit

        fixed, direction, slots, bilinear = self.predictor.parts(theta)
        eta = predictor(fixed, direction, u)
        value = self.response[:, None] * eta[:, :, 0] - np.logaddexp(0.0, eta[:, :, 0])
        chance = expit(eta)
        first = self.response[:, None, None] - chance
        return Contribution(value, first, -chance * (1 - chance), direction, slots, bilinear)
