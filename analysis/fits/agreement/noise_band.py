"""Is a change beyond the noise of the measurement? Only a cited test-retest may say so.

A repeatability holds for its tracer, metric and method alone (Raunig DL et al., Stat Methods Med
2015;24:27, doi:10.1177/0962280214537344), so a band for another of these is refused, not borrowed.
"""

import math
from dataclasses import dataclass

from analysis.errors import UserError
from analysis.number_words import number
from analysis.results import Status
from analysis.serialized import Serialized

SCALES = ("absolute", "percent", "log")


@dataclass(frozen=True)
class CitedRepeatability:
    """A published repeatability coefficient with what it was measured for.

    coefficient: half-width of the 95 % band of no change. scale: "absolute" (unit of the metric),
    "percent" of the first value, or "log" (natural logarithm of the ratio).
    source: publication or DOI of the test-retest study.
    """

    coefficient: float
    scale: str
    tracer_id: str
    metric: str
    method: str
    source: str

    def __post_init__(self) -> None:
        """Raises UserError for a band nobody published or that is not a width."""
        if not self.source.strip():
            raise UserError(
                "repeatability: 'source' is empty; a band needs the publication of its test-retest "
                "study for this tracer, metric and method"
            )
        if self.scale not in SCALES:
            raise UserError(
                f"repeatability: scale {self.scale!r} does not exist; use {', '.join(SCALES)}"
            )
        if not (math.isfinite(self.coefficient) and self.coefficient > 0):
            raise UserError(
                f"repeatability: coefficient {self.coefficient!r} must be a number above 0"
            )


@dataclass(frozen=True)
class ChangeJudgment(Serialized):
    """verdict: "within noise", "beyond noise: higher", "beyond noise: lower", or None.

    low, high: values of the second measurement that are no change; change on the scale of the
    band.
    """

    status: Status
    reason: str | None
    sentence: str
    advice: str = ""
    verdict: str | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None


def judge_change(
    first: float | None,
    second: float | None,
    band: CitedRepeatability | None,
    *,
    tracer_id: str,
    metric: str,
    method: str,
) -> ChangeJudgment:
    """Compare two measurements of one patient and region with a cited band.

    tracer_id, metric, method: of the measurements; they must be those of the band.
    """
    problem = _problem(first, second, band, (tracer_id, metric, method))
    if problem is not None:
        return problem
    assert first is not None
    assert second is not None
    assert band is not None
    low, high = _bounds(first, band)
    change = _change(first, second, band)
    verdict = (
        "within noise"
        if low <= second <= high
        else f"beyond noise: {'higher' if second > high else 'lower'}"
    )
    return ChangeJudgment(
        "ok",
        None,
        f"{metric} went from {_shown(first)} to {_shown(second)}: {verdict} (no change is "
        f"{_shown(low)} to {_shown(high)}; {band.source}).",
        verdict=verdict,
        change=change,
        low=low,
        high=high,
    )


def _bounds(first: float, band: CitedRepeatability) -> tuple[float, float]:
    if band.scale == "absolute":
        return first - band.coefficient, first + band.coefficient
    if band.scale == "percent":
        width = abs(first) * band.coefficient / 100
        return first - width, first + width
    return first * math.exp(-band.coefficient), first * math.exp(band.coefficient)


def _change(first: float, second: float, band: CitedRepeatability) -> float:
    if band.scale == "absolute":
        return second - first
    if band.scale == "percent":
        return 100 * (second - first) / first
    return math.log(second / first)


def _problem(
    first: float | None,
    second: float | None,
    band: CitedRepeatability | None,
    measured: tuple[str, str, str],
) -> ChangeJudgment | None:
    if band is None:
        return _refusal(
            "no_cited_repeatability",
            f"no test-retest study is cited for {measured[1]} of {measured[0]} by {measured[2]}.",
            "Cite one for this tracer, metric and method, or show the change without a verdict.",
        )
    known = (band.tracer_id, band.metric, band.method)
    for name, own, other in zip(("tracer", "metric", "method"), measured, known, strict=True):
        if own != other:
            return _refusal(
                "other_measurement",
                f"the cited repeatability is for {name} {other}, the values are {name} {own}.",
                "A band is never borrowed; cite a test-retest for this tracer, metric and method.",
            )
    values = (first, second)
    if any(value is None or not math.isfinite(value) for value in values):
        return _refusal(
            "missing_value",
            "one of the two values is missing.",
            "Compare two measured values; a value below the limit has no change of its own.",
        )
    if band.scale != "absolute" and any(value is not None and value <= 0 for value in values):
        return _refusal(
            "not_positive",
            "a relative change needs two values above 0.",
            "Take an absolute band, or show both values.",
        )
    return None


def _refusal(reason: str, sentence: str, advice: str) -> ChangeJudgment:
    return ChangeJudgment("not_estimable", reason, f"Not estimable: {sentence}", advice)


def _shown(value: float) -> str:
    return f"-{number(-value)}" if value < 0 else number(value)
