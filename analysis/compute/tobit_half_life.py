"""Half-life of a decline of which some samples lie below their limit, by censored regression."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr

from analysis.compute.confidence_level import require_level
from analysis.compute.half_life import MIN_POINTS
from analysis.compute.intervals import t_quantile
from analysis.compute.samples import numbers
from analysis.errors import UserError

Vector = NDArray[np.float64]
NAN = float("nan")
LN2 = float(np.log(2.0))
MAX_STEPS, TOLERANCE = 100, 1e-12
WIDEST = 60
"""Doublings of the standard error within which an end of the interval is looked for."""


@dataclass(frozen=True)
class TobitHalfLife:
    """Log-linear decline with censored samples; times in the unit of `time`, nan = no value.

    conf_low and conf_high are of the half-life; conf_high is infinite when a decline of zero is
    within the interval. sigma: residual spread in natural logarithms (of maximum likelihood,
    times n / (n - 2) under the root for the values above the limit). reason: why nothing could be
    calculated, else empty.
    """

    n: int
    n_below: int
    time_low: float = NAN
    time_high: float = NAN
    rate: float = NAN
    half_life: float = NAN
    conf_low: float = NAN
    conf_high: float = NAN
    sigma: float = NAN
    conf_level: float = 0.95
    reason: str = ""


def tobit_half_life(
    time: ArrayLike,
    value: ArrayLike,
    limit: ArrayLike,
    *,
    start: float | None = None,
    level: float = 0.95,
) -> TobitHalfLife:
    """Half-life after `start` with the samples below the limit in the likelihood.

    value: concentration, missing or zero where below the limit. limit: of each sample, or one for
    all; read only where the value is below it. start: the decline is what comes after this time
    (default: after the highest value). The window is the caller's and is not searched for the
    best fit, which would void the interval. Dropping such samples keeps of the late values only
    those that happened to be high, and makes the half-life too long.

    ln(value) is a line with normal errors; a sample below its limit enters by the probability of
    lying there (Tobin 1958, doi:10.2307/1907382), in the concave form of Olsen 1978
    (doi:10.2307/1913826). Interval: profile likelihood, with the bound that makes it the t
    interval of least squares when no sample is below the limit. Raises UserError for text, vectors
    of different length, a missing time, a repeated one, a negative value, or a sample with neither
    value nor limit.
    """
    require_level(level)
    t, c, bound = _samples(time, value, limit)
    begin = (float(t[np.nanargmax(c)]) if (c > 0).any() else -np.inf) if start is None else start
    after = t > begin
    t, c, bound = t[after], c[after], bound[after]
    hidden = ~(c > 0)
    counts = (int(t.size), int(hidden.sum()))
    if t.size - counts[1] < MIN_POINTS:
        text = (
            f"needs {MIN_POINTS} values above the limit after the maximum, has {t.size - counts[1]}"
        )
        return TobitHalfLife(*counts, conf_level=level, reason=text)
    line = _Line(t[~hidden], np.log(c[~hidden]), t[hidden], np.log(bound[hidden]))
    if line.exact_fit:
        text = "the values lie exactly on a line, so their spread is not known"
        return TobitHalfLife(*counts, conf_level=level, reason=text)
    best = line.maximum()
    if best.rate <= 0:
        text = "values do not fall after the maximum"
        return TobitHalfLife(*counts, conf_level=level, reason=text)
    low, high = line.interval(best, level)
    exact = line.y.size
    return TobitHalfLife(
        *counts,
        time_low=float(t[0]),
        time_high=float(t[-1]),
        rate=best.rate,
        half_life=LN2 / best.rate,
        conf_low=LN2 / high,
        conf_high=LN2 / low if low > 0 else np.inf,
        sigma=float(best.sigma * np.sqrt(exact / (exact - 2))),
        conf_level=level,
    )


def _samples(time: ArrayLike, value: ArrayLike, limit: ArrayLike) -> tuple[Vector, Vector, Vector]:
    """By time, checked; the limit of every sample."""
    t, c = numbers("half-life", "time", time), numbers("half-life", "value", value)
    bound = numbers("half-life", "limit", limit)
    bound = np.broadcast_to(bound, t.shape) if bound.ndim == 0 else bound
    if not t.shape == c.shape == bound.shape or t.ndim != 1:
        raise UserError(
            f"half-life: lengths differ: time {t.size}, value {c.size}, limit {bound.size}; give "
            "one of each per sample, or one limit for all"
        )
    if not np.isfinite(t).all() or np.isinf(c).any():
        raise UserError("half-life: a time is missing or a value is infinite; leave the sample out")
    if (c < 0).any():
        raise UserError(
            f"half-life: {int((c < 0).sum())} values are negative; a concentration is not, so "
            "correct them, or give zero or a missing value where a sample is below its limit"
        )
    hidden = ~(c > 0)
    if not ((bound[hidden] > 0) & np.isfinite(bound[hidden])).all():
        raise UserError("half-life: a sample has neither a value nor a limit; give its limit")
    order = np.argsort(t, kind="stable")
    t, c, bound = t[order], c[order], bound[order]
    if (np.diff(t) == 0).any():
        raise UserError("half-life: two samples at one time; average replicates first")
    return t, c, bound


class _Optimum(NamedTuple):
    """Rate of decline, residual spread, and the log-likelihood."""

    rate: float
    sigma: float
    log_likelihood: float


class _Line:
    """Samples of one decline on centered axes, where Newton's steps keep their digits."""

    def __init__(self, t: Vector, y: Vector, hidden_t: Vector, bound: Vector) -> None:
        self.width = float(np.ptp(np.concatenate([t, hidden_t])))
        self.t, self.hidden_t = (t - t.mean()) / self.width, (hidden_t - t.mean()) / self.width
        self.y, self.bound = y - y.mean(), bound - y.mean()
        self.slope = -float(self.t @ self.y / (self.t @ self.t))
        rest = self.y + self.slope * self.t
        self.spread = float(np.sqrt(rest @ rest / y.size))

    @property
    def exact_fit(self) -> bool:
        """No spread about the line."""
        return self.spread <= 1e-9 * max(float(np.abs(self.y).max()), 1.0)

    def maximum(self) -> _Optimum:
        """Over rate, level and spread."""
        exact = np.column_stack([self.y, -np.ones(self.t.size), self.t])
        hidden = np.column_stack([self.bound, -np.ones(self.hidden_t.size), self.hidden_t])
        start = np.array([1.0, 0.0, self.slope]) / self.spread
        x, value = _concave(exact, hidden, start)
        return _Optimum(float(x[2] / x[0] / self.width), float(1.0 / x[0]), value)

    def profile(self, rate: float) -> float:
        """Log-likelihood at this rate, over level and spread."""
        k = rate * self.width
        moved = self.y + k * self.t
        exact = np.column_stack([moved, -np.ones(self.t.size)])
        hidden = np.column_stack([self.bound + k * self.hidden_t, -np.ones(self.hidden_t.size)])
        spread = max(float(moved.std()), 1e-12)
        return _concave(exact, hidden, np.array([1.0, float(moved.mean())]) / spread)[1]

    def interval(self, best: _Optimum, level: float) -> tuple[float, float]:
        """Rates where the profile has fallen as far as it does at the ends of a t interval."""
        n = self.y.size
        drop = float(n / 2 * np.log1p(t_quantile(level, n - 2) ** 2 / (n - 2)))

        def excess(rate: float) -> float:
            return float(best.log_likelihood - self.profile(rate) - drop)

        step = best.sigma / self.width / float(np.sqrt(self.t @ self.t))
        return _end(excess, best.rate, -step), _end(excess, best.rate, step)


