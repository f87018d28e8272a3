"""Parameters of one patient's curve with their intervals, in their own units."""

import numpy as np

from analysis.compute.intervals import t_quantile
from analysis.fits.kinetics.curves import CONTRACTION, LAG, NAMES, SLOW, TMAX, Form, natural
from analysis.fits.kinetics.individual_result import KineticParameter
from analysis.fits.kinetics.likelihood import Samples
from analysis.fits.kinetics.search import Maximum, growth_interval, interval, log_growth_rate

LN2 = float(np.log(2.0))


def parameters_of(
    samples: Samples, form: Form, best: Maximum, level: float
) -> tuple[KineticParameter, ...]:
    """Parameters of the curve, growth rate, doubling time and half-lives."""
    df = max(samples.t.size - best.x.size, 1)
    drop = t_quantile(level, df) ** 2 / 2
    values = natural(best.x[:-1], form)
    found = {}
    for k, index in enumerate(form.parameters):
        low, high = interval(samples, form, best, k, drop)
        ends = [None if end is None else _natural(end, k, best, form) for end in (low, high)]
        found[NAMES[index]] = _judged(NAMES[index], float(values[k]), ends[0], ends[1])
    rows = list(found.values())
    rate = float(np.exp(log_growth_rate(best.x, form)))
    ends = [
        None if end is None else float(np.exp(end))
        for end in growth_interval(samples, form, best, drop)
    ]
    growth = _judged("growth_per_day", rate, ends[0], ends[1])
    rows += [growth, _half(growth, "doubling_time_day")]
    rows.append(_half(found[NAMES[CONTRACTION]], "initial_half_life_day"))
    if SLOW in form.parameters:
        rows.append(_half(found[NAMES[SLOW]], "terminal_half_life_day"))
    if LAG in form.parameters:
        lag = found[NAMES[LAG]].estimate
        day = None if lag is None else lag * float(values[TMAX])
        rows.append(KineticParameter("lag_day", day, None, None, "lag_share of tmax_day"))
    return tuple(rows)


def _natural(end: float, k: int, best: Maximum, form: Form) -> float:
    moved = best.x[:-1].copy()
    moved[k] = end
    return float(natural(moved, form)[k])


def _judged(name: str, value: float, low: float | None, high: float | None) -> KineticParameter:
    if low is None and high is None:
        return KineticParameter(
            name, None, None, None, "not identifiable: any value fits these samples"
        )
    if low is None or high is None:
        side = "lower" if low is None else "upper"
        return KineticParameter(name, value, low, high, f"the samples set no {side} bound")
    return KineticParameter(name, value, low, high)


def _half(rate: KineticParameter, name: str) -> KineticParameter:
    """ln 2 over a rate; its ends change places."""
    ends = [None if end is None else LN2 / end for end in (rate.conf_high, rate.conf_low)]
    note = rate.note
    if rate.estimate is not None and None in ends:
        note = f"the samples set no {'lower' if ends[0] is None else 'upper'} bound"
    return KineticParameter(
        name, None if rate.estimate is None else LN2 / rate.estimate, ends[0], ends[1], note
    )
