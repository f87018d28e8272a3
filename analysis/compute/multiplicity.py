"""P-values of a family of tests, adjusted; the number of tests stays with them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from analysis.errors import UserError

METHODS: Mapping[str, str] = {
    "holm": "Holm's method: the chance of any false rejection in the family is kept (Holm S 1979, "
    "Scand J Stat 6:65-70)",
    "benjamini_hochberg": "false discovery rate for independent or positively dependent tests "
    "(Benjamini, Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x)",
    "benjamini_yekutieli": "false discovery rate under any dependence (Benjamini, Yekutieli 2001, "
    "doi:10.1214/aos/1013699998)",
}


@dataclass(frozen=True)
class AdjustedFamily:
    """`adjusted` belongs to `p_values`, place by place; None where there was no test.

    n_tests: p-values of the family that are numbers, which is what the adjustment is for.
    """

    family: str
    method: str
    n_tests: int
    p_values: tuple[float | None, ...]
    adjusted: tuple[float | None, ...]

    @property
    def note(self) -> str:
        """One sentence for beside the numbers."""
        tests = "1 test" if self.n_tests == 1 else f"{self.n_tests} tests"
        return f"{self.family}: {tests}, adjusted by {METHODS[self.method]}."

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self) | {"p_values": list(self.p_values), "adjusted": list(self.adjusted)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "AdjustedFamily":
        """The family that `to_dict` described."""
        lists = {name: tuple(content[name]) for name in ("p_values", "adjusted")}
        return cls(**{**content, **lists})


def adjust_p_values(
    p_values: Sequence[float | None], method: str = "holm", family: str = "family"
) -> AdjustedFamily:
    """Adjust the p-values of one family; missing ones (None, nan) are no tests and stay missing.

    Raises UserError for a method that does not exist or a value outside 0 to 1.
    """
    if method not in METHODS:
        raise UserError(f"multiplicity: there is no method {method!r}; use {', '.join(METHODS)}")
    given = [None if p is None or np.isnan(p) else float(p) for p in p_values]
    places = [index for index, p in enumerate(given) if p is not None]
    values = np.array([given[index] for index in places], dtype=float)
    if np.any((values < 0) | (values > 1)):
        wrong = values[(values < 0) | (values > 1)][0]
        raise UserError(f"multiplicity: {wrong:g} is no p-value; they lie between 0 and 1")
    adjusted: list[float | None] = [None] * len(given)
    for index, value in zip(places, _adjusted(values, method), strict=True):
        adjusted[index] = float(value)
    return AdjustedFamily(family, method, len(places), tuple(given), tuple(adjusted))


def _adjusted(values: np.ndarray, method: str) -> np.ndarray:
    n = len(values)
    order = np.argsort(values, kind="stable")
    rank, result = np.arange(1, n + 1), np.empty(n)
    if method == "holm":
        result[order] = np.maximum.accumulate(values[order] * (n - rank + 1))
    else:
        size = n * (np.sum(1.0 / rank) if method == "benjamini_yekutieli" else 1.0)
        stepped = values[order] * size / rank
        result[order] = np.minimum.accumulate(stepped[::-1])[::-1]
    return np.minimum(result, 1.0)
