"""Every standard deviation and correlation of a structured fit as a parameter that can be held."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from analysis.engine.covariance_parts import Part, RandomTerm
from analysis.engine.dense_likelihood import DenseLikelihood
from analysis.engine.residual_parts import (
    AutoregressiveResidual,
    IndependentResidual,
    UnstructuredResidual,
)
from analysis.engine.structure import Array
from analysis.fits.design import unit_rms
from analysis.fits.structured.fitted import FittedStructured
from analysis.fits.structured.profiled import HeldParameter, Line
from analysis.fits.structured.terms import Effects

SD, CORRELATION = "standard deviation", "correlation"
STEP = 0.2
"""Where to look first for a limit, on a logarithm or another scale without unit."""
NOTHING = 1e-12
"""Variance relative to the others of its factor, up to which a factor is filled to have a root."""
FURTHEST = 23.0
"""Logarithm of a correlation, over the shortest distance, that is none."""


def held_parameters(fitted: FittedStructured) -> list[HeldParameter]:
    """In the order of the variance components, on the scale of the data."""
    found: list[HeldParameter] = []
    for effects in fitted.effects:
        hold = _independent_effects if effects.part.diagonal else _joint_effects
        found += hold(fitted, effects)
    residual = fitted.dense.parts[-1]
    if isinstance(residual, UnstructuredResidual):
        return [*found, *_visits(fitted, residual)]
    return [*found, *_residual(fitted)]


def _named(effects: Effects, name: str) -> str:
    alone = effects.role != "patient" and effects.part.effects == ("(Intercept)",)
    return effects.part.name if alone else f"{effects.part.name} {name}"


def _coordinate(size: int, place: int, at: Callable[[float], float], value: float) -> Line:
    """One element of theta held."""
    offset = np.zeros(size)
    offset[place] = at(value)
    return Line(offset, np.delete(np.eye(size), place, axis=1))


def _itself(value: float) -> float:
    return value


def _independent_effects(fitted: FittedStructured, effects: Effects) -> list[HeldParameter]:
    begin = fitted.dense.split.edges[fitted.effects.index(effects)]
    size = len(fitted.theta)
    units = fitted.design.y_scale * np.diag(effects.back)
    sigma = _residual_size(fitted)
    found = []
    for index, name in enumerate(effects.part.effects):
        estimate = abs(float(fitted.theta[begin + index])) * float(units[index])
        at = partial(_over, unit=float(units[index]))
        line = partial(_coordinate, size, begin + index, at)
        step = sigma * float(units[index]) / fitted.design.y_scale / 10
        found.append(
            HeldParameter(
                SD, _named(effects, name), estimate, max(step, estimate / 10), 0.0, None, _itself,
                line, fitted.dense, fitted.theta,
            )
        )  # fmt: skip
    return found


def _over(value: float, unit: float) -> float:
    return value / unit


def _residual_size(fitted: FittedStructured) -> float:
    """A standard deviation of the residual, for a first step."""
    own, residual = fitted.dense.split.of(fitted.theta)[-1], fitted.dense.parts[-1]
    rows = fitted.dense.batches[0][:1]
    return fitted.design.y_scale * float(np.sqrt(residual.covariance(own, rows)[0][0, 0, 0]))


def _joint_effects(fitted: FittedStructured, effects: Effects) -> list[HeldParameter]:
    """Standard deviations, then correlations, of effects that go together."""
    names, q = effects.part.effects, len(effects.part.effects)
    found = []
    for index in range(q):
        others = [item for item in range(q) if item != index]
        found.append(_spread(fitted, effects, [index, *others]))
    for j in range(q):
        for i in range(j + 1, q):
            others = [item for item in range(q) if item not in (i, j)]
            held = _together(fitted, effects, [i, j, *others], f"{names[i]}, {names[j]}")
            found += [] if held is None else [held]
    return found


def _reordered(
    fitted: FittedStructured, effects: Effects, order: list[int]
) -> tuple[DenseLikelihood, Array, int, Array]:
    """The likelihood with the effects in another order and columns of unit size: itself, theta
    there, where the factor's begin, and the size of each column."""
    place = fitted.effects.index(effects)
    part, own = effects.part, fitted.dense.split.of(fitted.theta)[place]
    plain = part.z if part.transform is None else part.z @ part.transform
    z, scale = unit_rms(plain[:, order])
    psi = effects.covariance(own)[np.ix_(order, order)]
    sizes = np.diag(scale)
    psi = psi * np.outer(sizes, sizes)
    filled = psi + NOTHING * max(float(np.trace(psi)), NOTHING) * np.eye(len(psi))
    lower: Array = np.asarray(np.linalg.cholesky(filled), dtype=float)
    names = tuple(part.effects[index] for index in order)
    new = RandomTerm(part.name, names, z, part.level)
    dense, theta = _replaced(fitted, place, new, lower[new.entries])
    return dense, theta, fitted.dense.split.edges[place], sizes


def _replaced(
    fitted: FittedStructured, place: int, part: Part, own: Array
) -> tuple[DenseLikelihood, Array]:
    parts = list(fitted.dense.parts)
    parts[place] = part
    pieces = fitted.dense.split.of(fitted.theta)
    pieces[place] = own
    return replace(fitted.dense, parts=tuple(parts)), np.concatenate(pieces)


