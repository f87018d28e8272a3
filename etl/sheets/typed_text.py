"""Text of typed values, one spelling for every format, so that equal data give equal cells."""

import polars as pl

INTEGER_LIMIT = 2.0**53


def number_text(number: pl.Expr) -> pl.Expr:
    """The shortest text that gives the same float again; integers without a decimal point."""
    integral = (number == number.floor()) & (number.abs() < INTEGER_LIMIT)
    whole = pl.when(integral).then(number).cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(integral).then(whole).otherwise(number.cast(pl.String))


def elapsed_text(milliseconds: pl.Expr) -> pl.Expr:
    """Hours, minutes and seconds: 36:00:00, 08:05:30.250."""
    ms = milliseconds
    hours, minutes, seconds = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60
    parts = (part.cast(pl.Int64).cast(pl.String).str.zfill(2) for part in (hours, minutes, seconds))
    return pl.concat_str(parts, separator=":") + fraction_text(ms)


def instant_text(instant: pl.Expr) -> pl.Expr:
    """ISO 8601 date and time, with milliseconds only where there are any."""
    ms = instant.dt.timestamp("ms")
    return instant.dt.to_string("%Y-%m-%dT%H:%M:%S") + fraction_text(ms)


def fraction_text(milliseconds: pl.Expr) -> pl.Expr:
    """`.250` for the milliseconds beyond the second, nothing when there are none."""
    rest = milliseconds % 1000
    digits = "." + rest.cast(pl.Int64).cast(pl.String).str.zfill(3)
    return pl.when(rest == 0).then(pl.lit("")).otherwise(digits)
