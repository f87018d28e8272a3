"""Nodes: Gauss-Hermite over the random effects, Gauss-Legendre over the time at risk."""

from functools import cache
from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array

NODES_BY_DIMENSION = {1: 9, 2: 5, 3: 5, 4: 5, 5: 3}
"""Nodes per random effect after centering at each patient's own posterior; a grid of 5 by 5 is
what JM takes (Rizopoulos 2012, doi:10.1016/j.csda.2011.09.007)."""
MAXIMUM_DIMENSION = max(NODES_BY_DIMENSION)


class Grid(NamedTuple):
    """Standard normal nodes, (nodes, effects), and the logarithm of their weights divided by the
    standard normal density: a sum over nodes of exp(log_weight + log integrand) is the integral."""

    nodes: Array
    log_weight: Array


@cache
def hermite_grid(dimension: int, per_effect: int) -> Grid:
    """Product grid of Gauss-Hermite nodes for a standard normal vector."""
    points, weights = np.polynomial.hermite_e.hermegauss(per_effect)
    mesh = np.meshgrid(*[points] * dimension, indexing="ij")
    nodes = np.column_stack([axis.ravel() for axis in mesh])
    logs = np.meshgrid(*[np.log(weights)] * dimension, indexing="ij")
    log_weight = np.sum([axis.ravel() for axis in logs], axis=0)
    return Grid(nodes, log_weight + 0.5 * (nodes**2).sum(axis=1))


class TimeNodes(NamedTuple):
    """Nodes inside the time at risk of each patient; zero weight pads a row to the longest."""

    time: Array
    weight: Array


def time_nodes(start: Array, stop: Array, knots: Array, per_segment: int) -> TimeNodes:
    """Gauss-Legendre nodes of (start, stop], split at the knots so that no node sees a jump.

    Exact for a hazard that is a polynomial of degree 2 per_segment - 1 between the knots.
    """
    x, w = np.polynomial.legendre.leggauss(per_segment)
    edges = np.concatenate([[-np.inf], knots, [np.inf]])
    low = np.maximum(edges[:-1][None, :], start[:, None])
    high = np.minimum(edges[1:][None, :], stop[:, None])
    width = np.maximum(high - low, 0.0)
    # The segments a patient passes come first, so that rows can be cut to the longest.
    order = np.argsort(width <= 0, axis=1, kind="stable")
    width = np.take_along_axis(width, order, axis=1)
    low = np.where(width > 0, np.take_along_axis(low, order, axis=1), stop[:, None])
    used = max(int((width > 0).sum(axis=1).max(initial=0)), 1)
    low, width = low[:, :used], width[:, :used]
    time = low[:, :, None] + width[:, :, None] * (x + 1) / 2
    weight = width[:, :, None] * w / 2
    return TimeNodes(time.reshape(len(start), -1), weight.reshape(len(start), -1))


def graded_nodes(stop: Array, per_segment: int) -> TimeNodes:
    """Nodes of (0, stop] by t = stop s^4: smooth in s for a hazard that starts like a power of t,
    as a Weibull hazard of a shape above 1/4 does."""
    x, w = np.polynomial.legendre.leggauss(per_segment)
    s = (x + 1) / 2
    return TimeNodes(stop[:, None] * s**4, stop[:, None] * 4 * s**3 * w / 2)