def _spread(fitted: FittedStructured, effects: Effects, order: list[int]) -> HeldParameter:
    dense, theta, begin, sizes = _reordered(fitted, effects, order)
    unit = fitted.design.y_scale / float(sizes[0])
    estimate = abs(float(theta[begin])) * unit
    if estimate < 1e-5 * unit:
        estimate = 0.0
    line = partial(_coordinate, len(theta), begin, partial(_over, unit=unit))
    step = max(_residual_size(fitted) / float(sizes[0]) / 10, estimate / 10)
    name = _named(effects, effects.part.effects[order[0]])
    return HeldParameter(SD, name, estimate, step, 0.0, None, _itself, line, dense, theta)


def _together(
    fitted: FittedStructured, effects: Effects, order: list[int], names: str
) -> HeldParameter | None:
    """The correlation of the first two; None where one of them does not vary."""
    dense, theta, begin, _ = _reordered(fitted, effects, order)
    first, low, diagonal = theta[begin : begin + 3]
    length = float(np.hypot(low, diagonal))
    if abs(first) < 1e-5 or length < 1e-5:
        return None
    estimate = float(low) / length
    line = partial(_turned, len(theta), begin + 1)
    term = f"{effects.part.name} {names}"
    return HeldParameter(CORRELATION, term, estimate, 0.1, -1.0, 1.0, _itself, line, dense, theta)


def _turned(size: int, place: int, value: float) -> Line:
    """Second row of a factor of a length that is free, its correlation with the first held."""
    basis = np.delete(np.eye(size), place, axis=1)
    basis[place, place] = value
    basis[place + 1, place] = np.sqrt(max(1 - value**2, 0.0))
    return Line(np.zeros(size), basis, (place - 1, place))


def _residual(fitted: FittedStructured) -> list[HeldParameter]:
    """Standard deviations on their logarithm, and an autoregressive correlation."""
    residual, size = fitted.dense.parts[-1], len(fitted.theta)
    begin = fitted.dense.split.edges[-2]
    unit = fitted.design.y_scale * float(np.sqrt(fitted.mean_weight))
    levels = residual.levels if isinstance(residual, IndependentResidual) else ("",)
    found = [
        HeldParameter(
            SD, f"Residual {level}".strip(), float(fitted.theta[begin + k]), STEP, None, None,
            partial(_exponential, unit=unit), partial(_coordinate, size, begin + k, _itself),
            fitted.dense, fitted.theta,
        )
        for k, level in enumerate(levels)
    ]  # fmt: skip
    if isinstance(residual, AutoregressiveResidual):
        edge = FURTHEST
        if residual.continuous:
            edge /= min(1.0, _shortest(residual))
        found.append(
            HeldParameter(
                CORRELATION, "Residual at distance 1", float(fitted.theta[-1]), 2 * STEP, -edge,
                edge, partial(_at_distance_one, residual, edge),
                partial(_coordinate, size, begin + 1, _itself), fitted.dense, fitted.theta,
            )
        )  # fmt: skip
    return found


def _shortest(residual: AutoregressiveResidual) -> float:
    return float(np.diff(np.unique(residual.time)).min())


def _exponential(value: float, unit: float) -> float:
    return unit * float(np.exp(value))


def _at_distance_one(residual: AutoregressiveResidual, edge: float, value: float) -> float:
    rho = residual.rho(np.array([0.0, value]))
    if abs(value) >= edge:
        return float(np.round(rho))
    return float(rho ** (1 / residual.unit)) if residual.continuous else rho


def _visits(fitted: FittedStructured, residual: UnstructuredResidual) -> list[HeldParameter]:
    """Standard deviations and correlations of the visits of an unstructured covariance."""
    k = len(residual.labels)
    found = [_visit_spread(fitted, residual, index) for index in range(k)]
    pairs = [(i, j) for j in range(k) for i in range(j + 1, k)]
    return [*found, *(_visit_pair(fitted, residual, i, j) for i, j in pairs)]


def _first(
    fitted: FittedStructured, residual: UnstructuredResidual, front: Sequence[int]
) -> tuple[DenseLikelihood, Array]:
    """The likelihood with these visits before the others, and theta there."""
    k = len(residual.labels)
    order = [*front, *(item for item in range(k) if item not in front)]
    place = np.argsort(order)
    lower = np.linalg.cholesky(residual.sigma(fitted.theta)[np.ix_(order, order)])
    size = np.diag(lower)
    own = np.concatenate([np.log(size), (lower / size[:, None])[np.tril_indices(k, -1)]])
    labels = tuple(residual.labels[item] for item in order)
    new = replace(residual, visit=place[residual.visit].astype(np.intp), labels=labels, begin=own)
    return _replaced(fitted, len(fitted.dense.parts) - 1, new, own)


def _visit_spread(
    fitted: FittedStructured, residual: UnstructuredResidual, index: int
) -> HeldParameter:
    dense, theta = _first(fitted, residual, [index])
    unit = fitted.design.y_scale * float(np.sqrt(fitted.mean_weight))
    return HeldParameter(
        SD, f"Residual {residual.labels[index]}", float(theta[0]), STEP, None, None,
        partial(_exponential, unit=unit), partial(_coordinate, len(theta), 0, _itself), dense,
        theta,
    )  # fmt: skip


def _visit_pair(
    fitted: FittedStructured, residual: UnstructuredResidual, i: int, j: int
) -> HeldParameter:
    dense, theta = _first(fitted, residual, [i, j])
    place = len(residual.labels)
    return HeldParameter(
        CORRELATION, f"Residual {residual.labels[i]}, {residual.labels[j]}", float(theta[place]),
        2 * STEP, None, None, _correlation, partial(_coordinate, len(theta), place, _itself),
        dense, theta,
    )  # fmt: skip


def _correlation(value: float) -> float:
    """Of the first two visits, from the entry of L between them."""
    return value / float(np.sqrt(1 + value**2))
