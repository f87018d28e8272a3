"""Non-compartmental parameters of one kinetic curve, each with the reason when it has no value."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.compute.auc import AucMethod, auc, value_at
from analysis.compute.half_life import TerminalSlope, terminal_slope
from analysis.compute.samples import numbers
from analysis.errors import UserError

Vector = NDArray[np.float64]
NAN = float("nan")


PEAK_DAYS = (1.0, 28.0)
"""Days since infusion in which a peak is looked for when patients are compared. Cmax of one curve
has the same first day and no last one; the partial area ends on the same last day."""


@dataclass(frozen=True)
class NcaRules:
    """Conventions of the analysis; times in days."""

    method: AucMethod = "linear_up_log_down"
    peak_from: float = PEAK_DAYS[0]
    """Earlier values are the dose on its way into tissue, not growth."""
    end: float = PEAK_DAYS[1]
    """Right end of the partial area."""
    last_sample_from: float = 21.0
    """The partial area needs a sample on or after this day."""
    contraction_until: float = 32.0
    """Decline up to here is the contraction; day 28 with its visit window."""
    min_growth_points: int = 3
    min_r_squared: float = 0.9
    min_span: float = 2.0


@dataclass(frozen=True)
class NcaResult:
    """Parameters of one curve. Times and half-lives in the unit of `time`, nan = no value.

    `reasons` maps a parameter to why it has no value, or to what limits it when it has one.
    """

    n_samples: int
    n_below: int
    cmax: float = NAN
    tmax: float = NAN
    clast: float = NAN
    tlast: float = NAN
    first_below: float = NAN
    """First sample below the limit after `tlast`; nan when none was taken."""
    auc_last: float = NAN
    auc_end: float = NAN
    auc_infinity: float = NAN
    percent_extrapolated: float = NAN
    growth_rate: float = NAN
    doubling_time: float = NAN
    fold: float = NAN
    contraction: TerminalSlope | None = None
    terminal: TerminalSlope | None = None
    reasons: dict[str, str] = field(default_factory=dict)


def nca(
    time: ArrayLike,
    value: ArrayLike,
    below: ArrayLike | None = None,
    *,
    rules: NcaRules | None = None,
) -> NcaResult:
    """Parameters of one curve.

    time: days since infusion, any order. value: concentration; nan where below the limit.
    below: True where the sample is below its limit (default: value missing or not positive).
    Below the limit counts as zero before the first quantifiable value and at the first sample
    after the last one, and is left out between and later (PKNCA: keep, drop, keep). Samples
    before infusion are counted in `n_samples` and `n_below` and not used; without a sample at
    infusion the curve starts there at zero. Fold: peak over the first sample after infusion.
    Raises UserError for vectors of different length, a repeated or missing time, a value that is
    infinite, negative or no number.
    """
    chosen = rules or NcaRules()
    t, c, blq = _sorted(time, value, below)
    counts: dict[str, Any] = {"n_samples": int(t.size), "n_below": int(blq.sum())}
    after = t >= 0
    t, c, blq = t[after], c[after], blq[after]
    if blq.all():
        reason = "no sample after infusion" if t.size == 0 else "all samples below the limit"
        first_below = float(t[0]) if t.size else NAN
        return NcaResult(
            **counts, first_below=first_below, reasons=dict.fromkeys(_PARAMETERS, reason)
        )
    samples = _Samples(t, c, ~blq, *_curve(t, c, blq))
    values, reasons = _peak(samples, chosen)
    for part in (_areas, _growth, _decline):
        more, why = part(samples, chosen, values)
        values |= more
        reasons |= why
    return NcaResult(**counts, **values, reasons=reasons)


_PARAMETERS = (
    "cmax", "tmax", "auc_last", "auc_end", "auc_infinity", "percent_extrapolated", "clast", "tlast",
    "growth_rate", "doubling_time", "fold", "contraction", "terminal",
)  # fmt: skip


ONE_SAMPLE = "one sample after infusion; an area needs two"
_BEYOND = ("auc_infinity", "percent_extrapolated")
"""What rests on the decline after the last sample."""


class _Samples(NamedTuple):
    """Samples from infusion on, and the points of the area made of them."""

    t: Vector
    c: Vector
    quantifiable: NDArray[np.bool_]
    curve_t: Vector
    curve_c: Vector


_Found = tuple[dict[str, Any], dict[str, str]]
"""Values and reasons by parameter."""


def _sorted(
    time: ArrayLike, value: ArrayLike, below: ArrayLike | None
) -> tuple[Vector, Vector, NDArray[np.bool_]]:
    t, c = numbers("nca", "time", time), numbers("nca", "value", value)
    blq = ~(c > 0) if below is None else np.asarray(below, bool) | ~(c > 0)
    if not t.shape == c.shape == blq.shape:
        raise UserError(
            f"nca: lengths differ: time {t.size}, value {c.size}, below {blq.size}; give one value "
            "for each time"
        )
    if not np.isfinite(t).all() or np.isinf(c).any():
        raise UserError(
            "nca: a time is missing or a value is infinite; leave the sample out, or give a "
            "missing value where it is below the limit"
        )
    if (c < 0).any():
        raise UserError(
            f"nca: {int((c < 0).sum())} values are negative; a concentration is not, so correct "
            "them, or give zero or a missing value where a sample is below its limit"
        )
    order = np.argsort(t, kind="stable")
    t, c, blq = t[order], c[order], blq[order]
    if (np.diff(t) == 0).any():
        raise UserError("nca: two samples at one time; average replicates first")
    return t, c, blq


def _curve(t: Vector, c: Vector, blq: NDArray[np.bool_]) -> tuple[Vector, Vector]:
    """Points of the area: zeros before the first value, one zero after the last, none between."""
    first, last = np.flatnonzero(~blq)[[0, -1]]
    index = np.arange(t.size)
    keep = ~blq | (index < first) | (index == last + 1)
    points = np.where(blq, 0.0, c)[keep]
    times = t[keep]
    if times[0] > 0:
        times, points = np.insert(times, 0, 0.0), np.insert(points, 0, 0.0)
    return times, points


def _peak(samples: _Samples, rules: NcaRules) -> _Found:
    t, c, quantifiable, *_ = samples
    usable = quantifiable & (t >= rules.peak_from)
    if not usable.any():
        return {}, dict.fromkeys(
            ("cmax", "tmax"), f"no value above the limit from day {rules.peak_from:g} on"
        )
    at = int(np.flatnonzero(usable)[np.argmax(c[usable])])
    late = at == t.size - 1
    reason = "the highest value is the last sample; the peak may be later"
    return {"cmax": float(c[at]), "tmax": float(t[at])}, {"tmax": reason} if late else {}


def _areas(samples: _Samples, rules: NcaRules, _: dict[str, Any]) -> _Found:
    t, _c, quantifiable, curve_t, curve_c = samples
    last = int(np.flatnonzero(quantifiable)[-1])
    tlast = float(t[last])
    until = curve_t <= tlast
    auc_end, reason = (
        _partial_area(curve_t, curve_c, float(t[-1]), rules) if t.size > 1 else (NAN, ONE_SAMPLE)
    )
    values = {
        "tlast": tlast,
        "clast": float(curve_c[curve_t == tlast][0]),
        "first_below": float(t[last + 1]) if last + 1 < t.size else NAN,
        "auc_last": auc(curve_t[until], curve_c[until], rules.method),
        "auc_end": auc_end,
    }
    return values, {"auc_end": reason} if reason else {}


def _partial_area(
    curve_t: Vector, curve_c: Vector, last_sample: float, rules: NcaRules
) -> tuple[float, str]:
    if last_sample < rules.last_sample_from:
        return NAN, (
            f"last sample on day {last_sample:g}; needs one on or after day "
            f"{rules.last_sample_from:g}"
        )
    inside = curve_t <= rules.end
    t, c = curve_t[inside], curve_c[inside]
    reason = ""
    if t[-1] < rules.end:
        at_end = value_at(curve_t, curve_c, rules.end, rules.method)
        if np.isnan(at_end):
            at_end = 0.0 if c[-1] <= 0 else _extrapolated(t, c, rules.end)
            if last_sample < rules.end:
                reason = (
                    f"extrapolated by {rules.end - last_sample:.1f} days beyond the last sample "
                    f"(day {last_sample:g})"
                )
        t, c = np.append(t, rules.end), np.append(c, at_end)
    return auc(t, c, rules.method), reason


def _extrapolated(t: Vector, c: Vector, at: float) -> float:
    """The last two points carried on exponentially when they fall, else the last value."""
    if t.size < 2 or not 0 < c[-1] < c[-2]:
        return float(c[-1])
    rate = np.log(c[-2] / c[-1]) / (t[-1] - t[-2])
    return float(c[-1] * np.exp(-rate * (at - t[-1])))


def _growth(samples: _Samples, rules: NcaRules, peak: dict[str, Any]) -> _Found:
    t, c, quantifiable, *_ = samples
    post = t > 0
    if "tmax" not in peak or not post.any():
        return {}, dict.fromkeys(("growth_rate", "doubling_time", "fold"), "no peak")
    values, reasons = _fold(samples, peak)
    rising = quantifiable & post & (t <= peak["tmax"])
    if rising.sum() < rules.min_growth_points:
        few = f"needs {rules.min_growth_points} values up to the peak, has {int(rising.sum())}"
        return values, reasons | dict.fromkeys(("growth_rate", "doubling_time"), few)
    rate = float(np.polyfit(t[rising], np.log(c[rising]), 1)[0])
    values["growth_rate"] = rate
    if rate > 0:
        values["doubling_time"] = float(np.log(2.0) / rate)
    else:
        reasons["doubling_time"] = "values do not rise toward the peak"
    return values, reasons


def _fold(samples: _Samples, peak: dict[str, Any]) -> _Found:
    """Peak over the first sample after infusion."""
    first = int(np.flatnonzero(samples.t > 0)[0])
    if not samples.quantifiable[first]:
        return {}, {"fold": "first sample after infusion is below the limit"}
    if samples.t[first] >= peak["tmax"]:
        return {}, {"fold": "the peak is the first sample after infusion"}
    return {"fold": peak["cmax"] / float(samples.c[first])}, {}


def _decline(samples: _Samples, rules: NcaRules, found: dict[str, Any]) -> _Found:
    if "tmax" not in found:
        return {}, dict.fromkeys(("contraction", "terminal", *_BEYOND), "no peak")
    after = samples.quantifiable & (samples.t > found["tmax"])
    slopes = {
        name: terminal_slope(
            samples.t[after & (samples.t <= until)],
            samples.c[after & (samples.t <= until)],
            min_r_squared=rules.min_r_squared,
            min_span=rules.min_span,
        )
        for name, until in (("contraction", rules.contraction_until), ("terminal", np.inf))
    }
    values: dict[str, Any] = dict(slopes)
    terminal = slopes["terminal"]
    if terminal.rate > 0:
        tail = found["clast"] / terminal.rate
        whole = found["auc_last"] + tail
        values |= {"auc_infinity": whole, "percent_extrapolated": 100.0 * tail / whole}
    reasons = {name: slope.reason for name, slope in slopes.items() if slope.reason}
    if terminal.reason:
        reasons |= dict.fromkeys(_BEYOND, f"terminal decline: {terminal.reason}")
    return values, reasons
