"""Cumulative incidence of one event while another can come first, and Gray's test.

With death as a competitor, 1 - Kaplan-Meier answers for a world without death and is too high.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.survival.kaplan_meier import groups_of
from analysis.fits.survival.log_rank import one_group
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.fits.survival.rows import EventRows, event_rows
from analysis.frames import takes_frames
from analysis.number_words import count
from analysis.results import finite

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class IncidenceCurve:
    """Cumulative incidence of one cause in one group; a step at every time of any event.

    Standard errors as cmprsk (Aalen 1978, doi:10.1214/aos/1176344198); limits symmetric on the
    scale of log(-log).
    """

    group: str
    cause: str
    n: int
    n_events: int
    times: tuple[float, ...]
    incidence: tuple[float, ...]
    std_error: tuple[float, ...]
    conf_low: tuple[float | None, ...]
    conf_high: tuple[float | None, ...]

    def at(self, time: float) -> tuple[float, float, float | None, float | None]:
        """Incidence, standard error and interval at a time; 0 before the first step."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return 0.0, 0.0, 0.0, 0.0
        values = (self.incidence, self.std_error, self.conf_low, self.conf_high)
        return tuple(value[place] for value in values)  # type: ignore[return-value]


@dataclass(frozen=True)
class GrayTest:
    """Whether the incidence of a cause differs between groups (Gray 1988,
    doi:10.1214/aos/1176350951)."""

    cause: str
    statistic: float
    df: int
    p_value: float


@dataclass(frozen=True)
class CumulativeIncidence(SurvivalResult):
    """Curves by cause and group; tests where there are two groups or more."""

    curves: tuple[IncidenceCurve, ...] = ()
    tests: tuple[GrayTest, ...] = ()
    conf_level: float = 0.95

    def curve(self, cause: str, group: str = "all") -> IncidenceCurve:
        """Raises KeyError for a cause or group that is not there."""
        for one in self.curves:
            if (one.cause, one.group) == (cause, group):
                return one
        raise KeyError((cause, group))


@takes_frames
def cumulative_incidence(
    frame: "pl.DataFrame",
    time: str,
    event: str,
    cause: str,
    group: str | None = None,
    *,
    level: float = 0.95,
) -> CumulativeIncidence:
    """Aalen-Johansen curves of every cause.

    event: 1 where any of the events ended the follow-up, 0 where none did; cause: which it was.
    Raises UserError for a column that does not exist or an event without a cause.
    """
    require_level(level)
    rows = event_rows(frame, time, event, None, [group] if group else [])
    if isinstance(rows, Problem):
        return refusal(CumulativeIncidence, rows)
    causes, codes = causes_of(rows, cause)
    if not causes:
        return refusal(
            CumulativeIncidence,
            Problem(
                "no_events",
                f"No event was seen in {count(len(rows.time), 'patient')}.",
                "Wait for longer follow-up.",
            ),
        )
    levels = groups_of(rows, group)
    curves = [
        _curve(rows.time[here], codes[here], number, (name, label), level)
        for number, label in enumerate(causes)
        for name, here in levels
    ]
    tests: list[GrayTest] = []
    if group is not None and len(levels) == 1:
        return refusal(CumulativeIncidence, one_group(group, levels[0][0]))
    if len(levels) > 1:
        member = np.stack([here for _, here in levels])
        tests = [
            _gray(rows.time, codes, member, number, label) for number, label in enumerate(causes)
        ]
    return CumulativeIncidence(
        status="ok", reason=None, sentence=_sentence(curves, tests), n_subjects=len(rows.time),
        n_events=rows.n_events, excluded=rows.excluded, curves=tuple(curves), tests=tuple(tests),
        conf_level=level,
    )  # fmt: skip


def causes_of(rows: EventRows, cause: str) -> tuple[list[str], NDArray[np.intp]]:
    """Names of the causes in sorted order, and each row's number; -1 without an event."""
    import polars as pl

    if cause not in rows.frame.columns:
        raise UserError(
            f"survival: there is no column '{cause}'; the columns are "
            f"{', '.join(rows.frame.columns)}"
        )
    text = rows.frame[cause].cast(pl.String)
    seen = text.filter(pl.Series(rows.event))
    if seen.null_count():
        raise UserError(
            f"survival: {seen.null_count()} events have no {cause}; name the cause of each event"
        )
    names = sorted(seen.unique().to_list())
    numbers = {name: number for number, name in enumerate(names)}
    codes = [
        numbers[name] if happened else -1
        for name, happened in zip(text.to_list(), rows.event, strict=True)
    ]
    return names, np.array(codes, dtype=np.intp)


