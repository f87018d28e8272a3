"""Maximum likelihood of one curve, and likelihood intervals of its parameters.

The curve has a kink at its peak, so the likelihood is smooth only while Tmax stays between two
samples: every gap between samples near the highest one is searched by itself, from several starts.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array
from analysis.fits.kinetics.curves import (
    CMAX,
    CONTRACTION,
    FOLD,
    LAG,
    SHARE,
    SLOW,
    TMAX,
    Form,
    fast_first,
)
from analysis.fits.kinetics.likelihood import Samples, Slopes, negative_log_likelihood

LOG_SIGMA = (float(np.log(0.02)), float(np.log(3.0)))
"""Residual SD in natural logs, 2 % to a factor of twenty: a curve through every point is no fit."""
LIMITS = {
    FOLD: (0.0, float(np.log(1e9))),
    CONTRACTION: (float(np.log(1e-4)), float(np.log(5.0))),
    SHARE: (-14.0, 4.0),
    SLOW: (float(np.log(1e-5)), float(np.log(5.0))),
    LAG: (-7.0, 4.0),
}
"""Widest values considered, on the scale of the search; an interval that ends here has no end."""
PEAK_ROOM = 3.0
"""How far the fitted peak may lie from the highest value, in natural logs."""
GAPS = 2
"""Gaps between samples searched on either side of the highest value."""
REFINEMENTS = 4
"""Secant steps to an end of an interval; the root of the deviance is nearly straight."""
STEPS, GAIN, STALLED = 200, 1e-9, 1e10

Objective = Callable[[Array], Slopes]
Bounds = list[tuple[float, float]]


class Maximum(NamedTuple):
    """Parameters and log sigma (last), and the negative log-likelihood there."""

    x: Array
    value: float


def limits(samples: Samples, form: Form) -> Bounds:
    """Bounds of every parameter and of log sigma."""
    top = float(samples.low[np.isfinite(samples.low)].max())
    own = LIMITS | {
        TMAX: (float(np.log(samples.t[0] / 2)), float(np.log(samples.t[-1]))),
        CMAX: (top - PEAK_ROOM, top + PEAK_ROOM),
    }
    return [*(own[index] for index in form.parameters), LOG_SIGMA]


def maximum(samples: Samples, form: Form) -> Maximum:
    """Best of all gaps and starts."""
    bounds = limits(samples, form)

    def objective(x: Array) -> Slopes:
        return negative_log_likelihood(x, samples, form)

    found = [
        _descend(objective, start, [*bounds[:TMAX], gap, *bounds[TMAX + 1 :]])
        for gap in _gaps(samples)
        for start in _starts(samples, form, gap)
    ]
    best = min(found, key=lambda item: item.value)
    return Maximum(np.append(fast_first(best.x[:-1], form), best.x[-1]), best.value)


def _descend(objective: Objective, start: Array, bounds: Bounds) -> Maximum:
    """Damped Newton steps between bounds. Where a step fails at the kink, Tmax is held once."""
    low, high = np.array(bounds).T
    x = np.clip(start, low, high)
    here, damping, held = objective(x), 1e-3, False
    for _ in range(STEPS):
        free = ~(((x <= low) & (here.gradient > 0)) | ((x >= high) & (here.gradient < 0)))
        free &= low < high
        if held:
            free[TMAX] = False
        if not free.any():
            break
        part = here.information[np.ix_(free, free)]
        part = part + damping * np.diag(np.diag(part) + 1e-6)
        moved = x.copy()
        moved[free] -= np.clip(np.linalg.solve(part, here.gradient[free]), -2.0, 2.0)
        moved = np.clip(moved, low, high)
        there = objective(moved)
        gain = here.value - there.value
        if gain > 0:
            x, here, damping = moved, there, max(damping / 5.0, 1e-9)
            if gain > GAIN:
                held = False
                continue
        else:
            damping *= 6.0
        if gain > 0 or damping > STALLED:
            if held:
                break
            held, damping = True, 1e-3
    return Maximum(x, here.value)


def _gaps(samples: Samples) -> list[tuple[float, float]]:
    """Log days between neighboring samples around the highest value."""
    at = int(np.argmax(np.where(np.isfinite(samples.low), samples.low, -np.inf)))
    edges = np.log(np.concatenate([[samples.t[0] / 2], samples.t]))
    first, last = max(at + 1 - GAPS, 0), min(at + 1 + GAPS, edges.size - 1)
    return [(float(edges[k]), float(edges[k + 1])) for k in range(first, last)]


def _starts(samples: Samples, form: Form, gap: tuple[float, float]) -> list[Array]:
    known = np.isfinite(samples.low) & np.isfinite(samples.high)
    t, y = samples.t[known], samples.low[known]
    top, at = float(y.max()), int(np.argmax(y))
    rise = max(top - float(y[0]), 0.5)
    tmax = float(np.mean(gap))
    growth = rise * float(np.exp(tmax)) / max(float(t[at] - t[0]), 0.5)
    starts = []
    for fast, share, slow in ((0.15, -4.5, 0.005), (0.4, -2.0, 0.03), (0.08, -6.0, 0.001)):
        own = {
            FOLD: growth, TMAX: tmax, CMAX: top + 0.2, CONTRACTION: np.log(fast), SHARE: share,
            SLOW: np.log(slow), LAG: -1.0,
        }  # fmt: skip
        starts.append(np.array([*(own[index] for index in form.parameters), np.log(0.4)]))
    return starts


def interval(
    samples: Samples, form: Form, best: Maximum, index: int, drop: float
) -> tuple[float | None, float | None]:
    """Values of one parameter whose profile likelihood is within `drop` of the maximum.

    None: the likelihood does not fall that far before the limit of the search, so the data set no
    bound on that side.
    """
    bounds = limits(samples, form)

    def objective(x: Array) -> Slopes:
        return negative_log_likelihood(x, samples, form)

    def profile(value: float, start: Array) -> Maximum:
        held = [*bounds[:index], (value, value), *bounds[index + 1 :]]
        return _descend(objective, start, held)

    low, high = bounds[index]
    at = float(best.x[index])
    step = 0.25
    return (
        _crossing(profile, best, at, low, -step, drop),
        _crossing(profile, best, at, high, step, drop),
    )


def growth_interval(
    samples: Samples, form: Form, best: Maximum, drop: float
) -> tuple[float | None, float | None]:
    """The same for ln of the growth rate, which stands in the place of the fold."""
    bounds = limits(samples, form)

    def objective(x: Array) -> Slopes:
        rate, tmax = float(np.exp(x[FOLD])), float(np.exp(x[TMAX]))
        share = 1.0 / (1.0 + np.exp(-x[LAG])) if LAG in form.parameters else 0.0
        moved = x.copy()
        moved[FOLD] = rate * tmax * (1.0 - share)
        found = negative_log_likelihood(moved, samples, form)
        turn = np.eye(x.size)
        turn[FOLD, FOLD] = turn[FOLD, TMAX] = moved[FOLD]
        if LAG in form.parameters:
            turn[FOLD, LAG] = -rate * tmax * share * (1.0 - share)
        return Slopes(found.value, found.gradient @ turn, turn.T @ found.information @ turn)

    def profile(value: float, start: Array) -> Maximum:
        return _descend(objective, start, [(value, value), *bounds[1:]])

    start = best.x.copy()
    start[FOLD] = log_growth_rate(best.x, form)
    begin, at = Maximum(start, best.value), float(start[FOLD])
    low, high = float(np.log(1e-3)), float(np.log(50.0))
    return (
        _crossing(profile, begin, at, low, -0.1, drop),
        _crossing(profile, begin, at, high, 0.1, drop),
    )


def log_growth_rate(x: Array, form: Form) -> float:
    """ln of the growth rate per day."""
    share = 1.0 / (1.0 + np.exp(-x[LAG])) if LAG in form.parameters else 0.0
    return float(np.log(max(x[FOLD], 1e-12)) - x[TMAX] - np.log1p(-share))


def _crossing(
    profile: Callable[[float, Array], Maximum],
    best: Maximum,
    at: float,
    limit: float,
    step: float,
    drop: float,
) -> float | None:
    """Where the profile has risen by `drop`: steps that double, then secants."""
    inside, start, depth = at, best.x, 0.0
    while True:
        outside = inside + step
        beyond = outside <= limit if step < 0 else outside >= limit
        outside = limit if beyond else outside
        found = profile(outside, start)
        if found.value - best.value > drop:
            break
        if beyond:
            return None
        inside, start, step = outside, found.x, 2.0 * step
        depth = max(found.value - best.value, 0.0)
    wanted, far = float(np.sqrt(drop)), found.value - best.value
    for _ in range(REFINEMENTS):
        share = (wanted - np.sqrt(depth)) / (np.sqrt(far) - np.sqrt(depth))
        middle = inside + float(np.clip(share, 0.05, 0.95)) * (outside - inside)
        found = profile(middle, start)
        if found.value - best.value > drop:
            outside, far = middle, found.value - best.value
        else:
            inside, start, depth = middle, found.x, max(found.value - best.value, 0.0)
    share = (wanted - np.sqrt(depth)) / (np.sqrt(far) - np.sqrt(depth))
    return inside + float(share) * (outside - inside)
