"""Days since infusion: UTC where both are clock times, calendar days where one is a date."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.compute.time import (
    Moment,
    ady,
    local_to_utc,
    rel_day,
    rel_day_expressions,
    rel_day_from_label,
)


def moment(local: str, zone: str = "Europe/Berlin", precision: str | None = None) -> Moment:
    """A moment from text as it stands in an export; a date alone has the precision of a day."""
    if "T" not in local:
        parts = local.split("-")
        found = precision or {3: "day", 2: "month", 1: "year"}[len(parts)]
        known = date.fromisoformat(local) if len(parts) == 3 else None
        return Moment(None, known, found)
    time = datetime.fromisoformat(local)
    return Moment(local_to_utc(time, zone).utc, time.date(), precision or "minute")


TABLE = [
    # infusion, record, days, source, why
    ("2026-03-10T10:00", "2026-03-10T10:00", 0.0, "datetime", "infusion"),
    ("2026-03-10T10:00", "2026-03-11T10:00", 1.0, "datetime", "one day"),
    ("2026-03-10T10:00", "2026-03-10T22:00", 0.5, "datetime", "half a day"),
    ("2026-03-10T10:00", "2026-03-09T10:00", -1.0, "datetime", "before infusion"),
    ("2026-03-10T23:50", "2026-03-11T00:20", 30 / 1440, "datetime", "across midnight"),
    ("2026-03-28T10:00", "2026-03-29T10:00", 23 / 24, "datetime", "spring: a day of 23 hours"),
    ("2026-10-24T10:00", "2026-10-25T10:00", 25 / 24, "datetime", "autumn: a day of 25 hours"),
    ("2026-03-10T10:00", "2026-03-10", 0.0, "date", "same day, time unknown"),
    ("2026-03-10T23:30", "2026-03-11", 1.0, "date", "calendar days, not 0.02 and not 0.5"),
    ("2026-03-10", "2026-03-11T00:10", 1.0, "date", "infusion without a time"),
    ("2026-03-10", "2026-04-07", 28.0, "date", "day 28"),
    ("2026-03-10", "2026-03-09", -1.0, "date", "the day before"),
    ("2026-03-10T10:00", "2026-03", None, None, "a month is no day"),
    ("2026-03-10T10:00", "2026", None, None, "a year is no day"),
    ("2026-03", "2026-03-11T10:00", None, None, "infusion known to the month only"),
]


@pytest.mark.parametrize(("infusion", "record", "days", "source", "why"), TABLE)
def test_rel_day(infusion, record, days, source, why):
    found, found_source = rel_day(moment(record), moment(infusion))
    assert found == (None if days is None else pytest.approx(days, abs=1e-12)), why
    assert found_source == source, why


def test_date_only_uses_the_day_at_the_site_not_in_utc():
    infusion = moment("2026-03-10T23:30", "America/New_York")
    assert infusion.utc == datetime(2026, 3, 11, 3, 30)
    assert rel_day(moment("2026-03-10"), infusion) == (0.0, "date")


@pytest.mark.parametrize(
    ("local", "zone", "utc", "note"),
    [
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30", "does not exist"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30", "ambiguous"),
        ("2026-07-01T12:00", "Europe/Berlin", "2026-07-01T10:00", ""),
        ("2026-07-01T12:00", "Asia/Kolkata", "2026-07-01T06:30", ""),
    ],
)
def test_local_to_utc(local, zone, utc, note):
    found = local_to_utc(datetime.fromisoformat(local), zone)
    assert (found.utc, found.note) == (datetime.fromisoformat(utc), note)


@pytest.mark.parametrize(
    ("day", "label", "expected"),
    [(0, 0, 0.0), (28, 0, 28.0), (-5, 0, -5.0), (1, 1, 0.0), (29, 1, 28.0), (-1, 1, -1.0),
     (0, 1, None), (7.5, 0, 7.5)],
)  # fmt: skip
def test_days_numbered_by_the_source(day, label, expected):
    assert rel_day_from_label(day, label) == expected


def test_infusion_label_is_zero_or_one():
    with pytest.raises(ValueError, match="0 or 1"):
        rel_day_from_label(3, 2)


@pytest.mark.parametrize(
    ("day", "reference", "expected"),
    [
        ("2026-03-10", "2026-03-10", 1),
        ("2026-03-09", "2026-03-10", -1),
        ("2026-04-07", "2026-03-10", 29),
    ],
)
def test_study_day_has_no_zero(day, reference, expected):
    assert ady(date.fromisoformat(day), date.fromisoformat(reference)) == expected


@given(st.integers(-400, 4000))
def test_study_day_is_never_zero_and_keeps_the_order(days):
    reference = date(2026, 3, 10)
    found = ady(reference + timedelta(days=days), reference)
    assert found != 0
    assert found == (days + 1 if days >= 0 else days)


moments = st.builds(
    lambda minutes, precision: Moment(
        datetime(2026, 1, 1) + timedelta(minutes=minutes),
        (datetime(2026, 1, 1) + timedelta(minutes=minutes + 60)).date(),
        precision,
    ),
    st.integers(0, 500_000),
    st.sampled_from(["second", "minute", "hour", "day", "month", "year", "unknown"]),
)


@given(st.lists(st.tuples(moments, moments), min_size=1, max_size=20))
def test_whole_columns_follow_the_same_rule(pairs):
    columns = {
        f"{side}_{name}": [getattr(pair[i], name) for pair in pairs]
        for i, side in ((0, "a"), (1, "b"))
        for name in ("utc", "local_date", "precision")
    }
    value, source = rel_day_expressions(
        ("a_utc", "a_local_date", "a_precision"), ("b_utc", "b_local_date", "b_precision")
    )
    frame = pl.DataFrame(columns).select(value.alias("value"), source.alias("source"))
    for (when, infusion), found in zip(pairs, frame.iter_rows(), strict=True):
        expected = rel_day(when, infusion)
        assert found[1] == expected[1]
        assert found[0] == (None if expected[0] is None else pytest.approx(expected[0], abs=1e-9))


def test_zone_data_are_there():
    assert ZoneInfo("America/New_York")
