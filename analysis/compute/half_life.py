"""Half-life of the falling end of a curve: the log-linear window with the best adjusted R2."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]

MIN_POINTS = 3
TIE = 1e-4
"""Windows whose adjusted R2 is within this of the best are equal; the longest of them wins."""
MIN_R_SQUARED = 0.9
MIN_SPAN = 2.0
"""A window must cover this many of its own half-lives."""


@dataclass(frozen=True)
class TerminalSlope:
    """Log-linear decline over the last samples; times in the unit of `time`.

    `reason` is empty when the decline meets every rule; else it says which rule it fails, and
    the half-life is not to be reported.
    """

    rate: float
    intercept: float
    n_points: int
    time_low: float
    time_high: float
    r_squared: float
    adjusted_r_squared: float
    reason: str = ""

    @property
    def half_life(self) -> float:
        """ln 2 / rate."""
        return float(np.log(2.0) / self.rate) if self.rate > 0 else float("nan")

    @property
    def span_ratio(self) -> float:
        """Length of the window in half-lives."""
        return (self.time_high - self.time_low) / self.half_life

    def predict(self, time: float) -> float:
        """The fitted line at `time`."""
        return float(np.exp(self.intercept - self.rate * time))


def terminal_slope(
    time: ArrayLike,
    value: ArrayLike,
    *,
    min_points: int = MIN_POINTS,
    min_r_squared: float = MIN_R_SQUARED,
    min_span: float = MIN_SPAN,
) -> TerminalSlope:
    """Slope of ln(value) over the last k samples, for the k with the best adjusted R2.

    `time` ascending, `value` positive, the maximum not among them. The rules are the defaults of
    PKNCA (doi:10.1007/s10928-015-9422-7): three points or more, ties within 1e-4 to more points,
    R2 of 0.9 or more, a span of two half-lives or more, a falling line.
    """
    t, y = np.asarray(time, float), np.log(np.asarray(value, float))
    if t.size < min_points:
        text = f"needs {min_points} values above the limit after the maximum, has {t.size}"
        return TerminalSlope(*(float("nan"),) * 2, int(t.size), *(float("nan"),) * 4, reason=text)
    sizes, adjusted, rates = _windows(t, y, min_points)
    falling = (rates > 0) & (adjusted > adjusted.max() - TIE)
    if not falling.any():
        return _with_reason(_line(t, y), "values do not fall after the maximum")
    longest = int(sizes[falling].max())
    chosen = _line(t[-longest:], y[-longest:])
    if chosen.r_squared < min_r_squared:
        return _with_reason(chosen, f"R2 {chosen.r_squared:.2f} is below {min_r_squared:g}")
    if chosen.span_ratio < min_span:
        text = f"window covers {chosen.span_ratio:.1f} half-lives, needs {min_span:g}"
        return _with_reason(chosen, text)
    return chosen


def _with_reason(slope: TerminalSlope, reason: str) -> TerminalSlope:
    return TerminalSlope(**{**slope.__dict__, "reason": reason})


def _windows(t: Vector, y: Vector, min_points: int) -> tuple[Vector, Vector, Vector]:
    """Size, adjusted R2 and rate of the line through the last k points, for every k.

    Sums run from the last point backwards and are centered on it, which keeps their digits.
    """
    x, z = t[::-1] - t[-1], y[::-1] - y[-1]
    n = np.arange(1.0, t.size + 1)
    sx, sz = np.cumsum(x), np.cumsum(z)
    sxx = np.cumsum(x * x) - sx * sx / n
    szz = np.cumsum(z * z) - sz * sz / n
    sxz = np.cumsum(x * z) - sx * sz / n
    keep = slice(min_points - 1, None)
    n, sxx, szz, sxz = n[keep], sxx[keep], szz[keep], sxz[keep]
    r_squared = np.divide(sxz**2, sxx * szz, out=np.zeros_like(n), where=szz > 0)
    return n, 1.0 - (1.0 - r_squared) * (n - 1) / (n - 2), -sxz / sxx


def _line(t: Vector, y: Vector) -> TerminalSlope:
    n = t.size
    t_mean, y_mean = t.mean(), y.mean()
    sxx, syy = ((t - t_mean) ** 2).sum(), ((y - y_mean) ** 2).sum()
    slope = ((t - t_mean) * (y - y_mean)).sum() / sxx
    r_squared = float(slope**2 * sxx / syy) if syy > 0 else 0.0
    return TerminalSlope(
        rate=float(-slope),
        intercept=float(y_mean - slope * t_mean),
        n_points=int(n),
        time_low=float(t[0]),
        time_high=float(t[-1]),
        r_squared=r_squared,
        adjusted_r_squared=1.0 - (1.0 - r_squared) * (n - 1) / (n - 2),
    )
