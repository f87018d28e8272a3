"""One export file before it is written: text cells, so that every quirk is deliberate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from etl.synthetic.design import STUDYID, TIME_ZONE

Format = Literal["csv", "xlsx", "xpt", "json"]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """`frame` holds the cells as text (null = empty), in the column order of the file.

    `above` are rows before the header, `units` a row below it, `below` rows after the data.
    `hidden_sheet` adds a hidden sheet with a copy of the first rows, which nobody should load.
    """

    path: str
    frame: pl.DataFrame
    format: Format = "csv"
    separator: str = ","
    sheet: str | None = None
    above: tuple[tuple[str, ...], ...] = ()
    units: tuple[str, ...] = ()
    below: tuple[tuple[str, ...], ...] = ()
    hidden_sheet: str | None = None
    byte_order_mark: bool = False

    def row_in_file(self, index: int) -> int:
        """The row a person sees, from 1, of the data row `index`, from 0.

        Datasets (XPT, Dataset-JSON) have records, not lines: their first record is row 1.
        """
        headers = 0 if self.format in {"xpt", "json"} else 1
        return len(self.above) + headers + bool(self.units) + index + 1


def site_id(subject_no: pl.Expr | None = None) -> pl.Expr:
    """Four sites take turns: "01" to "04"."""
    number = pl.col("subject_no") if subject_no is None else subject_no
    return pl.format("0{}", (number - 1) // 2 % 4 + 1)


def subject_code() -> pl.Expr:
    """Subject number within the study with leading zeros: "014"."""
    return pl.col("subject_no").cast(pl.String).str.zfill(3)


def unique_subject_id() -> pl.Expr:
    """Study, site and subject: "SYN-CART-01-03-014"."""
    return pl.format("{}-{}-{}", pl.lit(STUDYID), site_id(), subject_code())


def with_times(
    frame: pl.DataFrame, patients: pl.DataFrame, columns: Sequence[str] = ("rel_day",)
) -> pl.DataFrame:
    """Adds `<column>_local`: local date-times made of the infusion instant and days from it."""
    joined = frame.join(
        patients.select("subject_no", "infusion_minute"),
        on="subject_no",
        how="left",
        maintain_order="left",
    )
    for column in columns:
        minute = pl.col("infusion_minute") + (pl.col(column) * 1440).round().cast(pl.Int64)
        local = (minute * 60_000_000).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(TIME_ZONE)
        joined = joined.with_columns(local.alias(f"{column}_local"))
    return joined.drop("infusion_minute")


def iso_with_zone(column: str) -> pl.Expr:
    """2026-03-10T09:41:00+01:00"""
    return pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%:z")


def iso_minute(column: str) -> pl.Expr:
    """2026-03-10T09:41, local."""
    return pl.col(column).dt.strftime("%Y-%m-%dT%H:%M")


def iso_date(column: str) -> pl.Expr:
    """2026-03-10, local."""
    return pl.col(column).dt.strftime("%Y-%m-%d")


def number_text(expression: pl.Expr, digits: int = 4) -> pl.Expr:
    """A number as text with significant digits, no exponent, no trailing ".0"."""
    rounded = expression.round_sig_figs(digits)
    whole = (rounded == rounded.round(0)) & (rounded.abs() < 1e15)
    return (
        pl.when(rounded.is_null() | rounded.is_nan())
        .then(None)
        .when(whole)
        .then(rounded.round(0).cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(rounded.cast(pl.String))
    )


def day_text(column: str) -> pl.Expr:
    """A planned day as text without decimals."""
    return pl.col(column).cast(pl.Int64).cast(pl.String)