class _Counts:
    """Numbers at risk, events of the cause and of its competitors, at every event time."""

    def __init__(self, time: Array, codes: NDArray[np.intp], cause: int, times: Array) -> None:
        self.at_risk = (len(time) - np.searchsorted(np.sort(time), times)).astype(float)
        self.events = _counted(time[codes == cause], times)
        self.others = _counted(time[(codes >= 0) & (codes != cause)], times)
        with np.errstate(divide="ignore", invalid="ignore"):
            gone = np.where(self.at_risk > 0, (self.events + self.others) / self.at_risk, 0.0)
            self.survival = np.cumprod(1 - gone)
            self.before = np.append(1.0, self.survival[:-1])
            step = np.where(self.at_risk > 0, self.before * self.events / self.at_risk, 0.0)
        self.incidence = np.cumsum(step)


def _counted(times: Array, at: Array) -> Array:
    return np.bincount(np.searchsorted(at, times), minlength=len(at)).astype(float)


def _tied(events: Array, base: Array) -> Array:
    """Factor of the variance where several events fall on one time."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(events > 1, 1 - (events - 1) / (base - 1), 1.0)


def _curve(
    time: Array, codes: NDArray[np.intp], cause: int, names: tuple[str, str], level: float
) -> IncidenceCurve:
    from scipy.stats import norm

    times = np.unique(time[codes >= 0])
    c = _Counts(time, codes, cause, times)
    with np.errstate(divide="ignore", invalid="ignore"):
        base = (c.before / c.at_risk) ** 2
        own = _tied(c.events, c.at_risk) * base * c.events
        other = _tied(c.others, c.at_risk) * base * c.others
        variance = np.empty(len(times))
        for place, reached in enumerate(c.incidence):
            seen = slice(place + 1)
            gain = (reached - c.incidence[seen]) / c.survival[seen]
            gain = np.where(c.survival[seen] > 0, gain, 0.0)
            variance[place] = ((1 - gain) ** 2 * own[seen] + gain**2 * other[seen]).sum()
        error = np.sqrt(variance)
        spread = norm.ppf(0.5 + level / 2) * error / (c.incidence * np.abs(np.log(c.incidence)))
        low, high = c.incidence ** np.exp(spread), c.incidence ** np.exp(-spread)
    return IncidenceCurve(
        names[0], names[1], len(time), int((codes == cause).sum()), tuple(times.tolist()),
        tuple(c.incidence.tolist()), tuple(error.tolist()),
        tuple(finite(value) for value in low), tuple(finite(value) for value in high),
    )  # fmt: skip


def _gray(
    time: Array, codes: NDArray[np.intp], member: NDArray[np.bool_], cause: int, name: str
) -> GrayTest:
    """The score of the subdistribution hazards and its variance, as cmprsk computes it."""
    from scipy.stats import chi2

    times = np.unique(time[codes >= 0])
    groups = [_Counts(time[here], codes[here], cause, times) for here in member]
    k = len(groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.array([np.where(g.at_risk > 0, g.at_risk / g.before, 0.0) for g in groups])
        open_ = np.array([1 - np.append(0.0, g.incidence[:-1]) for g in groups])
        events = np.sum([g.events for g in groups], axis=0)
        total, weighted = size.sum(axis=0), (size * open_).sum(axis=0)
        pooled = np.cumsum(events / total)
        hazard = events / (total * (1 - np.append(0.0, pooled[:-1])))
        expected = events * size * open_ / weighted
        score = (np.array([g.events for g in groups]) - expected).sum(axis=1)
        variance = np.zeros((k, k))
        for index, g in enumerate(groups):
            share = np.eye(k)[:, [index]] - size[index] / total
            gain = size * share
            rest = np.cumsum(gain * hazard, axis=1)
            rest = rest[:, -1:] - rest
            ratio = np.where(g.survival > 0, (1 - pooled) / g.survival, 0.0)
            inside = (g.at_risk > 0) & (g.survival > 0)
            own = _tied(events, total * g.before) * g.before * events / (total * g.at_risk)
            other = _tied(g.others, g.at_risk) * (g.before / g.at_risk) ** 2 * g.others
            own = np.where((g.at_risk > 0) & (events > 0), own, 0.0)
            other = np.where(inside & (g.others > 0), other, 0.0)
            first = gain + np.where(g.survival > 0, 1 - ratio, 1.0) * rest
            variance += (first * own) @ first.T + (ratio * rest * other) @ (ratio * rest).T
    statistic = float(score[1:] @ np.linalg.pinv(variance[1:, 1:]) @ score[1:])
    return GrayTest(name, statistic, k - 1, float(chi2.sf(statistic, k - 1)))


def _sentence(curves: list[IncidenceCurve], tests: list[GrayTest]) -> str:
    last = max(curve.times[-1] for curve in curves)
    parts = [
        f"{curve.cause} {100 * curve.at(last)[0]:.0f} %"
        + ("" if curve.group == "all" else f" in {curve.group}")
        for curve in curves
    ]
    tested = "".join(f"; {test.cause}, Gray's test p {test.p_value:.2g}" for test in tests)
    return f"By day {last:g} the cumulative incidence was {', '.join(parts)}{tested}."
