"""One line of a benchmark: a measured value, its target, and what a named peer needs for it."""

from dataclasses import dataclass
from typing import Literal

RATES = ("rows/s", "fits/s", "% covered")
"""Units of which more is better; of all others less is."""


@dataclass(frozen=True)
class Row:
    """`target` is a limit of the value, or of the ratio to the peer (`target_of`).

    `peer` names the other program, with its version; `peer_value` is None when it is not
    installed here, which the page says.
    """

    what: str
    value: float
    unit: str
    target: float | None = None
    target_of: Literal["value", "ratio"] = "value"
    peer: str = ""
    peer_value: float | None = None

    @property
    def more_is_better(self) -> bool:
        return self.unit in RATES

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer; below 1 it is worse."""
        if not self.peer_value or not self.value:
            return None
        better = self.value / self.peer_value
        return better if self.more_is_better else 1 / better

    @property
    def met(self) -> bool | None:
        """Whether the target was reached; None without one, or when its peer is missing."""
        if self.target is None:
            return None
        if self.target_of == "ratio":
            return None if self.ratio is None else self.ratio >= self.target
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    def shown(self) -> str:
        return with_unit(self.value, self.unit)

    def shown_target(self) -> str:
        if self.target is None:
            return ""
        if self.target_of == "ratio":
            return f"at least {self.target:g} times the peer"
        bound = "at least" if self.more_is_better else "at most"
        return f"{bound} {with_unit(self.target, self.unit)}"

    def verdict(self, before: str = "") -> str:
        if self.target is None:
            return ""
        words = {True: "met", False: "NOT met", None: "not comparable"}
        return before + words[self.met]


def with_unit(value: float, unit: str) -> str:
    """Three digits that mean something, thousands set apart."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
