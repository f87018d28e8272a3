"""Dates as delivered to instants: UTC, the text, the zone and the precision. Nothing is imputed.

ISO 8601 texts are read as they are; any other text only when all texts of the column fit one
format, and those that fit mean the same instants ("12 May 2024" has a short and a full month; day
and month in figures need a day over 12 somewhere, or to be equal). Partial dates keep their
text and precision and get no instant.
"""

import re
from datetime import timedelta
from typing import NamedTuple

import polars as pl

ISO = (
    r"^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?"
    r"(Z|[+-]\d{2}:?\d{2})?)?)?)?$"
)
FIGURES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y")
WORDED = ("%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%d-%b-%Y", "%d%b%Y", "%b %d, %Y", "%d %B %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S")
EPOCHS = {"excel": "1899-12-30", "excel1904": "1904-01-01"}
INSTANT = ("second", "minute", "hour")
"""Precisions that name a time of day."""
DAYS = (*INSTANT, "day")
OFFSET = re.compile(r"^([+-])(\d{2}):?(\d{2})$")
PARSED: dict[str, pl.DataType] = {
    "text": pl.String(),
    "local": pl.Datetime("us"),
    "precision": pl.String(),
    "offset": pl.String(),
    "rule": pl.String(),
}


class Moment(NamedTuple):
    """Names of the columns that one date field becomes."""

    utc: str
    text: str
    zone: str
    precision: str
    rule: str
    local: str


def moment(name: str) -> Moment:
    """The column names for `dtm`, `end_dtm` or `label_dtm`."""
    zone = "tz" if name == "dtm" else f"_{name}_tz"
    return Moment(
        f"{name}_utc", f"{name}_text", zone, f"{name}_precision", f"_{name}_rule", f"_{name}_local"
    )


def parse_moments(frame: pl.DataFrame, name: str, dates: str, timezone: str | None) -> pl.DataFrame:
    """Replaces the text column `name` by its instant, text, zone, precision and rule.

    A zone in the text wins over the column `tz`, that over the profile's `timezone`; without any
    the instant is kept as delivered and the zone stays null.
    """
    names = moment(name)
    parsed = parse_texts(frame[name].drop_nulls().unique(), dates)
    frame = frame.join(
        parsed.rename({"local": names.local, "precision": names.precision, "rule": names.rule}),
        left_on=name,
        right_on="text",
        how="left",
        maintain_order="left",
    )
    zones = pl.coalesce("offset", *(["tz"] if "tz" in frame.columns else []), pl.lit(timezone))
    timed = pl.col(names.precision).is_in(INSTANT)
    frame = frame.with_columns(pl.when(timed).then(zones).alias(names.zone)).drop("offset")
    frame = frame.rename({name: names.text})
    return _to_utc(frame, names)


def _to_utc(frame: pl.DataFrame, names: Moment) -> pl.DataFrame:
    """The UTC instant per zone; a local time that exists twice or never has a rule instead."""
    frame = frame.with_columns(pl.col(names.local).alias(names.utc))
    for zone in frame[names.zone].drop_nulls().unique():
        here = pl.col(names.zone) == zone
        shifted = _shift(pl.col(names.local), zone)
        if shifted is None:
            rule = pl.when(here).then(pl.lit("zone_unknown")).otherwise(pl.col(names.rule))
            frame = frame.with_columns(rule.alias(names.rule))
            continue
        frame = frame.with_columns(
            pl.when(here).then(shifted).otherwise(pl.col(names.utc)).alias(names.utc)
        )
        lost = here & pl.col(names.utc).is_null() & pl.col(names.local).is_not_null()
        rule = pl.when(lost).then(pl.lit("local_time_ambiguous")).otherwise(pl.col(names.rule))
        frame = frame.with_columns(rule.alias(names.rule))
    return frame


