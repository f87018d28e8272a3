"""Restricted mean survival time: the mean time without the event up to a horizon."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.survival.kaplan_meier import Steps, groups_of
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.fits.survival.rows import event_rows
from analysis.frames import takes_frames
from analysis.number_words import number

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class GroupMean:
    """Restricted mean of a group with its standard error, in days."""

    group: str
    n: int
    mean: float
    std_error: float


@dataclass(frozen=True)
class RestrictedMean(SurvivalResult):
    """Means up to `horizon`; difference: second group minus first, of two groups."""

    horizon: float = 0.0
    means: tuple[GroupMean, ...] = ()
    difference: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    p_value: float | None = None
    conf_level: float = 0.95


@takes_frames
def restricted_mean(
    frame: "pl.DataFrame",
    time: str,
    event: str,
    horizon: float,
    group: str | None = None,
    *,
    level: float = 0.95,
) -> RestrictedMean:
    """Area under the Kaplan-Meier curve up to `horizon` (Royston, Parmar 2013,
    doi:10.1186/1471-2288-13-152); needs no proportional hazards.

    Refused where the horizon lies beyond the follow-up of a group in which not all had the event.
    Raises UserError for a column that does not exist or a horizon that is not positive.
    """
    require_level(level)
    if not (np.isfinite(horizon) and horizon > 0):
        raise UserError(f"horizon {horizon:g} must be a positive number of days")
    rows = event_rows(frame, time, event, None, [group] if group else [])
    if isinstance(rows, Problem):
        return refusal(RestrictedMean, rows)
    means, ends = [], {}
    for name, here in groups_of(rows, group):
        steps = Steps(rows.entry[here], rows.time[here], rows.event[here])
        if steps.times[-1] < horizon and steps.events[-1] < steps.at_risk[-1]:
            ends[name] = float(steps.times[-1])
        means.append(GroupMean(name, int(here.sum()), *_area(steps, horizon)))
    if ends:
        found = refusal(RestrictedMean, _too_far(ends, horizon))
        return found.replace(n_subjects=len(rows.time), n_events=rows.n_events, horizon=horizon)
    result = RestrictedMean(
        status="ok", reason=None, sentence=_sentence(means, horizon), n_subjects=len(rows.time),
        n_events=rows.n_events, excluded=rows.excluded, horizon=horizon, means=tuple(means),
        conf_level=level,
    )  # fmt: skip
    return _with_difference(result) if len(means) == 2 else result


def _too_far(ends: dict[str, float], horizon: float) -> Problem:
    """ends: last day of each group that is followed less than to the horizon."""
    short = " and ".join(
        f"{'of all patients' if name == 'all' else f'of {name}'} ends on day {last:g}"
        for name, last in ends.items()
    )
    return Problem(
        "beyond_follow_up",
        f"The follow-up {short}, before the horizon of {horizon:g} days, with patients who had no "
        "event.",
        f"Take a horizon of {min(ends.values()):g} days or less.",
    )


def _area(steps: Steps, horizon: float) -> tuple[float, float]:
    n, d = steps.at_risk.astype(float), steps.events.astype(float)
    inside = steps.times <= horizon
    survival = np.cumprod(1 - d / n)[inside]
    edges = np.concatenate([[0.0], steps.times[inside], [horizon]])
    pieces = np.diff(edges) * np.append(1.0, survival)
    rest = np.cumsum(pieces[::-1])[::-1][1:]
    n, d = n[inside], d[inside]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(n > d, rest**2 * d / (n * (n - d)), 0.0)
    return float(pieces.sum()), float(np.sqrt(parts.sum()))


def _with_difference(result: RestrictedMean) -> RestrictedMean:
    from scipy.stats import norm

    first, second = result.means
    difference = second.mean - first.mean
    error = float(np.hypot(first.std_error, second.std_error))
    if error == 0:
        return result.replace(
            difference=difference,
            sentence=f"{result.sentence} The difference has no interval, for the times of a group "
            "do not vary up to the horizon.",
        )
    width = float(norm.ppf(0.5 + result.conf_level / 2)) * error
    return result.replace(
        difference=difference,
        conf_low=difference - width,
        conf_high=difference + width,
        p_value=float(2 * norm.sf(abs(difference / error))),
    )


def _sentence(means: list[GroupMean], horizon: float) -> str:
    parts = [
        f"{'' if one.group == 'all' else one.group + ': '}{number(one.mean)} days" for one in means
    ]
    return f"Of the first {horizon:g} days, the mean without the event was {'; '.join(parts)}."
