"""The calendar of a trial: infusion instants, visits that come early, late or never."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from etl.synthetic.design import CUT_DATE, ENROLMENT_DAYS, ENROLMENT_START, MISSED_VISIT, TIME_ZONE
from etl.synthetic.latent import Bools, Floats, Ints

MINUTE_PER_DAY = 1440.0


@dataclass(frozen=True, slots=True)
class Calendar:
    """Infusion of each patient: UTC minutes since the epoch, and local hour of the day."""

    infusion_minute: Ints
    infusion_hour: Floats

    @property
    def cut_day(self) -> Floats:
        """Days from infusion to the data cut-off."""
        cut = (CUT_DATE - dt.datetime(1970, 1, 1)).total_seconds() / 60
        return np.asarray((cut - self.infusion_minute) / MINUTE_PER_DAY, dtype=np.float64)


def draw_calendar(rng: np.random.Generator, subject_no: Ints, patients: int) -> Calendar:
    """Patients enroll in the order of their numbers, over the enrollment period, on weekdays."""
    n = len(subject_no)
    spread = (subject_no - 1) / max(patients - 1, 1) * ENROLMENT_DAYS
    day = np.floor(np.clip(spread + rng.normal(0, 2.0, n), 0, ENROLMENT_DAYS)).astype(np.int64)
    start = (ENROLMENT_START - dt.datetime(1970, 1, 1)).days
    weekday = (start + day + 3) % 7
    day = day - np.where(weekday > 4, weekday - 4, 0)
    minute_of_day = 10 * 60 + 5 * rng.integers(0, 55, n)
    local = pl.Series(((start + day) * 1440 + minute_of_day) * 60_000_000).cast(pl.Datetime("us"))
    utc = local.dt.replace_time_zone(TIME_ZONE).dt.convert_time_zone("UTC")
    return Calendar(utc.dt.epoch("s").to_numpy() // 60, minute_of_day / 60.0)


def visit_window(day: float) -> float:
    """Standard deviation, in days, of a visit around its planned day."""
    size = abs(day)
    return 0.0 if size <= 5 else 0.35 if size <= 9 else 0.7 if size <= 21 else 1.2 + size / 45


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits of n patients on m planned days: actual day from infusion, and whether it was."""

    days: tuple[int, ...]
    actual: Floats
    keep: Bools

    def on(self, day: Floats) -> Visits:
        """The same visits at other actual days."""
        return Visits(self.days, day, self.keep)

    def only(self, keep: Bools) -> Visits:
        """The visits that also fulfil `keep`."""
        return Visits(self.days, self.actual, self.keep & keep)

    def long(self, subject_no: Ints, columns: Mapping[str, Floats]) -> pl.DataFrame:
        """Kept cells of (n, m) arrays as rows, with subject_no and nominal_day."""
        row, column = np.nonzero(self.keep)
        data = {"subject_no": subject_no[row], "nominal_day": np.asarray(self.days, float)[column]}
        return pl.DataFrame(data | {name: array[row, column] for name, array in columns.items()})


def draw_shifts(rng: np.random.Generator, calendar: Calendar, days: Sequence[int]) -> Floats:
    """Whole days by which visits come early or late, (n, m)."""
    window = np.array([visit_window(day) for day in days])
    size = (len(calendar.infusion_minute), len(days))
    return np.asarray(np.round(window * rng.normal(size=size)))


def draw_visits(
    rng: np.random.Generator,
    calendar: Calendar,
    days: Sequence[int],
    hour: float = 8.0,
    shift: Floats | None = None,
) -> Floats:
    """Actual days from infusion, (n, m), rounded to the minute.

    Day 0 is two to four hours after infusion; other visits are near `hour` of the day.
    `shift`: whole days early or late, when other visits share them.
    """
    n, m = len(calendar.infusion_minute), len(days)
    planned = np.asarray(days, dtype=np.float64)
    shift = draw_shifts(rng, calendar, days) if shift is None else shift
    clock = hour + 0.75 * rng.normal(size=(n, m)) - calendar.infusion_hour[:, None]
    first = rng.uniform(2.0, 4.0, size=(n, 1)) / 24
    actual = np.where(planned == 0, first, planned + shift + clock / 24)
    return np.asarray(np.round(actual * MINUTE_PER_DAY) / MINUTE_PER_DAY)


def planned_visits(calendar: Calendar, days: Sequence[int]) -> Floats:
    """The planned days themselves, (n, m), for exports that know no other."""
    shape = (len(calendar.infusion_minute), len(days))
    return np.array(np.broadcast_to(np.asarray(days, dtype=np.float64), shape))


def attended(
    rng: np.random.Generator, actual: Floats, leave_day: Floats, missed: float = MISSED_VISIT
) -> Bools:
    """True where the visit took place: not missed, and before the patient left."""
    present = rng.random(actual.shape) >= missed
    return np.asarray(present & (actual <= leave_day[:, None]))
