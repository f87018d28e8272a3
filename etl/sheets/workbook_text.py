"""The exact text of a spreadsheet column from calamine's readings as text, number and date."""

import polars as pl

from etl.sheets.typed_text import elapsed_text, instant_text, number_text
from etl.sheets.workbook_xml import SheetFacts, Workbook

NUMBER_TEXT = r"^-?\d+(\.\d+)?$"
DAY_MS = 86_400_000
EPOCH_1900, EPOCH_1900_FIRST_60, EPOCH_1904 = "1899-12-30", "1899-12-31", "1904-01-01"


def exact_text(
    column: pl.DataFrame, workbook: Workbook | None, facts: SheetFacts | None, position: int
) -> pl.Series:
    """The text of one column from calamine's three readings of it."""
    text, number = pl.col("string"), pl.col("float")
    rounded = (
        text.str.contains(NUMBER_TEXT)
        & number.is_finite()
        & (text.cast(pl.Float64, strict=False) != number)
    )
    exact = column.select(
        pl.when(rounded).then(number_text(number)).otherwise(text).alias("text"),
        "duration",
        "string",
    )
    if exact["duration"].null_count() < exact.height:
        exact = _with_dates(exact, workbook, facts, position)
    result = exact["text"]
    for row, value in facts.errors.get(position, {}).items() if facts else ():
        if row <= result.len():
            result[row - 1] = value
    return result


def _with_dates(
    exact: pl.DataFrame, workbook: Workbook | None, facts: SheetFacts | None, position: int
) -> pl.DataFrame:
    """Date cells as ISO 8601: date, date and time, time of day, or elapsed hours (36:00:00).

    The number format decides where it is known (xlsx). Elsewhere a column of midnights holds
    dates and a serial below one day is a time of day.
    """
    ms = pl.col("duration").dt.total_milliseconds()
    day_ms = ms % DAY_MS
    exact = exact.with_columns(
        _kinds(exact.height, facts, position),
        ms.alias("ms"),
        _instant(exact, workbook).alias("instant"),
        (day_ms != 0).any().alias("any_time"),
    )
    kind, with_time = pl.col("kind"), pl.col("any_time") if facts is None else day_ms != 0
    date = pl.col("instant").dt.to_string("%Y-%m-%d")
    # In the 1904 system serial 0 is a day; in the 1900 system it can only be a time of day.
    day_zero = (ms == 0) & (kind == "") & pl.lit(workbook is not None and workbook.date1904)
    shown = (
        pl.when(kind == "elapsed")
        .then(elapsed_text(ms))
        .when(ms < 0)
        .then((ms / DAY_MS).cast(pl.String))
        .when((ms < DAY_MS) & (kind != "datetime") & ~day_zero)
        .then(elapsed_text(ms))
        .when(with_time | (kind == "datetime"))
        .then(instant_text(pl.col("instant")))
        .otherwise(date)
    )
    return exact.with_columns(pl.when(ms.is_not_null()).then(shown).otherwise("text").alias("text"))


def _kinds(height: int, facts: SheetFacts | None, position: int) -> pl.Series:
    kinds = [""] * height
    for row, kind in facts.kinds.get(position, {}).items() if facts else ():
        if row <= height:
            kinds[row - 1] = kind
    return pl.Series("kind", kinds, pl.String)


def _instant(exact: pl.DataFrame, workbook: Workbook | None) -> pl.Expr:
    """Date and time of a serial number in the workbook's own date system."""
    serial = pl.col("duration").cast(pl.Duration("ms"))
    if workbook is None:  # xls, xlsb: calamine's date is right in both systems
        parsed = pl.col("string").str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f", time_unit="ms", strict=False
        )
        return pl.coalesce(parsed, _epoch(EPOCH_1900) + serial)
    if workbook.date1904:
        return _epoch(EPOCH_1904) + serial
    # Excel counts a 29 February 1900 that never was: serials below 60 start a day later.
    early = serial.dt.total_milliseconds() < 60 * DAY_MS
    return (
        pl.when(early)
        .then(_epoch(EPOCH_1900_FIRST_60) + serial)
        .otherwise(_epoch(EPOCH_1900) + serial)
    )


def _epoch(day: str) -> pl.Expr:
    return pl.lit(day).str.to_datetime("%Y-%m-%d", time_unit="ms")
