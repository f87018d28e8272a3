"""Samples of one patient as the structural curves read them, and what is refused at the door."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.compute.samples import numbers
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.kinetics.likelihood import Samples

MIN_EXACT = 4
"""Values above the limit without which a rise and a fall have no curve."""


def samples_of(
    time: ArrayLike, value: ArrayLike, lower: ArrayLike | None, upper: ArrayLike | None
) -> Samples:
    """Samples after infusion by time, on the natural log scale.

    value: missing where only bounds are known. lower: 0 or missing below a limit. upper: missing
    above one. Samples at or before infusion say nothing about the curve and are left out. Raises
    UserError for vectors of different length, a missing or repeated time, a value that is not
    positive, or a sample with neither value nor bound.
    """
    t, v = numbers("kinetics", "time", time), numbers("kinetics", "value", value)
    missing = np.full(v.shape, np.nan)
    low = missing if lower is None else numbers("kinetics", "lower", lower)
    high = missing if upper is None else numbers("kinetics", "upper", upper)
    if not t.shape == v.shape == low.shape == high.shape or t.ndim != 1:
        raise UserError(
            f"kinetics: lengths differ: time {t.size}, value {v.size}, lower {low.size}, upper "
            f"{high.size}; give one of each per sample"
        )
    if not np.isfinite(t).all() or np.isinf(v).any():
        raise UserError("kinetics: a time is missing or a value is infinite; leave the sample out")
    after = t > 0
    t, v, low, high = t[after], v[after], low[after], high[after]
    hidden = np.isnan(v)
    if (v[~hidden] <= 0).any():
        raise UserError(
            "kinetics: a value is zero or negative; give a missing value with the limit in upper"
        )
    if (hidden & np.isnan(high) & ~(low > 0)).any():
        raise UserError(
            "kinetics: a sample has neither a value nor a limit; give its limit in upper"
        )
    if (hidden & ((high <= 0) | (low > high))).any():
        raise UserError("kinetics: an upper bound is not positive or lies below the lower one")
    if np.unique(t).size < t.size:
        raise UserError("kinetics: two samples at one time; average replicates first")
    order = np.argsort(t)
    with np.errstate(divide="ignore", invalid="ignore"):
        bottom = np.log(np.where(hidden, np.where(np.isnan(low), 0.0, low), v))
        top = np.log(np.where(hidden, np.where(np.isnan(high), np.inf, high), v))
    return Samples(t[order], bottom[order], top[order])


def problem_of(samples: Samples) -> Problem | None:
    """Why no curve can be fitted, in plain words."""
    exact = samples.exact
    if samples.t.size == 0:
        return Problem("no_observations", "There is no sample after infusion.", "Check the days.")
    if not exact.any():
        return Problem(
            "all_censored",
            "All samples are below or above a limit.",
            "Report that the signal was never quantified; no curve can be fitted.",
        )
    if exact.sum() < MIN_EXACT:
        return Problem(
            "too_few_observations",
            f"A curve needs {MIN_EXACT} values between the limits; there are {int(exact.sum())}.",
            "Take the non-compartmental parameters.",
        )
    if np.ptp(samples.low[exact]) < 1e-9:
        return Problem(
            "constant_outcome", "All values are the same.", "Check for copied or rounded values."
        )
    return _one_sided(samples)


def _one_sided(samples: Samples) -> Problem | None:
    """A curve of which only the rise or only the fall is seen."""
    top = int(np.argmax(np.where(np.isfinite(samples.low), samples.low, -np.inf)))
    if top == 0:
        return Problem(
            "no_rise",
            "The highest value is the first sample, so growth is not seen.",
            "Sample earlier, or report the decline by non-compartmental half-lives.",
        )
    if samples.t.size - top - 1 < 2:
        return Problem(
            "no_decline",
            "Fewer than two samples follow the highest value, so the decline is not seen.",
            "Follow the patient longer, or report the doubling time only.",
        )
    return None
