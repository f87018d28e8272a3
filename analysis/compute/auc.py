"""Area under a curve by trapezoids, linear on the way up and logarithmic on the way down."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

AucMethod = Literal["linear_up_log_down", "linear"]
Vector = NDArray[np.float64]


def auc(time: ArrayLike, value: ArrayLike, method: AucMethod = "linear_up_log_down") -> float:
    """Area in value x time; `time` ascending. Fewer than two points have no area (nan).

    A falling segment between two positive values is exponential: its area is the logarithmic
    trapezoid (c1 - c2) (t2 - t1) / ln(c1 / c2). All others are linear.
    """
    t, c = np.asarray(time, float), np.asarray(value, float)
    return float(segment_areas(t, c, method).sum()) if t.size > 1 else float("nan")


def segment_areas(time: Vector, value: Vector, method: AucMethod) -> Vector:
    """Area of each segment between neighboring points."""
    width, left, right = np.diff(time), value[:-1], value[1:]
    areas = width * (left + right) / 2.0
    if method == "linear_up_log_down":
        falling = (right < left) & (right > 0)
        fall = np.log(left[falling] / right[falling])
        areas[falling] = width[falling] * (left[falling] - right[falling]) / fall
    return np.asarray(areas, float)


def value_at(
    time: Vector, value: Vector, at: float, method: AucMethod = "linear_up_log_down"
) -> float:
    """The curve at `at` by the rule of the trapezoids; nan outside the samples."""
    if time.size == 0 or not time[0] <= at <= time[-1]:
        return float("nan")
    after = int(np.searchsorted(time, at))
    if time[after] == at:
        return float(value[after])
    left, right = float(value[after - 1]), float(value[after])
    share = (at - time[after - 1]) / (time[after] - time[after - 1])
    if method == "linear_up_log_down" and 0 < right < left:
        return float(np.exp((1 - share) * np.log(left) + share * np.log(right)))
    return float((1 - share) * left + share * right)
