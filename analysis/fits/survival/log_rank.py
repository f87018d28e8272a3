"""Do the curves of groups differ? Log-rank test, also within strata."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.fits.guards import Problem
from analysis.fits.survival.kaplan_meier import groups_of
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.fits.survival.rows import EventRows, event_rows, events_problem
from analysis.frames import takes_frames
from analysis.number_words import count

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class GroupEvents:
    """Events of a group and those expected if all groups shared one curve."""

    group: str
    n: int
    observed: int
    expected: float


@dataclass(frozen=True)
class LogRank(SurvivalResult):
    """Chi-square statistic with groups - 1 degrees of freedom."""

    statistic: float | None = None
    df: int | None = None
    p_value: float | None = None
    groups: tuple[GroupEvents, ...] = ()


@takes_frames
def log_rank(
    frame: "pl.DataFrame",
    time: str,
    event: str,
    group: str,
    *,
    strata: str | None = None,
    entry: str | None = None,
) -> LogRank:
    """Log-rank test (Mantel 1966; Peto, Peto 1972, doi:10.2307/2344317), summed over strata.

    Raises UserError for a column that does not exist.
    """
    rows = event_rows(frame, time, event, entry, [name for name in (group, strata) if name])
    problem = rows if isinstance(rows, Problem) else events_problem(rows)
    if problem is not None:
        return refusal(LogRank, problem)
    assert isinstance(rows, EventRows)
    levels = groups_of(rows, group)
    if len(levels) < 2:
        return refusal(LogRank, one_group(group, levels[0][0]))
    strata_rows = [("", np.ones(len(rows.time), dtype=bool))]
    if strata is not None:
        strata_rows = groups_of(rows, strata)
    member = np.stack([here for _, here in levels])
    difference, variance = np.zeros(len(levels)), np.zeros((len(levels), len(levels)))
    expected = np.zeros(len(levels))
    for _, here in strata_rows:
        found = _differences(rows, member, here)
        difference += found[0]
        expected += found[1]
        variance += found[2]
    statistic = float(difference[1:] @ np.linalg.pinv(variance[1:, 1:]) @ difference[1:])
    return _result(rows, levels, statistic, expected)


def one_group(column: str, level: str) -> Problem:
    """Nothing to compare."""
    return Problem(
        "single_level",
        f"'{column}' has one level only ('{level}'), so nothing can be compared.",
        "Widen the selection, or show the curve alone.",
    )


def _differences(
    rows: EventRows, member: NDArray[np.bool_], here: NDArray[np.bool_]
) -> tuple[Array, Array, Array]:
    """Observed minus expected, expected, and the hypergeometric variance, over event times."""
    k = len(member)
    observed, expected, variance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for moment in np.unique(rows.time[rows.event & here]):
        risk = here & (rows.entry < moment) & (rows.time >= moment)
        dies = here & rows.event & (rows.time == moment)
        n, d = float(risk.sum()), float(dies.sum())
        share = (member & risk).sum(axis=1) / n
        observed += (member & dies).sum(axis=1)
        expected += d * share
        if n > 1:
            scale = d * (n - d) / (n - 1)
            variance += scale * (np.diag(share) - np.outer(share, share))
    return observed - expected, expected, variance


def _result(
    rows: EventRows, levels: list[tuple[str, NDArray[np.bool_]]], statistic: float, expected: Array
) -> LogRank:
    from scipy.stats import chi2

    df = len(levels) - 1
    p_value = float(chi2.sf(statistic, df))
    groups = tuple(
        GroupEvents(name, int(here.sum()), int((rows.event & here).sum()), float(value))
        for (name, here), value in zip(levels, expected, strict=True)
    )
    facts = f"{count(len(rows.time), 'patient')}, {count(rows.n_events, 'event')}; log-rank p "
    differ = "differ" if p_value < 0.05 else "do not clearly differ"
    return LogRank(
        status="ok", reason=None,
        sentence=f"The curves {differ} ({facts}{p_value:.2g}).",
        n_subjects=len(rows.time), n_events=rows.n_events, excluded=rows.excluded,
        statistic=statistic, df=df, p_value=p_value, groups=groups,
    )  # fmt: skip
