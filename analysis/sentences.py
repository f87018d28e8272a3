"""The one plain sentence of a fit. It obeys the status and the words of the tracer class."""

from math import floor, log10

from analysis.results import Fit, GeometricMeanRatio

WALD = "Wald, small-sample correction pending"


def mixed_sentence(fit: Fit) -> str:
    """For a bare mixed model: what was fitted; the strongest term is not picked out."""
    outcome = fit.formula.split("~")[0].strip()
    caution = "" if fit.status == "ok" else f" Caution: {fit.advice}"
    return (f"The model for {outcome} was fitted to {count(fit.n_observations, 'observation')} of "
            f"{count(fit.n_subjects, 'patient')} ({WALD}).{caution}")


def ratio_sentence(ratio: GeometricMeanRatio, signal: str, group: str, reference: str) -> str:
    """'On day 14, blood transgene was 3.1 times higher in responders than in ...'.

    signal, group, reference: noun phrases; the words for the signal are the tracer class's.
    """
    when = "" if ratio.day is None else f"On day {ratio.day:g}, "
    low, high = ratio.conf_low, ratio.conf_high
    interval = "" if low is None or high is None else (
        f"95 % CI {number(low)} to {number(high)}; "
    )
    counts = f"n = {ratio.n} against {ratio.n_reference}"
    if ratio.kind == "difference":
        size = f"{number(abs(ratio.ratio))} {'higher' if ratio.ratio >= 0 else 'lower'}"
        clear = low is not None and high is not None and (low > 0 or high < 0)
    else:
        size = times(ratio.ratio)
        clear = low is not None and high is not None and (low > 1 or high < 1)
    shifted = " (a ratio of shifted values)" if ratio.kind == "ratio of shifted values" else ""
    body = f"{when}{signal} was {size} in {group} than in {reference}{shifted}"
    end = f" ({interval}{counts}; {WALD})."
    text = body[0].upper() + body[1:] + end
    return text if clear else f"{text} The data are also compatible with no difference."


def times(ratio: float) -> str:
    """'3.1 times higher', '2 times lower' for ratios below one, 'about the same' near one."""
    if ratio > 1:
        return f"{number(ratio)} times higher"
    if ratio < 1:
        return f"{number(1 / ratio)} times lower"
    return "no higher"


def number(value: float) -> str:
    """Two significant digits, whole numbers from 10 on, thousands with a comma."""
    if value == 0:
        return "0"
    digits = 1 - floor(log10(abs(value)))
    rounded = round(value, digits)
    if abs(rounded) >= 1e6 or abs(rounded) < 1e-3:
        return f"{value:.1e}"
    return f"{rounded:,.0f}" if abs(rounded) >= 10 else f"{rounded:.{max(digits, 0)}f}"


def count(n: int, noun: str) -> str:
    """'1 patient', '24 patients', '1,234 observations'."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")
