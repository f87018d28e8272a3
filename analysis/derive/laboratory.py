"""Laboratory values: which may not count as a peak, and the peaks of the others."""

import polars as pl

from analysis.derive.columns import ensure

IL6 = "INTLK6"
TOCILIZUMAB_DAYS = 21.0
"""How long IL-6 stays raised by a dose of tocilizumab itself. General knowledge (the drug blocks
the receptor that clears IL-6; its half-life is 11 to 13 days), not from a source of this project.
"""
_LABS = (
    "usubjid", "testcd", "test", "matrix", "unit", "value", "lower", "upper", "censored", "rel_day",
    "nominal_day",
)  # fmt: skip


def after_tocilizumab(
    labs: pl.DataFrame | None,
    interventions: pl.DataFrame | None,
    days: float = TOCILIZUMAB_DAYS,
) -> pl.DataFrame:
    """`labs` with `after_tocilizumab` (IL-6 within `days` after a dose) and `days_after`.

    A sample of the day of the dose is before it only when both times say so; where days alone are
    known the same day counts as after, since a rise by the drug must not pass as a peak.
    """
    rows = ensure(labs, *_LABS)
    doses = ensure(interventions, "usubjid", "intervention_class", "rel_day", "nominal_day")
    given = doses.filter(pl.col("intervention_class") == "tocilizumab").select(
        "usubjid", pl.coalesce("rel_day", "nominal_day").alias("dose_day")
    )
    day = pl.coalesce("rel_day", "nominal_day")
    indexed = rows.with_row_index("_row")
    since = (
        indexed.filter(pl.col("testcd") == IL6)
        .join(given, on="usubjid")
        .with_columns((day - pl.col("dose_day")).alias("days_after"))
        .filter((pl.col("days_after") >= 0) & (pl.col("days_after") <= days))
        .group_by("_row")
        .agg(pl.col("days_after").min())
    )
    return (
        indexed.join(since, on="_row", how="left", maintain_order="left")
        .with_columns(pl.col("days_after").is_not_null().alias("after_tocilizumab"))
        .drop("_row")
    )


def peaks(labs: pl.DataFrame | None, interventions: pl.DataFrame | None = None) -> pl.DataFrame:
    """Highest value after infusion per patient, test, matrix and unit.

    IL-6 after tocilizumab never counts; `n_not_counted` says how many values that left out.
    Columns: usubjid, testcd, test, matrix, unit, peak (null when no value was above the limit),
    peak_day, n_samples, n_not_counted.
    """
    rows = after_tocilizumab(labs, interventions).with_columns(
        pl.coalesce("rel_day", "nominal_day").alias("day")
    )
    counted = pl.col("value").is_not_null() & ~pl.col("after_tocilizumab")
    return (
        rows.filter(pl.col("day") >= 0)
        .group_by("usubjid", "testcd", "matrix", "unit")
        .agg(
            pl.col("test").drop_nulls().first(),
            pl.col("value").filter(counted).max().alias("peak"),
            pl.col("day")
            .filter(counted)
            .sort_by(pl.col("value").filter(counted), descending=True, maintain_order=True)
            .first()
            .alias("peak_day"),
            pl.len().cast(pl.Int64).alias("n_samples"),
            pl.col("after_tocilizumab").sum().cast(pl.Int64).alias("n_not_counted"),
        )
        .sort("testcd", "matrix", "unit", "usubjid", nulls_last=True)
        .select(
            "usubjid", "testcd", "test", "matrix", "unit", "peak", "peak_day", "n_samples",
            "n_not_counted",
        )
    )  # fmt: skip