def _end(excess: Callable[[float], float], inside: float, step: float) -> float:
    for _ in range(WIDEST):
        if excess(inside + step) > 0:
            return float(brentq(excess, inside, inside + step, xtol=1e-14, rtol=1e-12))
        step *= 2.0
    return float(np.copysign(np.inf, step))


def _concave(exact: Vector, hidden: Vector, x: Vector) -> tuple[Vector, float]:
    """Newton's maximum of sum ln x0 - (exact x)^2 / 2 + ln Phi(hidden x), and its value."""
    value = _value(exact, hidden, x)
    for _ in range(MAX_STEPS):
        u = hidden @ x
        mills = np.exp(-0.5 * u**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(u))
        slope = -exact.T @ (exact @ x) + hidden.T @ mills
        slope[0] += exact.shape[0] / x[0]
        curvature = exact.T @ exact + (hidden * (mills * (u + mills))[:, None]).T @ hidden
        curvature[0, 0] += exact.shape[0] / x[0] ** 2
        step = np.linalg.solve(curvature, slope)
        if slope @ step < TOLERANCE:
            break
        size = 1.0
        while (new := _value(exact, hidden, x + size * step)) < value and size > 1e-10:
            size /= 2.0
        x, value = x + size * step, new
    return x, value


def _value(exact: Vector, hidden: Vector, x: Vector) -> float:
    if x[0] <= 0:
        return -np.inf
    squares = float(((exact @ x) ** 2).sum())
    normal = 0.5 * float(np.log(2 * np.pi))
    logs = exact.shape[0] * (float(np.log(x[0])) - normal)
    return float(logs - squares / 2 + log_ndtr(hidden @ x).sum())
