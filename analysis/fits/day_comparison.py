"""Two groups of patients, signal by signal and day by day, as published cytokine tables do it.

Every signal on every day is one rank test, so the p-values of a day are shown with their false
discovery rate over the signals of that day. A table like this is for looking; one question is
answered by the mixed model, which uses all days of a patient at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.compute.multiplicity import adjust_p_values
from analysis.errors import UserError
from analysis.fits.ranks import EXACT_BELOW_IN_R, mann_whitney
from analysis.frames import takes_frames
from analysis.results import finite

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("usubjid", "signal", "day", "group", "value")


@dataclass(frozen=True)
class LogSummary:
    """Values of one group on one day; `*_log10` are None where a value is not above zero."""

    n: int
    mean: float | None
    mean_log10: float | None
    median_log10: float | None
    iqr_log10: float | None


@dataclass(frozen=True)
class DayComparison:
    """One signal on one day. `fold_of_means`: mean of the group over that of the reference;
    `fold_of_geometric_means`: the same of geometric means, which one patient does not carry.

    p_value: two-sided Mann-Whitney; q_value: its false discovery rate over the `n_tests` signals
    compared on that day (Benjamini, Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x).
    """

    signal: str
    day: float
    group: LogSummary
    reference: LogSummary
    fold_of_means: float | None
    fold_of_geometric_means: float | None
    p_value: float | None
    q_value: float | None = None
    n_tests: int = 0


@takes_frames
def compare_by_day(frame: "pl.DataFrame", group: str, reference: str) -> tuple[DayComparison, ...]:
    """Compare two levels of `group` on every day of every signal, in the order day, signal.

    frame: one row per patient (`usubjid`), `signal` and `day` (a number) with `group` and `value`;
    rows of other groups and rows without a value are left out.
    Raises UserError for a missing column, or two values of a patient on one day.
    """
    import polars as pl

    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise UserError(
            f"comparison by day: there is no column '{missing[0]}'; the columns are "
            f"{', '.join(frame.columns)}"
        )
    rows = frame.filter(pl.col("group").is_in([group, reference]), pl.col("value").is_finite())
    twice = rows.group_by("usubjid", "signal", "day").len().filter(pl.col("len") > 1)
    if twice.height:
        raise UserError(
            f"comparison by day: {twice.height} times a patient has several values of a signal on "
            "one day; keep one of them, or their mean, first"
        )
    found = []
    for (_,), on_day in rows.sort("day", "signal").group_by("day", maintain_order=True):
        signals = on_day.group_by("signal", maintain_order=True)
        found += with_rates([_compared(part, group, reference) for _, part in signals])
    return tuple(found)


def with_rates(compared: Sequence[DayComparison]) -> list[DayComparison]:
    """The comparisons with their false discovery rates, over those that have a p-value."""
    family = adjust_p_values(
        [item.p_value for item in compared], "benjamini_hochberg", "signals of one day"
    )
    return [
        replace(item, q_value=rate, n_tests=family.n_tests)
        for item, rate in zip(compared, family.adjusted, strict=True)
    ]


def _compared(part: "pl.DataFrame", group: str, reference: str) -> DayComparison:
    first, second = (
        part.filter(part["group"] == level)["value"].to_numpy() for level in (group, reference)
    )
    upper, lower = summarize_log(first), summarize_log(second)
    logs = (upper.mean_log10, lower.mean_log10)
    return DayComparison(
        str(part["signal"][0]),
        float(part["day"][0]),
        upper,
        lower,
        finite(upper.mean / lower.mean) if upper.mean is not None and lower.mean else None,
        None if logs[0] is None or logs[1] is None else finite(10 ** (logs[0] - logs[1])),
        mann_whitney(first, second, EXACT_BELOW_IN_R).p_value,
    )


def summarize_log(values: NDArray[np.float64]) -> LogSummary:
    """Mean, and mean, median and interquartile range (linear between values) of log10."""
    if not len(values):
        return LogSummary(0, None, None, None, None)
    mean = float(np.mean(values))
    if np.min(values) <= 0:
        return LogSummary(len(values), mean, None, None, None)
    logs = np.log10(values)
    low, middle, high = np.percentile(logs, [25, 50, 75])
    return LogSummary(len(values), mean, float(logs.mean()), float(middle), float(high - low))
