"""Results that say so when they have no numbers."""

from dataclasses import dataclass
from typing import Any

from analysis.fits.guards import Problem
from analysis.results import Status
from analysis.serialized import Serialized


@dataclass(frozen=True, kw_only=True)
class Answered(Serialized):
    """status "not_estimable": there is no number; reason: a code; sentence: why in plain words;
    advice: what to do."""

    status: Status = "ok"
    reason: str | None = None
    sentence: str = ""
    advice: str = ""


def unanswered(problem: Problem) -> dict[str, Any]:
    """Fields of a result that the model cannot have."""
    return {
        "status": "not_estimable",
        "reason": problem.reason,
        "sentence": f"Not estimable: {problem.sentence}",
        "advice": problem.advice,
    }
