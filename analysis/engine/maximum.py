"""Newton's method for a smooth likelihood of few parameters, some of which may be held."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index

Likelihood = Callable[[Array], tuple[float, Array, Array]]
"""beta -> value, score and information (the negative Hessian, or what stands for it)."""
STEPS, HALVINGS = 60, 30
STILL = 1e-8
"""Gain of a step that is none."""
LARGEST_STEP = 5.0


class Maximum(NamedTuple):
    """beta where the search ended. converged: the score is zero there."""

    beta: Array
    value: float
    score: Array
    information: Array
    converged: bool


def maximize(
    likelihood: Likelihood,
    start: Array,
    free: Index | None = None,
    tolerance: float = 1e-18,
    flat: float = 0.0,
) -> Maximum:
    """Search from `start`; parameters outside `free` keep their value.

    Columns should be of unit size: the tolerance is of the Newton decrement. flat: the score of a
    parameter that runs off to an edge of its range, from which on a step without gain is the last.
    """
    beta = np.array(start, dtype=float)
    free = np.arange(len(beta)) if free is None else free
    value, score, information = likelihood(beta)
    for _ in range(STEPS):
        step = np.zeros_like(beta)
        step[free] = _solved(information[np.ix_(free, free)], score[free])
        if float(score[free] @ step[free]) < tolerance:
            return Maximum(beta, value, score, information, True)
        step *= min(1.0, LARGEST_STEP / float(np.abs(step).max()))
        for _ in range(HALVINGS):
            candidate = likelihood(beta + step)
            if np.isfinite(candidate[0]) and candidate[0] >= value - 1e-12 * abs(value):
                break
            step /= 2
        else:
            break
        gain = candidate[0] - value
        beta = beta + step
        value, score, information = candidate
        if gain < STILL and float(np.abs(score[free]).max(initial=0.0)) < flat:
            return Maximum(beta, value, score, information, True)
    return Maximum(beta, value, score, information, False)


def _solved(information: Array, score: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(information, score))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(information, score, rcond=None)[0])


def profile_interval(
    likelihood: Likelihood, best: Maximum, index: int, half_drop: float, furthest: float = 60.0
) -> tuple[float | None, float | None]:
    """Ends where the profile log-likelihood has fallen by `half_drop`; None beyond `furthest`.

    half_drop: half the chi-square quantile of the interval's level.
    """
    from scipy.optimize import brentq

    others = np.array([i for i in range(len(best.beta)) if i != index], dtype=np.intp)

    def drop(value: float) -> float:
        start = best.beta.copy()
        start[index] = value
        found = maximize(likelihood, start, others).value if len(others) else likelihood(start)[0]
        return best.value - found - half_drop

    ends: list[float | None] = []
    center = float(best.beta[index])
    for sign in (-1.0, 1.0):
        width = 0.5
        while drop(center + sign * width) < 0 and width < furthest:
            width *= 2
        if width >= furthest:
            ends.append(None)
            continue
        ends.append(float(brentq(lambda w, s=sign: drop(center + s * w), 0.0, width, xtol=1e-8)
                          * sign + center))  # fmt: skip
    return ends[0], ends[1]
