"""Days since infusion: subtraction in UTC, calendar days where only a date is known.

`rel_day` is a float with 0 at infusion. `ady` is the study day of CDISC, which has no day 0; it
is made for export only and never enters arithmetic.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

Precision = Literal["second", "minute", "hour", "day", "month", "year", "unknown"]
RelDaySource = Literal["datetime", "date", "delivered"]

CLOCK_PRECISIONS: tuple[Precision, ...] = ("second", "minute", "hour")
SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Moment:
    """A time as delivered. `utc` is the instant without a zone; `local_date` the calendar day at
    the site, which is what date-only arithmetic needs (23:30 in New York is the next day in UTC).
    """

    utc: datetime | None
    local_date: date | None
    precision: Precision


@dataclass(frozen=True)
class LocalTime:
    """UTC instant of a local time; `note` is empty, "ambiguous" or "does not exist"."""

    utc: datetime
    note: Literal["", "ambiguous", "does not exist"]


def local_to_utc(local: datetime, zone: str) -> LocalTime:
    """UTC instant (naive) of a local wall-clock time in an IANA zone.

    Across the change to winter time an hour occurs twice: the first is taken and noted. In the
    spring an hour does not exist: it is shifted by the gap and noted.
    Raises zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    utc = ZoneInfo("UTC")
    aware = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    instant = aware.astimezone(utc)
    back = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    naive = instant.replace(tzinfo=None)
    if back != local:
        return LocalTime(naive, "does not exist")
    other = aware.replace(fold=1).astimezone(utc)
    return LocalTime(naive, "ambiguous" if other != instant else "")


def rel_day(when: Moment, infusion: Moment) -> tuple[float | None, RelDaySource | None]:
    """Days from infusion and what they were computed from.

    Both to the hour or better: (UTC - UTC) / 86400 s. Either one to the day only: the difference
    of calendar days at the site. Either one to the month or less: no day, never an imputed one.
    """
    if when.precision in CLOCK_PRECISIONS and infusion.precision in CLOCK_PRECISIONS:
        if when.utc is None or infusion.utc is None:
            return None, None
        return (when.utc - infusion.utc).total_seconds() / SECONDS_PER_DAY, "datetime"
    dated = (*CLOCK_PRECISIONS, "day")
    if when.precision not in dated or infusion.precision not in dated:
        return None, None
    if when.local_date is None or infusion.local_date is None:
        return None, None
    return float((when.local_date - infusion.local_date).days), "date"


def rel_day_expressions(
    when: tuple[str, str, str], infusion: tuple[str, str, str]
) -> tuple[pl.Expr, pl.Expr]:
    """`rel_day` and its source for whole columns; the same rule as the scalar function.

    Each triple names the columns of UTC instant (Datetime), local date (Date) and precision (text).
    """
    utc, local_date, precision = when
    ref_utc, ref_local_date, ref_precision = infusion
    clock = pl.col(precision).is_in(CLOCK_PRECISIONS) & pl.col(ref_precision).is_in(
        CLOCK_PRECISIONS
    )
    dated = (*CLOCK_PRECISIONS, "day")
    calendar = pl.col(precision).is_in(dated) & pl.col(ref_precision).is_in(dated) & ~clock
    exact = (pl.col(utc) - pl.col(ref_utc)).dt.total_microseconds() / (SECONDS_PER_DAY * 1e6)
    days = (pl.col(local_date) - pl.col(ref_local_date)).dt.total_days().cast(pl.Float64)
    value = pl.when(clock).then(exact).when(calendar).then(days)
    source = (
        pl.when(clock & exact.is_not_null())
        .then(pl.lit("datetime"))
        .when(calendar & days.is_not_null())
        .then(pl.lit("date"))
    )
    return value, source


def rel_day_from_label(day: float, infusion_day_label: int) -> float | None:
    """Days since infusion of a day that the source numbers itself.

    infusion_day_label: the number the source gives to the infusion day. With 1 the source has no
    day 0, so that -1 is the day before: 1 -> 0, 29 -> 28, -1 -> -1, 0 -> None.
    Raises ValueError for another label than 0 or 1.
    """
    if infusion_day_label == 0:
        return float(day)
    if infusion_day_label != 1:
        raise ValueError(f"infusion_day_label is 0 or 1, not {infusion_day_label}")
    if 0 <= day < 1:
        return None
    return float(day - 1 if day >= 1 else day)


def ady(day: date, reference: date) -> int:
    """CDISC study day: the reference day is 1, the day before is -1, there is no 0."""
    difference = (day - reference).days
    return difference + 1 if difference >= 0 else difference
