"""Kaplan-Meier curves by group, with numbers at risk, medians and restricted means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.fits.survival.rows import EventRows, event_rows
from analysis.frames import takes_frames
from analysis.number_words import count, number
from analysis.results import finite

if TYPE_CHECKING:
    import polars as pl

INTERVALS = ("log", "log-log", "plain")


@dataclass(frozen=True)
class SurvivalCurve:
    """One group. Steps at every time that someone leaves; std_error of the survival (Greenwood).

    median and its interval: first time at which curve and limits are at or below one half.
    """

    group: str
    n: int
    n_events: int
    times: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    survival: tuple[float, ...]
    std_error: tuple[float | None, ...]
    conf_low: tuple[float | None, ...]
    conf_high: tuple[float | None, ...]
    median: float | None
    median_low: float | None
    median_high: float | None

    def at(self, time: float) -> tuple[float, float | None, float | None, float | None]:
        """Survival, standard error and interval at a time; 1 before the first step."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return 1.0, 0.0, 1.0, 1.0
        return (
            self.survival[place],
            self.std_error[place],
            self.conf_low[place],
            self.conf_high[place],
        )

    def number_at_risk(self, time: float) -> int:
        """Patients under observation just before a time."""
        place = int(np.searchsorted(self.times, time, side="left"))
        return self.at_risk[place] if place < len(self.times) else 0


@dataclass(frozen=True)
class KaplanMeier(SurvivalResult):
    """Curves in the order of their groups. interval: scale on which the limits are symmetric."""

    curves: tuple[SurvivalCurve, ...] = ()
    interval: str = "log"
    conf_level: float = 0.95

    def risk_table(self, times: Sequence[float]) -> "pl.DataFrame":
        """group, time, n_at_risk, survival, conf_low, conf_high: one row per group and time.

        Nothing is said of times behind the follow-up of a group, unless all had the event."""
        import polars as pl

        rows = []
        for curve in self.curves:
            for time in times:
                value, _, low, high = curve.at(time)
                known = time <= curve.times[-1] or curve.survival[-1] == 0
                numbers_at = (value, low, high) if known else (None, None, None)
                rows.append((curve.group, time, curve.number_at_risk(time), *numbers_at))
        numbers = ("survival", "conf_low", "conf_high")
        schema = {"group": pl.String, "time": pl.Float64, "n_at_risk": pl.Int64}
        schema |= dict.fromkeys(numbers, pl.Float64)
        return pl.DataFrame(rows, schema=schema, orient="row")


@takes_frames
def kaplan_meier(
    frame: "pl.DataFrame",
    time: str,
    event: str,
    group: str | None = None,
    *,
    entry: str | None = None,
    level: float = 0.95,
    interval: str = "log",
) -> KaplanMeier:
    """Kaplan-Meier curves (doi:10.1080/01621459.1958.10501452), one for each level of `group`.

    time: end of follow-up in days, event 1 or 0, entry: late entry. interval: "log" (R's default),
    "log-log" or "plain". A sample without an observation comes back not_estimable. Raises
    UserError for a column or option that does not exist.
    """
    require_level(level)
    if interval not in INTERVALS:
        raise UserError(f"interval {interval!r} does not exist; use one of {', '.join(INTERVALS)}")
    rows = event_rows(frame, time, event, entry, [group] if group else [])
    if isinstance(rows, Problem):
        return refusal(KaplanMeier, rows)
    curves = tuple(
        curve_of(rows.entry[here], rows.time[here], rows.event[here], name, level, interval)
        for name, here in groups_of(rows, group)
    )
    text = "; ".join(median_words(curve, level) for curve in curves)
    return KaplanMeier(
        status="ok", reason=None, sentence=text[:1].upper() + text[1:] + ".",
        n_subjects=len(rows.time), n_events=rows.n_events, excluded=rows.excluded,
        curves=curves, interval=interval, conf_level=level,
    )  # fmt: skip


