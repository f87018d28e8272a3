"""The cellular-kinetics curve of Stein 2019 (doi:10.1002/psp4.12388) for CAR-T cells in blood.

Exponential growth to a peak, then a fast contraction and a slow decline of memory cells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class SteinParameters:
    """Parameters of one curve; rates per day, cmax in the unit of the assay.

    fold: peak over the value at infusion. memory_fraction: share of the peak that declines slowly.
    lag_day: days before growth starts (0 in the original).
    """

    fold: float
    tmax_day: float
    cmax: float
    contraction_per_day: float
    memory_fraction: float
    memory_per_day: float
    lag_day: float = 0.0

    @property
    def growth_per_day(self) -> float:
        """ln(fold) over the days of growth."""
        return float(np.log(self.fold) / (self.tmax_day - self.lag_day))

    @property
    def doubling_time_day(self) -> float:
        """ln 2 / growth rate."""
        return float(np.log(2.0) / self.growth_per_day)


TYPICAL = SteinParameters(
    fold=3900.0,
    tmax_day=9.3,
    cmax=24_000.0,
    contraction_per_day=0.16,
    memory_fraction=0.0079,
    memory_per_day=0.0032,
)
"""Tisagenlecleucel in 90 children and young adults with B-ALL, copies/ug DNA by qPCR."""


def stein_curve(day: ArrayLike, parameters: SteinParameters = TYPICAL) -> NDArray[np.float64]:
    """Value at each day since infusion; before infusion it is zero."""
    t, p = np.asarray(day, float), parameters
    start = p.cmax / p.fold
    growing = start * np.exp(p.growth_per_day * np.clip(t - p.lag_day, 0.0, p.tmax_day - p.lag_day))
    since = np.clip(t - p.tmax_day, 0.0, None)
    falling = p.cmax * (
        (1.0 - p.memory_fraction) * np.exp(-p.contraction_per_day * since)
        + p.memory_fraction * np.exp(-p.memory_per_day * since)
    )
    curve = np.where(t < p.tmax_day, growing, falling)
    return np.where(t < 0, 0.0, curve)


def stein_area(until_day: float, parameters: SteinParameters = TYPICAL) -> float:
    """Exact area from infusion to `until_day`, value x day."""
    p = parameters
    end = min(until_day, p.tmax_day)
    start, growth = p.cmax / p.fold, p.growth_per_day
    area = start * min(end, p.lag_day)
    area += start * np.expm1(growth * max(end - p.lag_day, 0.0)) / growth
    since = max(until_day - p.tmax_day, 0.0)
    for share, rate in (
        (1.0 - p.memory_fraction, p.contraction_per_day),
        (p.memory_fraction, p.memory_per_day),
    ):
        area += p.cmax * share * -np.expm1(-rate * since) / rate
    return float(area)
