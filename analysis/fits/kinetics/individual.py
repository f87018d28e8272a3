"""One patient's kinetic curve by maximum likelihood. `fit_kinetics` is the entry point."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.compute.confidence_level import require_level
from analysis.errors import UserError
from analysis.fits.kinetics.curves import FORMS, NAMES, SLOW, Form, log_curve
from analysis.fits.kinetics.growing_signal import growing_signal
from analysis.fits.kinetics.individual_parameters import parameters_of
from analysis.fits.kinetics.individual_result import (
    Candidate,
    FittedSample,
    KineticParameter,
    KineticsFit,
)
from analysis.fits.kinetics.likelihood import Samples
from analysis.fits.kinetics.samples import problem_of, samples_of
from analysis.fits.kinetics.search import LOG_SIGMA, Maximum, maximum
from analysis.number_words import number
from analysis.results import Check
from analysis.tracers.context import SignalContext

SPARE = 2
"""Samples needed beyond the parameters and the residual spread of a curve."""
OUTLIER = 3.5


def fit_kinetics(
    time: ArrayLike,
    value: ArrayLike,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    *,
    form: str = "auto",
    level: float = 0.95,
    context: str | SignalContext = "",
) -> KineticsFit:
    """Growth to a peak and decline of one patient, by maximum likelihood on the log scale.

    time: days since infusion. value: missing where the sample is known only by its bounds; lower
    (0 or missing below a limit) and upper (the limit; missing above one). They enter by the
    probability of lying there (Beal 2001, M3, doi:10.1023/A:1012299115260).
    form: "stein", "lag_biphasic", "single_decline", or "auto", the smallest corrected Akaike
    criterion among those the number of samples allows. Intervals: profile likelihood with the t
    quantile for the samples at hand; they hold one curve at a time. A curve that cannot be fitted
    comes back not_estimable and without a number. context: what the signal is, as `fit_mixed` takes
    it; without one the samples are taken for a blood assay. A label put on the cells before
    infusion does not grow with them and is refused. Raises UserError for samples that make no
    sense, a form that does not exist, or a level outside 0 to 1.
    """
    require_level(level)
    signal = growing_signal(context)
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
    return _reported(samples, FORMS[name], kept[name], candidates, level, counts, signal)


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
    signal: str,
) -> KineticsFit:
    parameters = parameters_of(samples, form, best, level)
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
        sentence=_sentence(parameters, form, level, signal),
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


def _sentence(
    parameters: tuple[KineticParameter, ...], form: Form, level: float, signal: str
) -> str:
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
    what = f"Kinetics ({signal})" if signal else "Cellular kinetics"
    return f"{what} by {form.words}: {'; '.join(parts)}."