def groups_of(rows: EventRows, group: str | None) -> list[tuple[str, NDArray[np.bool_]]]:
    """Levels in sorted order (declared order of an Enum) and their rows."""
    import polars as pl

    if group is None:
        return [("all", np.ones(len(rows.time), dtype=bool))]
    column = rows.frame[group]
    text = column.cast(pl.String)
    order = (
        [level for level in column.dtype.categories.to_list() if level in set(text)]
        if isinstance(column.dtype, pl.Enum)
        else column.unique().sort().cast(pl.String).to_list()
    )
    return [(name, (text == name).to_numpy()) for name in order]


class Steps:
    """Numbers at risk and events at every time that someone leaves, ascending."""

    def __init__(self, entry: Array, time: Array, event: NDArray[np.bool_]) -> None:
        self.times = np.unique(time)
        left = np.sort(time)
        entered = np.sort(entry)
        self.at_risk = np.searchsorted(entered, self.times, side="left") - np.searchsorted(
            left, self.times, side="left"
        )
        self.events = np.bincount(
            np.searchsorted(self.times, time[event]), minlength=len(self.times)
        )


def curve_of(
    entry: Array, time: Array, event: NDArray[np.bool_], name: str, level: float, interval: str
) -> SurvivalCurve:
    """Greenwood's variance; limits on the scale of `interval`."""
    from scipy.stats import norm

    steps = Steps(entry, time, event)
    n, d = steps.at_risk.astype(float), steps.events.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - d / n)
        hazard_variance = np.cumsum(np.where(d > 0, d / (n * (n - d)), 0.0))
        spread = np.sqrt(hazard_variance)
        low, high = _limits(survival, spread, float(norm.ppf(0.5 + level / 2)), interval)
        error = survival * spread
    return SurvivalCurve(
        name, len(time), int(event.sum()), tuple(steps.times.tolist()),
        tuple(steps.at_risk.tolist()), tuple(steps.events.tolist()), tuple(survival.tolist()),
        _known(error), _known(low), _known(high),
        _first_at_half(steps.times, survival),
        _first_at_half(steps.times, low), _first_at_half(steps.times, high),
    )  # fmt: skip


def _limits(survival: Array, spread: Array, z: float, interval: str) -> tuple[Array, Array]:
    if interval == "plain":
        return np.maximum(survival - z * survival * spread, 0), np.minimum(
            survival + z * survival * spread, 1
        )
    if interval == "log":
        return survival * np.exp(-z * spread), np.minimum(survival * np.exp(z * spread), 1)
    logs = np.log(survival)
    factor = np.exp(z * spread / np.abs(logs))
    edge = survival == 1
    low, high = survival**factor, survival ** (1 / factor)
    return np.where(edge, 1.0, low), np.where(edge, 1.0, high)


def _known(values: Array) -> tuple[float | None, ...]:
    return tuple(finite(value) for value in values)


def _first_at_half(times: Array, curve: Array) -> float | None:
    """First time at or below one half; the middle of the flat piece where it is exactly that."""
    known = np.where(np.isfinite(curve), curve, 0.0 if not np.isfinite(curve).all() else curve)
    below = np.flatnonzero(np.isfinite(curve) & (known <= 0.5 + 1e-9))
    if not len(below):
        return None
    first = int(below[0])
    if abs(curve[first] - 0.5) < 1e-9:
        later = np.flatnonzero(np.isfinite(curve) & (curve < 0.5 - 1e-9))
        if len(later):
            return float((times[first] + times[later[0]]) / 2)
    return float(times[first])


def median_words(curve: SurvivalCurve, level: float) -> str:
    """ "CR: median 426 days (95 % CI 348 to 550; 53 of 90 had the event)"."""
    name = "" if curve.group == "all" else f"{curve.group}: "
    counts = f"{curve.n_events} of {count(curve.n, 'patient')} had the event"
    if curve.median is None:
        return f"{name}median not reached ({counts})"
    low = "not reached" if curve.median_low is None else number(curve.median_low)
    high = "not reached" if curve.median_high is None else number(curve.median_high)
    interval = f"{100 * level:g} % CI {low} to {high}"
    return f"{name}median {number(curve.median)} ({interval}; {counts})"
