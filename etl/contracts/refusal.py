"""The mark on a record that breaks a rule: `_rule` and the column `_bad`."""

import polars as pl


def refuse(frame: pl.DataFrame, broken: pl.Expr, rule: pl.Expr | str, column: str) -> pl.DataFrame:
    """Marks rows with a rule they break; the first rule of a row stays."""
    hit = frame.select((broken.fill_null(False) & pl.col("_rule").is_null()).alias("hit"))["hit"]
    if not hit.any():
        return frame
    named = pl.lit(rule) if isinstance(rule, str) else rule
    return frame.with_columns(
        pl.when(hit).then(named).otherwise(pl.col("_rule")).alias("_rule"),
        pl.when(hit).then(pl.lit(column)).otherwise(pl.col("_bad")).alias("_bad"),
    )
