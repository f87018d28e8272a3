"""Values of one patient at one time to one row, and zeros without a limit to censored values.

Both rules are stated in `analysis.derive.signal`.
"""

import polars as pl

from analysis.derive.columns import LINEAGE


def below_unknown_limit(rows: pl.DataFrame) -> pl.DataFrame:
    """Zeros without a limit become values below the smallest positive value of the signal.

    A signal with negative values lives on a linear axis, where zero is a value.
    """
    smallest = rows.filter(pl.col("value") > 0)["value"].min()
    signed = bool((rows["value"] < 0).any())
    zero = (pl.col("censored") == "none") & (pl.col("value") == 0) & (not signed)
    sample = pl.when(pl.col("censored") != "none").then(pl.lit("sample"))
    return rows.with_columns(
        pl.col("value").alias("delivered"),
        pl.when(zero).then(None).otherwise(pl.col("value")).alias("value"),
        pl.when(zero).then(0.0).otherwise(pl.col("lower")).alias("lower"),
        pl.when(zero)
        .then(pl.lit(smallest, dtype=pl.Float64))
        .otherwise(pl.col("upper"))
        .alias("upper"),
        pl.when(zero).then(pl.lit("left")).otherwise(pl.col("censored")).alias("censored"),
        pl.when(zero).then(pl.lit("assumed")).otherwise(sample).alias("limit_source"),
    )


def fold(rows: pl.DataFrame, *, by_region: bool) -> pl.DataFrame:
    """Values of one patient at one time to one row (module docstring)."""
    keys = ["usubjid", *(["region_code"] if by_region else []), "rel_day", "nominal_day", "visit"]
    columns = [
        *keys, "value", "lower", "upper", "censored", "delivered", "limit_source", "unit",
        "lloq", "n_regions", "day_source", "decay_state", *LINEAGE,
    ]  # fmt: skip
    counted = rows.with_columns(pl.len().over(keys).cast(pl.Int64).alias("n_regions"))
    single = counted.filter(pl.col("n_regions") == 1).select(columns)
    several = counted.filter(pl.col("n_regions") > 1)
    signed = bool((rows["value"] < 0).any())
    parts = [single, _means(several, keys, signed=signed).select(columns)]
    return pl.concat(parts).sort(keys[:-1], nulls_last=True, maintain_order=True)


def _means(rows: pl.DataFrame, keys: list[str], *, signed: bool) -> pl.DataFrame:
    """Rows of the same keys as one; a signal with negative values takes the arithmetic mean."""
    low = pl.coalesce("value", pl.col("lower"), pl.lit(0.0))
    high = pl.coalesce("value", "upper")
    mean_high = high.mean() if signed else high.log().mean().exp()
    mean_low = low.mean() if signed else low.log().mean().exp()
    if not signed:
        mean_low = pl.when((low <= 0).any()).then(0.0).otherwise(mean_low)
    exact = (pl.col("censored") == "none").all()
    assumed = pl.col("limit_source").eq("assumed").any()
    kind = (
        pl.when(pl.col("value").is_not_null()).then(pl.lit("none"))
        .when(pl.col("upper").is_null() & pl.col("limit_source").ne_missing("assumed"))
        .then(pl.lit("right"))
        .when(pl.col("lower").fill_null(0.0) <= 0).then(pl.lit("left"))
        .otherwise(pl.lit("interval"))
    )  # fmt: skip
    means = rows.group_by(keys, maintain_order=True).agg(
        pl.when(exact).then(mean_high).alias("value"),
        pl.when(~exact).then(mean_low).alias("lower"),
        pl.when(~exact & ~high.is_null().any()).then(mean_high).alias("upper"),
        pl.when(assumed)
        .then(pl.lit("assumed"))
        .otherwise(pl.col("limit_source").drop_nulls().first())
        .alias("limit_source"),
        pl.col("unit").drop_nulls().first(),
        pl.col("lloq").max(),
        pl.col("n_regions").first(),
        pl.col("day_source").first(),
        pl.col("decay_state").drop_nulls().unique().sort().str.join("/").alias("decay_state"),
        *(pl.col(name).first() for name in LINEAGE),
    )
    return means.with_columns(
        kind.alias("censored"),
        pl.col("value").alias("delivered"),
        pl.col("decay_state").replace("", None),
    )
