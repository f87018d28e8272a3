"""The rule "half the limit": the number that stands for a value known only by its bounds."""

import polars as pl


def at_half_limit(upper: pl.Expr | None = None) -> pl.Expr:
    """The value, or what the rule puts in its place; over value, lower, upper and censored.

    Below a limit: half of it. Above a limit: the limit. Between two limits: their geometric mean,
    or half the upper one when the lower one is zero. Null where the bound is not known.
    upper: another source for the upper bound; default the column of that name.
    """
    bound = (pl.col("upper") if upper is None else upper).cast(pl.Float64)
    between = (pl.col("lower").cast(pl.Float64) * bound).sqrt()
    return (
        pl.when(pl.col("censored") == "none")
        .then(pl.col("value"))
        .when(pl.col("censored") == "right")
        .then(pl.col("lower"))
        .when((pl.col("censored") == "interval") & (pl.col("lower") > 0))
        .then(between)
        .otherwise(bound / 2)
    )
