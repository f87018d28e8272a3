"""What an agreement analysis says: a few named measures, one sentence, status and method."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from analysis.results import Check, Excluded, Status
from analysis.serialized import Serialized

if TYPE_CHECKING:
    import polars as pl

CONF_LEVEL = 0.95


class Measure(NamedTuple):
    """One number with its interval at `conf_level`; None where it is not defined.

    unit: "outcome" (unit of the values), "ratio", "percent", or "" for a share or correlation.
    """

    name: str
    estimate: float | None
    conf_low: float | None = None
    conf_high: float | None = None
    std_error: float | None = None
    p_value: float | None = None
    df: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class AgreementResult(Serialized):
    """Result of an agreement analysis. No measure is carried by one that is not estimable.

    n_subjects: independent units; n_observations: pairs, values or ratings used.
    advice: what to do when the status is not ok. references: DOIs of the method.
    """

    ROWS: ClassVar = {"measures": Measure, "checks": Check, "excluded": Excluded}

    kind: str
    status: Status
    reason: str | None
    sentence: str
    advice: str = ""
    measures: tuple[Measure, ...] = ()
    n_subjects: int = 0
    n_observations: int = 0
    excluded: tuple[Excluded, ...] = ()
    checks: tuple[Check, ...] = ()
    conf_level: float = CONF_LEVEL
    method: str = ""
    references: tuple[str, ...] = ()

    def measure(self, name: str) -> Measure | None:
        """The measure of that name, None when there is none."""
        return next((item for item in self.measures if item.name == name), None)

    def table(self) -> "pl.DataFrame":
        """name, estimate, conf_low, conf_high, std_error, p_value, df, unit."""
        return self.rows_table("measures")


def not_estimable(
    kind: str,
    reason: str,
    sentence: str,
    advice: str,
    *,
    n_subjects: int = 0,
    n_observations: int = 0,
    excluded: Sequence[Excluded] = (),
) -> AgreementResult:
    """A result without numbers that says why and what to do."""
    return AgreementResult(
        kind,
        "not_estimable",
        reason,
        f"Not estimable: {sentence}",
        advice,
        n_subjects=n_subjects,
        n_observations=n_observations,
        excluded=tuple(excluded),
    )


def judged(result: AgreementResult, checks: Sequence[Check]) -> AgreementResult:
    """The result with its checks; the first warning becomes reason, advice and caution."""
    warning = next((check for check in checks if check.status == "warning"), None)
    if warning is None:
        return replace(result, checks=tuple(checks))
    return replace(
        result,
        checks=tuple(checks),
        status="warning",
        reason=warning.name,
        advice=warning.message,
        sentence=f"{result.sentence} Caution: {warning.message}",
    )
