"""What every analysis of times says beside its numbers."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from analysis.fits.guards import Problem
from analysis.results import Excluded, Status


@dataclass(frozen=True)
class SurvivalResult:
    """Status, reason, one plain sentence, what to do, and whom it is about."""

    status: Status
    reason: str | None
    sentence: str
    advice: str = ""
    n_subjects: int = 0
    n_events: int = 0
    excluded: tuple[Excluded, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        from analysis.results import plain

        return {item.name: plain(getattr(self, item.name)) for item in dataclasses.fields(self)}

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)


Result = TypeVar("Result", bound=SurvivalResult)


def refusal(kind: type[Result], problem: Problem) -> Result:
    """The result without a number: reason, sentence and what to do."""
    return kind(
        status="not_estimable",
        reason=problem.reason,
        sentence=f"Not estimable: {problem.sentence}",
        advice=problem.advice,
    )
