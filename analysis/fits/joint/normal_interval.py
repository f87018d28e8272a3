"""A normal value known between two bounds only: log-probability and its derivatives."""

from typing import NamedTuple

import numpy as np

from analysis.engine.structure import Array


class IntervalDerivatives(NamedTuple):
    """value; first, second: in the mean; scale_first, mixed, scale_second: in log sigma, and in
    log sigma and the mean."""

    value: Array
    first: Array
    second: Array
    scale_first: Array
    mixed: Array
    scale_second: Array


def interval_derivatives(low: Array, high: Array, sigma: float) -> IntervalDerivatives:
    """Of log(Phi(high) - Phi(low)), the bounds standardized by mean and sigma; infinite is allowed.

    Computed in the tail that keeps its digits: where both bounds are positive the signs turn.
    """
    from scipy.special import log_ndtr

    turned = low > 0
    a = np.where(turned, -high, low)
    b = np.where(turned, -low, high)
    upper, lower = log_ndtr(b), log_ndtr(a)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_p = upper + np.log(-np.expm1(np.minimum(lower - upper, -1e-300)))
        at_low = np.exp(-0.5 * low**2 - 0.5 * np.log(2 * np.pi) - log_p)
        at_high = np.exp(-0.5 * high**2 - 0.5 * np.log(2 * np.pi) - log_p)
    low, high = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
    r1 = at_low - at_high
    r2 = low * at_low - high * at_high
    r3 = low**2 * at_low - high**2 * at_high
    r4 = low**3 * at_low - high**3 * at_high
    return IntervalDerivatives(
        log_p,
        r1 / sigma,
        (r2 - r1**2) / sigma**2,
        r2,
        (r3 - r1 * r2 - r1) / sigma,
        r4 - r2 - r2**2,
    )
