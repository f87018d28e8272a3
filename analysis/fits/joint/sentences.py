"""The one sentence of a joint model, and of the simpler analyses beside it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, cast

from analysis.errors import UserError
from analysis.number_words import count, number
from analysis.results import Estimate, Fit
from analysis.tracers.context import signal_name
from analysis.tracers.words import WORDS, SignalWords, check_words, words_for

if TYPE_CHECKING:
    from analysis.fits.joint.reported import FittedJoint
    from analysis.tracers.registry import TracerClass

STEPS: Mapping[str, tuple[float, str]] = {
    "log10": (1.0, "each 10-fold higher"),
    "log2": (1.0, "each doubling of"),
    "log": (log(2.0), "each doubling of"),
}
"""Function on the left of the formula -> step of the value on its scale, and in words."""
UNIT = (1.0, "each unit more of")


@dataclass(frozen=True)
class SignalName:
    """How a sentence calls the signal of a formula.

    signal: a noun phrase; without one the outcome's name, or the noun of the tracer class, whose
    rules the sentence obeys. Raises UserError for an unknown class or a forbidden noun.
    """

    formula: str
    signal: str = ""
    tracer_class: str | None = None

    def __post_init__(self) -> None:
        if self.tracer_class is None:
            signal_name(self.signal, "signal")
            return
        if self.tracer_class not in WORDS:
            raise UserError(
                f"tracer_class {self.tracer_class!r} does not exist; use one of {', '.join(WORDS)}"
            )
        found = check_words(self.signal, self.tracer_class)
        if found:
            raise UserError(
                f"signal: '{found[0]}' cannot be said of this tracer; write "
                f"'{self.words.signal if self.words else ''}'"
            )

    @property
    def words(self) -> SignalWords | None:
        if self.tracer_class is None:
            return None
        return words_for(cast("TracerClass", self.tracer_class))

    @property
    def phrase(self) -> str:
        if self.signal:
            return self.signal
        return self.words.signal if self.words is not None else self._inner

    @property
    def _function(self) -> str:
        match = re.fullmatch(r"(?:np\.)?(log10|log2|log)\((.+)\)", self.left)
        return match.group(1) if match and "+" not in match.group(2) else ""

    @property
    def _inner(self) -> str:
        return re.sub(r"^(?:np\.)?\w+\((.+)\)$", r"\1", self.left)

    @property
    def step(self) -> tuple[float, str]:
        """Size of the step the hazard ratio is for, and the step in words."""
        return STEPS.get(self._function, UNIT)

    @property
    def left(self) -> str:
        """The outcome as the formula writes it."""
        return self.formula.split("~", maxsplit=1)[0].strip()

    @property
    def caution(self) -> str:
        return f" {self.words.caution}" if self.words is not None else ""


def joint_sentence(fit: Fit, fitted: "FittedJoint") -> str:
    """The hazard ratio of each association, with interval, patients, events and caution."""
    name = fitted.name
    rows = [item for item in fit.estimates if item.part == "association"]
    parts = [association_phrase(row, fitted, fit.conf_level) for row in rows]
    n_events = int(fitted.problem.rows.event.sum())
    text = (
        f"{'; '.join(parts)} ({count(fit.n_subjects, 'patient')}, {count(n_events, 'event')}; "
        "joint model, normal intervals)."
    )
    text = text[0].upper() + text[1:]
    if not any(_is_clear(row) for row in rows):
        text += " The data are also compatible with no association."
    text += " An association is not a cause."
    return text + name.caution + ("" if fit.status == "ok" else f" Caution: {fit.advice}")


def response_sentence(fit: Fit, fitted: "FittedJoint") -> str:
    """The odds ratio of each association, with interval, patients, responders and caution."""
    rows = [item for item in fit.estimates if item.part == "association"]
    name = fitted.name
    parts = [odds_phrase(row, fitted, fit.conf_level) for row in rows]
    responders = int(fitted.problem.rows.event.sum())
    text = (
        f"{'; '.join(parts)} ({count(fit.n_subjects, 'patient')}, "
        f"{count(responders, 'responder')}; shared random effects, normal intervals)."
    )
    text = text[0].upper() + text[1:]
    if not any(_is_clear(row) for row in rows):
        text += " The data are also compatible with no association."
    text += " An association is not a cause."
    return text + name.caution + ("" if fit.status == "ok" else f" Caution: {fit.advice}")


def odds_phrase(row: Estimate, fitted: "FittedJoint", level: float) -> str:
    """'each doubling of blood transgene goes with an odds ratio of response of 1.8 (95 % ...)'."""
    size, what = step_of(row.term, fitted)
    return f"{what} goes with an odds ratio of response of {_ratios(row, size, level)}"


def association_phrase(row: Estimate, fitted: "FittedJoint", level: float) -> str:
    """'each doubling of blood transgene goes with a hazard ratio of 0.75 (95 % CI ...)'."""
    cause, _, term = row.term.rpartition(": ")
    size, what = step_of(term, fitted)
    event = f" for {cause}" if cause else ""
    return f"{what} goes with a hazard ratio{event} of {_ratios(row, size, level)}"


def step_of(feature: str, fitted: "FittedJoint") -> tuple[float, str]:
    """Size and words of the step a ratio is for: a doubling, 10-fold or unit of the value; one
    standard deviation of the patients' slopes or own effects, whose unit says little."""
    name = fitted.name
    if feature == "value":
        size, words = name.step
        return size, f"{words} {name.phrase}"
    index = fitted.problem.association.index(feature)
    size = float(fitted.spread[index]) * fitted.problem.y_scale
    if feature == "slope":
        return size, (
            f"a course of {name.phrase} that rises by {number(size)} more of {name.left} per unit "
            "of time (one standard deviation of the patients)"
        )
    return size, (
        f"one standard deviation ({number(size)} of {name.left}) more of the patients' own "
        f"'{feature}' in {name.phrase}"
    )


def _ratios(row: Estimate, size: float, level: float) -> str:
    ratios = [ratio(value, size) for value in (row.estimate, row.conf_low, row.conf_high)]
    low, high = sorted(ratios[1:])
    return f"{number(ratios[0])} ({100 * level:g} % CI {number(low)} to {number(high)})"


def ratio(value: float | None, size: float) -> float:
    """Hazard ratio of a step; held to what a float can say."""
    return exp(min(max((value or 0.0) * size, -700.0), 700.0))


def _is_clear(row: Estimate) -> bool:
    low, high = row.conf_low, row.conf_high
    return low is not None and high is not None and (low > 0 or high < 0)
