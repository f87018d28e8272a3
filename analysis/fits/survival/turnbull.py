"""Survival from events known to lie between two times: persistence between samples.

A cell product is last quantifiable on one day and below the limit on the next sample: the end of
persistence lies between them (Turnbull BW, J R Stat Soc B 1976,
doi:10.1111/j.2517-6161.1976.tb01597.x).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.frames import takes_frames
from analysis.number_words import count, number
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl

ROUNDS, TOLERANCE = 50_000, 1e-12


@dataclass(frozen=True)
class TurnbullCurve(SurvivalResult):
    """Mass on intervals (left, right]; survival is known after each right end, and before the left
    one; inside it is not. median: the interval that holds it."""

    left: tuple[float, ...] = ()
    right: tuple[float | None, ...] = ()
    mass: tuple[float, ...] = ()
    log_likelihood: float | None = None
    median_low: float | None = None
    median_high: float | None = None

    def survival_between(self, time: float) -> tuple[float, float]:
        """Lowest and highest survival that the estimate allows at a time."""
        gone = sum(
            m for m, r in zip(self.mass, self.right, strict=True) if r is not None and r <= time
        )
        open_ = sum(
            m
            for m, low, r in zip(self.mass, self.left, self.right, strict=True)
            if low < time and (r is None or r > time)
        )
        return 1 - gone - open_, 1 - gone


@takes_frames
def interval_survival(frame: "pl.DataFrame", lower: str, upper: str) -> TurnbullCurve:
    """Nonparametric maximum likelihood of interval-censored times, by self-consistency.

    lower: last day known to be before the end; upper: first day known to be after it, missing
    where the end was not reached. Equal values are an exactly known day. Raises UserError for a
    column that does not exist or an upper end below the lower one.
    """
    import polars as pl

    for name in (lower, upper):
        if name not in frame.columns:
            raise UserError(
                f"survival: there is no column '{name}'; the columns are {', '.join(frame.columns)}"
            )
        if not (frame.schema[name].is_numeric() or frame.schema[name] == pl.Null):
            raise UserError(f"survival: column '{name}' must be a number of days, not text or date")
    days = frame.select(pl.col(lower, upper).cast(pl.Float64).fill_nan(None))
    kept = days.filter(pl.col(lower).is_not_null())
    lost = days.height - kept.height
    excluded = (Excluded(f"no value of {lower}", lost),) if lost else ()
    low = kept[lower].to_numpy()
    high = kept[upper].fill_null(np.inf).to_numpy()
    if not np.isfinite(low).all():
        raise UserError(
            f"survival: {int((~np.isfinite(low)).sum())} values of {lower} are not finite; give "
            "the last day before the end"
        )
    if (high < low).any():
        raise UserError(
            f"survival: in {int((high < low).sum())} rows {upper} lies before {lower}; the end "
            "comes after the last day before it"
        )
    if not len(low):
        return refusal(
            TurnbullCurve,
            Problem("no_observations", "There is no patient to follow.", "Check the filters."),
        )
    if not np.isfinite(high).any():
        return refusal(
            TurnbullCurve,
            Problem(
                "no_events",
                f"In none of {count(len(low), 'patient')} was the end seen.",
                "Wait for longer follow-up.",
            ),
        )
    return _estimated(low, high).replace(excluded=excluded)


def _estimated(low: Array, high: Array) -> TurnbullCurve:
    left, right = _supports(low, high)
    member = _members(low, high, left, right)
    mass = np.full(len(left), 1 / len(left))
    for _ in range(ROUNDS):
        share = member * mass
        updated = (share / share.sum(axis=1, keepdims=True)).mean(axis=0)
        done = float(np.abs(updated - mass).max()) < TOLERANCE
        mass = updated
        if done:
            break
    kept = mass > 1e-9
    left, right, mass = left[kept], right[kept], mass[kept] / mass[kept].sum()
    value = float(np.log((_members(low, high, left, right) * mass).sum(axis=1)).sum())
    place = int(np.searchsorted(np.cumsum(mass), 0.5 - 1e-12))
    median = (float(left[place]), float(right[place])) if place < len(mass) else (None, None)
    n, seen = len(low), int(np.isfinite(high).sum())
    return TurnbullCurve(
        status="ok", reason=None, sentence=_sentence(n, seen, median), n_subjects=n, n_events=seen,
        left=tuple(left.tolist()),
        right=tuple(None if np.isinf(one) else float(one) for one in right),
        mass=tuple(mass.tolist()), log_likelihood=value,
        median_low=median[0],
        median_high=None if median[1] is None or np.isinf(median[1]) else median[1],
    )  # fmt: skip


def _supports(low: Array, high: Array) -> tuple[Array, Array]:
    """Innermost intervals: a left end that the next end to the right closes. Exact days are
    intervals of no width."""
    marks = sorted(
        {(float(a), 1 if a < b else 0) for a, b in zip(low, high, strict=True)}
        | {(float(b), 0) if a < b else (float(b), 0.5) for a, b in zip(low, high, strict=True)}
    )
    exact = {float(a) for a, b in zip(low, high, strict=True) if a == b}
    left: list[float] = []
    right: list[float] = []
    opened: float | None = None
    for value, kind in marks:
        if value in exact and kind in (0, 0.5):
            if not left or (left[-1], right[-1]) != (value, value):
                left.append(value)
                right.append(value)
            opened = None
        elif kind == 1:
            opened = value
        elif opened is not None:
            left.append(opened)
            right.append(value)
            opened = None
    if opened is not None:
        left.append(opened)
        right.append(np.inf)
    return np.array(left), np.array(right)


def _members(low: Array, high: Array, left: Array, right: Array) -> NDArray[np.bool_]:
    """Whether a support interval lies inside a patient's interval."""
    inside = (left[None] >= low[:, None]) & (right[None] <= high[:, None])
    exact_patient = (low == high)[:, None]
    exact_support = (left == right)[None]
    # An exact day at the open left end of a patient's interval is outside of it.
    at_edge = exact_support & (left[None] == low[:, None]) & ~exact_patient
    return np.asarray(np.where(exact_patient, inside & exact_support, inside & ~at_edge))


def _sentence(n: int, seen: int, median: tuple[float | None, float | None]) -> str:
    counts = f"the end was seen in {seen} of {count(n, 'patient')}"
    low, high = median
    if low is None or high is None or np.isinf(high):
        return f"The median was not reached ({counts})."
    if low == high:
        return f"The median was day {number(low)} ({counts})."
    return f"The median lies between day {number(low)} and day {number(high)} ({counts})."