def _shift(local: pl.Expr, zone: str) -> pl.Expr | None:
    """Local time to UTC; None for a zone that polars does not know (it has no `localtime`)."""
    if zone in {"Z", "UTC"}:
        return local
    match = OFFSET.match(zone)
    if match:
        sign, hours, minutes = match.groups()
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        return local - ahead if sign == "+" else local + ahead
    if not zone:
        return None
    try:
        pl.select(pl.lit(None, pl.Datetime("us")).dt.replace_time_zone(zone))
    except pl.exceptions.ComputeError:
        return None
    aware = local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    return aware.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def parse_texts(texts: pl.Series, dates: str) -> pl.DataFrame:
    """One row per distinct text: local time, precision, zone offset and the rule it breaks."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    if frame.is_empty():
        return pl.DataFrame(schema=PARSED)
    if dates in EPOCHS:
        return _from_serial(frame, EPOCHS[dates])
    if dates not in {"iso", "auto"}:
        return _from_format(frame, dates)
    iso = _from_iso(frame)
    written_as_iso = iso["rule"].is_null() | (iso["rule"] == "date_impossible")
    return iso if written_as_iso.any() else _from_one_format(frame)


def _from_iso(frame: pl.DataFrame) -> pl.DataFrame:
    plain = pl.col("text").str.strip_chars()
    parts = frame.select("text", plain.str.extract_groups(ISO).alias("part")).unnest("part")
    parts = parts.rename(
        dict(zip("1234567", ("y", "mo", "d", "h", "mi", "s", "offset"), strict=True))
    )
    year, month, day, hour, minute = (
        pl.col(name).cast(pl.Int32, strict=False) for name in ("y", "mo", "d", "h", "mi")
    )
    second = pl.col("s").cast(pl.Float64, strict=False).fill_null(0.0)
    whole = second.floor()
    micro = ((second - whole) * 1e6).round().cast(pl.Int64).clip(0, 999_999)
    clock_fits = (hour.fill_null(0) < 24) & (minute.fill_null(0) < 60) & (whole < 60)
    date = pl.concat_str("y", "mo", "d", separator="-").str.to_date("%Y-%m-%d", strict=False)
    local = date.cast(pl.Datetime("us")) + pl.duration(
        hours=hour.fill_null(0), minutes=minute.fill_null(0), seconds=whole, microseconds=micro
    )
    precision = (
        pl.when(pl.col("s").is_not_null()).then(pl.lit("second"))
        .when(minute.is_not_null()).then(pl.lit("minute"))
        .when(hour.is_not_null()).then(pl.lit("hour"))
        .when(day.is_not_null()).then(pl.lit("day"))
        .when(month.is_not_null()).then(pl.lit("month"))
        .when(year.is_not_null()).then(pl.lit("year"))
    )  # fmt: skip
    dashed = plain.str.contains(r"^[\d\-T:]+$") & plain.str.contains(r"--|-:|T-|-T")
    month_fits = month.is_null() | month.is_between(1, 12)
    bad_day = day.is_not_null() & date.is_null()
    rule = (
        pl.when(dashed).then(None)
        .when(year.is_null()).then(pl.lit("date_format"))
        .when(bad_day | ~month_fits | ~clock_fits).then(pl.lit("date_impossible"))
    )  # fmt: skip
    parsed = parts.select(
        "text",
        pl.when(clock_fits).then(local).alias("local"),
        pl.when(dashed).then(pl.lit("unknown")).otherwise(precision).alias("precision"),
        "offset",
        rule.cast(pl.String).alias("rule"),
    )
    return parsed.with_columns(pl.when(pl.col("rule").is_null()).then("local").alias("local"))


def _from_serial(frame: pl.DataFrame, epoch: str) -> pl.DataFrame:
    serial = pl.col("text").str.strip_chars().cast(pl.Float64, strict=False)
    start = pl.lit(epoch).str.to_datetime("%Y-%m-%d", time_unit="us")
    seconds = (serial * 86_400).round()
    local = start + pl.duration(seconds=seconds)
    whole = serial == serial.floor()
    usable = serial.is_between(1, 200_000)
    return frame.select(
        "text",
        pl.when(usable).then(local).alias("local"),
        pl.when(usable & whole)
        .then(pl.lit("day"))
        .when(usable)
        .then(pl.lit("second"))
        .alias("precision"),
        pl.lit(None, pl.String).alias("offset"),
        pl.when(~usable.fill_null(False)).then(pl.lit("date_format")).alias("rule"),
    )


def _from_format(frame: pl.DataFrame, layout: str) -> pl.DataFrame:
    plain = pl.col("text").str.strip_chars()
    if "%H" in layout:
        local = plain.str.to_datetime(layout, strict=False, time_unit="us")
        name = "second" if "%S" in layout else "minute" if "%M" in layout else "hour"
    else:
        local = plain.str.to_date(layout, strict=False).cast(pl.Datetime("us"))
        name = "day"
    return frame.select(
        "text",
        local.alias("local"),
        pl.when(local.is_not_null()).then(pl.lit(name)).alias("precision"),
        pl.lit(None, pl.String).alias("offset"),
        pl.when(local.is_null()).then(pl.lit("date_format")).alias("rule"),
    )


def _from_one_format(frame: pl.DataFrame) -> pl.DataFrame:
    """All texts by the one format that fits all of them; else every text has the rule why not.

    Formats that read every text as the same instant with the same precision are one.
    """
    fitting: list[pl.DataFrame] = []
    for layout in (day + clock for day in (*FIGURES, *WORDED) for clock in CLOCKS):
        parsed = _from_format(frame, layout)
        if parsed["rule"].is_null().all() and not any(map(parsed.equals, fitting)):
            fitting.append(parsed)
    if len(fitting) == 1:
        return fitting[0]
    rule = "date_ambiguous" if fitting else "date_format"
    return frame.select(
        "text",
        pl.lit(None, pl.Datetime("us")).alias("local"),
        pl.lit(None, pl.String).alias("precision"),
        pl.lit(None, pl.String).alias("offset"),
        pl.lit(rule).alias("rule"),
    )
