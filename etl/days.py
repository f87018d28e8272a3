"""Days from infusion: computed where both moments are known, else as the source delivered them."""

import polars as pl

from analysis.compute.time import rel_day_expressions
from etl.contracts.contract import Contract
from etl.contracts.times import DAYS, INSTANT

MISMATCH_DAY = 1.0
"""A delivered day that differs by more from the computed one is worth a look."""


def add_days(frame: pl.DataFrame, contract: Contract, references: pl.DataFrame) -> pl.DataFrame:
    """rel_day, rel_day_source and `_day_differs` for timed records; the end likewise."""
    if not contract.timed:
        return frame
    frame = frame.join(references, on="usubjid", how="left", maintain_order="left")
    frame = _one(frame, "dtm", "rel_day", "rel_day_source")
    if contract.interval:
        frame = _one(frame, "end_dtm", "end_rel_day", "_end_source")
    return frame.drop(
        "reference_utc", "reference_date", "reference_precision", "reference_zoned", strict=False
    )


def _one(frame: pl.DataFrame, name: str, day: str, source: str) -> pl.DataFrame:
    zone = "tz" if name == "dtm" else f"_{name}_tz"
    precision = pl.col(f"{name}_precision")
    if frame[f"{name}_text"].null_count() == frame.height:
        delivered = pl.when(pl.col(day).is_not_null()).then(pl.lit("delivered"))
        return frame.with_columns(delivered.alias(source), pl.lit(False).alias(f"_{day}_differs"))
    same_footing = pl.col(zone).is_not_null() == pl.col("reference_zoned")
    only_date = precision.is_in(INSTANT) & ~same_footing.fill_null(True)
    frame = frame.with_columns(
        pl.when(only_date).then(pl.lit("day")).otherwise(precision).alias("_precision"),
        pl.col(f"_{name}_local").dt.date().alias("_date"),
    )
    value, made_from = rel_day_expressions(
        (f"{name}_utc", "_date", "_precision"),
        ("reference_utc", "reference_date", "reference_precision"),
    )
    frame = frame.with_columns(value.alias("_day"), made_from.alias("_made_from"))
    given = pl.col(day)
    return frame.with_columns(
        pl.coalesce("_day", given).alias(day),
        pl.coalesce("_made_from", pl.when(given.is_not_null()).then(pl.lit("delivered"))).alias(
            source
        ),
        ((pl.col("_day") - given).abs() > MISMATCH_DAY).fill_null(False).alias(f"_{day}_differs"),
    ).drop("_precision", "_date", "_day", "_made_from")


def references_of(infusions: pl.DataFrame) -> pl.DataFrame:
    """The first infusion of each subject as the moment days are counted from.

    Infusions without a date give no reference: their days are the delivered ones.
    """
    first = infusions.sort("infusion_no").unique("usubjid", keep="first", maintain_order=True)
    return first.filter(pl.col("dtm_precision").is_in(DAYS)).select(
        "usubjid",
        pl.col("dtm_utc").alias("reference_utc"),
        pl.col("_dtm_local").dt.date().alias("reference_date"),
        pl.col("dtm_precision").alias("reference_precision"),
        pl.col("tz").is_not_null().alias("reference_zoned"),
    )
