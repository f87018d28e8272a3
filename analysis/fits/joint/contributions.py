"""What one part of the likelihood says at every node: value, and derivatives through a predictor.

Axes: patients i, nodes j of the random effects, rows k (visits or times), parameters. Each part
depends on the parameters through a predictor that is linear in the standard normal effects u:
    predictor_ijk = fixed_ik + sum_b u_ijb direction_ikb,
and its gradient has one block of columns that is constant in u and one for every effect.
"""

from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index

Slots = tuple[tuple[Index, Array], ...]
"""(positions, (patients, rows, positions)): the constant block, then one per random effect."""


class ScaleTerms(NamedTuple):
    """Derivatives in the log residual standard deviation: first, with the predictor, second."""

    position: int
    first: Array
    mixed: Array
    second: Array


class WindowTerms(NamedTuple):
    """An event between two times: curvature of log(1 - exp(-H)) in H, the hazard of the window,
    (patients, nodes), and the derivative of H in the predictor, (patients, nodes, rows)."""

    curvature: Array
    first: Array


class Bilinear(NamedTuple):
    """An association parameter multiplies a predictor that has parameters itself."""

    position: int
    slots: Slots


class Contribution(NamedTuple):
    """value: (patients, nodes); first, second: derivatives in the predictor."""

    value: Array
    first: Array
    second: Array
    direction: Array
    slots: Slots
    bilinear: tuple[Bilinear, ...] = ()
    scale: ScaleTerms | None = None
    window: WindowTerms | None = None


def predictor(fixed: Array, direction: Array, u: Array) -> Array:
    """(patients, nodes, rows) from (patients, rows), (patients, rows, effects) and
    (patients, nodes, effects)."""
    return np.asarray(fixed[:, None, :] + u @ direction.transpose(0, 2, 1))


def lifted(u: Array) -> Array:
    """u with a leading 1, (patients, 1 + effects, nodes): what multiplies each slot."""
    ones = np.ones((*u.shape[:2], 1))
    return np.ascontiguousarray(np.concatenate([ones, u], axis=2).transpose(0, 2, 1))


def scores(part: Contribution, v: Array, size: int, first: Array | None = None) -> Array:
    """Gradient at every node, (patients, nodes, parameters)."""
    found = np.zeros((*part.value.shape, size))
    weight = part.first if first is None else first
    for slot, (index, columns) in enumerate(part.slots):
        found[:, :, index] += v[:, slot, :, None] * (weight @ columns)
    if part.scale is not None and first is None:
        found[:, :, part.scale.position] += part.scale.first
    return found


def expected_curvature(part: Contribution, v: Array, weight: Array, size: int) -> Array:
    """Second derivatives averaged over the nodes with `weight` (patients, nodes), summed over
    the patients: (parameters, parameters)."""
    found = np.zeros((size, size))
    weighted = v * weight[:, None, :]
    for s, (index_s, columns_s) in enumerate(part.slots):
        for t, (index_t, columns_t) in enumerate(part.slots[: s + 1]):
            moment = (weighted[:, s] * v[:, t])[:, None, :] @ part.second
            block = gram(columns_s * moment[:, 0, :, None], columns_t)
            found[np.ix_(index_s, index_t)] += block
            if s != t:
                found[np.ix_(index_t, index_s)] += block.T
    if part.bilinear:
        moments = weighted @ part.first
        for item in part.bilinear:
            for slot, (index, columns) in enumerate(item.slots):
                row = np.einsum("ik,ikc->c", moments[:, slot], columns)
                found[item.position, index] += row
                found[index, item.position] += row
    if part.scale is not None:
        position = part.scale.position
        found[position, position] += float((weight * part.scale.second).sum())
        moments = weighted @ part.scale.mixed
        for slot, (index, columns) in enumerate(part.slots):
            row = np.einsum("ik,ikc->c", moments[:, slot], columns)
            found[position, index] += row
            found[index, position] += row
    if part.window is not None:
        slope = scores(part, v, size, part.window.first)
        found += gram(slope * (weight * part.window.curvature)[:, :, None], slope)
    return found


def effect_derivatives(part: Contribution) -> tuple[Array, Array]:
    """Gradient and Hessian in the random effects where there is one node per patient."""
    d = part.direction
    gradient = (part.first @ d)[:, 0]
    hessian = (d * part.second[:, 0, :, None]).transpose(0, 2, 1) @ d
    if part.window is not None:
        slope = (part.window.first @ d)[:, 0]
        hessian = hessian + (
            part.window.curvature[:, :1, None] * slope[:, :, None] * slope[:, None, :]
        )
    return np.asarray(gradient), np.asarray(hessian)


def gram(left: Array, right: Array) -> Array:
    """Sum over patients and rows of outer products. One small product per patient: a single large
    one would be spread over threads, which costs more than it gains at these sizes."""
    return np.asarray((left.transpose(0, 2, 1) @ right).sum(axis=0))
