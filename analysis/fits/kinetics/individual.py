"""One patient's kinetic curve by maximum likelihood. `fit_kinetics` is the entry point."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analysis.compute.confidence_level import require_level
from analysis.compute.intervals import t_quantile
from analysis.errors import UserError
from analysis.fits.kinetics.curves import (
    CONTRACTION,
    FORMS,
    LAG,
    NAMES,
    SLOW,
    TMAX,
    Form,
    log_curve,
    natural,
)  # fmt: skip
from analysis.fits.kinetics.likelihood import Samples
from analysis.fits.kinetics.samples import problem_of, samples_of
from analysis.fits.kinetics.search import (
    LOG_SIGMA,
    Maximum,
    growth_interval,
    interval,
    log_growth_rate,
    maximum,
)  # fmt: skip
from analysis.results import Check, Status
from analysis.sentences import number
from analysis.serialized import Serialized

SPARE = 2
"""Samples needed beyond the parameters and the residual spread of a curve."""
OUTLIER = 3.5
LN2 = float(np.log(2.0))


class KineticParameter(NamedTuple):
    """One parameter; estimate null when the data do not determine it, a bound null when the
    likelihood sets none. note says so in words. Times in days, cmax in the unit of the assay."""

    name: str
    estimate: float | None
    conf_low: float | None
    conf_high: float | None
    note: str = ""


class FittedSample(NamedTuple):
    """One sample; residual in units of the residual spread, null for one known by bounds only."""

    day: float
    fitted: float
    residual: float | None


class Candidate(NamedTuple):
    """One form of the curve: likelihood, corrected Akaike criterion, or why it was not fitted."""

    form: str
    log_likelihood: float | None
    aicc: float | None
    note: str = ""


@dataclass(frozen=True)
class KineticsFit(Serialized):
    """Curve of one patient. sigma: residual SD in natural logs. No number if not estimable."""

    ROWS: ClassVar[Mapping[str, type]] = {
        "parameters": KineticParameter, "samples": FittedSample, "candidates": Candidate,
        "checks": Check,
    }  # fmt: skip

    status: Status
    reason: str | None
    sentence: str
    advice: str = ""
    form: str = ""
    parameters: tuple[KineticParameter, ...] = ()
    sigma: float | None = None
    log_likelihood: float | None = None
    n_observations: int = 0
    n_censored: int = 0
    conf_level: float = 0.95
    candidates: tuple[Candidate, ...] = ()
    samples: tuple[FittedSample, ...] = ()
    checks: tuple[Check, ...] = ()

    def parameter(self, name: str) -> KineticParameter | None:
        """The parameter of that name, None when the curve has none."""
        return next((item for item in self.parameters if item.name == name), None)


def fit_kinetics(
    time: ArrayLike,
    value: ArrayLike,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    *,
    form: str = "auto",
    level: float = 0.95,
) -> KineticsFit:
    """Growth to a peak and decline of one patient, by maximum likelihood on the log scale.

    time: days since infusion. value: missing where the sample is known only by its bounds; lower
    (0 or missing below a limit) and upper (the limit; missing above one). They enter by the
    probability of lying there (Beal 2001, M3, doi:10.1023/A:1012299115260).
    form: "stein", "lag_biphasic", "single_decline", or "auto", the smallest corrected Akaike
    criterion among those the number of samples allows. Intervals: profile likelihood with the t
    quantile for the samples at hand; they hold one curve at a time. A curve that cannot be fitted
    comes back not_estimable and without a number. Raises UserError for samples that make no
    sense, a form that does not exist, or a level outside 0 to 1.
    """
    require_level(level)
    if form not in ("auto", *FORMS):
        raise UserError(f"kinetics: form {form!r} does not exist; use 'auto', {', '.join(FORMS)}")
    samples = samples_of(time, value, lower, upper)
    counts: dict[str, Any] = {
        "n_observations": int(samples.t.size), "n_censored": int((~samples.exact).sum()),
    }  # fmt: skip
    problem = problem_of(samples)
    names = list(FORMS) if form == "auto" else [form]
    found = {name: _fitted(samples, FORMS[name]) for name in names} if problem is None else {}
    kept = {name: item for name, item in found.items() if isinstance(item, Maximum)}
    if not kept:
        reason, sentence, advice = problem or (
            "too_few_observations",
            f"{str(next(iter(found.values()))).capitalize()}.",
            "Take the non-compartmental parameters, or a curve with fewer parameters.",
        )
        return KineticsFit(
            "not_estimable", reason, f"Not estimable: {sentence}", advice, conf_level=level,
            checks=(Check("estimable", "failed", f"{sentence} {advice}"),), **counts,
        )  # fmt: skip
    candidates = tuple(_candidate(name, item, samples) for name, item in found.items())
    name = min(kept, key=lambda key: _aicc(kept[key], samples))
    return _reported(samples, FORMS[name], kept[name], candidates, level, counts)


def _fitted(samples: Samples, form: Form) -> Maximum | str:
    needed = len(form.parameters) + 1 + SPARE
    if samples.t.size < needed:
        return f"{form.words} needs {needed} samples, there are {samples.t.size}"
    return maximum(samples, form)


def _aicc(found: Maximum, samples: Samples) -> float:
    k, n = found.x.size, samples.t.size
    return 2 * found.value + 2 * k * n / (n - k - 1)


def _candidate(name: str, found: Maximum | str, samples: Samples) -> Candidate:
    if isinstance(found, str):
        return Candidate(name, None, None, found)
    return Candidate(name, -found.value, _aicc(found, samples))


def _reported(
    samples: Samples,
    form: Form,
    best: Maximum,
    candidates: tuple[Candidate, ...],
    level: float,
    counts: dict[str, Any],
) -> KineticsFit:
    parameters = _parameters(samples, form, best, level)
    sigma = float(np.exp(best.x[-1]))
    mean = log_curve(best.x[:-1], samples.t, form)
    fitted = tuple(
        FittedSample(float(t), float(np.exp(m)), float((y - m) / sigma) if known else None)
        for t, m, y, known in zip(samples.t, mean, samples.low, samples.exact, strict=True)
    )
    checks = (*_residual_checks(fitted, best), *_identifiable(parameters), *_one_phase(form))
    raised = next((check for check in checks if check.status == "warning"), None)
    return KineticsFit(
        status="warning" if raised else "ok",
        reason=raised.name if raised else None,
        sentence=_sentence(parameters, form, level),
        advice=raised.message if raised else "",
        form=form.name,
        parameters=parameters,
        sigma=sigma,
        log_likelihood=-best.value,
        conf_level=level,
        candidates=candidates,
        samples=fitted,
        checks=checks,
        **counts,
    )


def _parameters(
    samples: Samples, form: Form, best: Maximum, level: float
) -> tuple[KineticParameter, ...]:
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


def _residual_checks(fitted: tuple[FittedSample, ...], best: Maximum) -> tuple[Check, ...]:
    largest = max((abs(s.residual) for s in fitted if s.residual is not None), default=0.0)
    far = largest > OUTLIER
    checks = [
        Check(
            "outlier", "warning" if far else "ok",
            "One sample lies far from the curve. Check that sample." if far
            else "No sample lies far from the curve.", largest,
        )
    ]  # fmt: skip
    if best.x[-1] <= LOG_SIGMA[0] + 1e-6:
        checks.append(
            Check(
                "residual_spread", "warning",
                "The curve passes through nearly every sample, so its intervals are too narrow. "
                "Take a curve with fewer parameters.",
            )
        )  # fmt: skip
    return tuple(checks)


def _identifiable(parameters: tuple[KineticParameter, ...]) -> tuple[Check, ...]:
    open_ = [item.name for item in parameters if item.estimate is None]
    if not open_:
        return (Check("identifiable", "ok", "The samples determine every parameter."),)
    late = " The slow decline needs later samples." if NAMES[SLOW] in open_ else ""
    text = f"The samples do not determine {', '.join(open_)}.{late} Do not report them."
    return (Check("identifiable", "warning", text),)


def _one_phase(form: Form) -> tuple[Check, ...]:
    """The words for a slow decline that the chosen curve does not have."""
    if SLOW in form.parameters:
        return ()
    text = (
        "The samples do not carry a second, slower decline; its half-life is not estimable. "
        "Sample later and with a lower limit to see it."
    )
    return (Check("one_phase", "note", text),)


def _sentence(parameters: tuple[KineticParameter, ...], form: Form, level: float) -> str:
    known = {item.name: item for item in parameters}
    parts = []
    for name, words, unit in (
        ("cmax", "fitted peak", ""), ("tmax_day", "reached on day", ""),
        ("doubling_time_day", "doubling time", " days"),
        ("initial_half_life_day", "initial half-life", " days"),
        ("terminal_half_life_day", "terminal half-life", " days"),
    ):  # fmt: skip
        item = known.get(name)
        if item is None:
            continue
        if item.estimate is None:
            parts.append(f"{words} not identifiable")
            continue
        ends = [
            "no bound" if end is None else number(end) for end in (item.conf_low, item.conf_high)
        ]
        parts.append(
            f"{words} {number(item.estimate)}{unit} ({level:.0%} CI {ends[0]} to {ends[1]})"
        )
    return f"Cellular kinetics by {form.words}: {'; '.join(parts)}."
