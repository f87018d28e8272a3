"""Lanes of treatment on a patient's axis: what was given, from when to when."""

from collections.abc import Mapping

import polars as pl

from analysis.derive.columns import LINEAGE, ensure

LANES: Mapping[str, str] = {
    "bridging": "Bridging",
    "lymphodepletion": "Lymphodepletion",
    "infusion": "Infusion",
    "tocilizumab": "Tocilizumab",
    "corticosteroid": "Corticosteroid",
    "anakinra": "Anakinra",
    "transplant": "Transplant",
    "anticancer": "Anticancer",
    "other": "Other",
}
"""Class of an intervention -> lane label, in the order of the lanes."""


def intervention_lanes(
    interventions: pl.DataFrame | None, infusions: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row per treatment with a known start: usubjid, lane (a key of `LANES`), lane_label,
    lane_order, label (what was given, with its dose), start_day, end_day (the start when no end
    was given), end_known, ongoing, lineage. Ordered by patient, lane and start.
    """
    given = ensure(
        interventions, "usubjid", "term", "intervention_class", "dose", "dose_unit", "rel_day",
        "nominal_day", "end_rel_day", "ongoing", *LINEAGE,
    ).with_columns(
        pl.when(pl.col("intervention_class").is_in(list(LANES)))
        .then("intervention_class").otherwise(pl.lit("other")).alias("lane"),
        _labelled("term"),
    )  # fmt: skip
    cells = _infusion_lane(infusions)
    rows = pl.concat([given, cells], how="diagonal_relaxed").with_columns(
        pl.coalesce("rel_day", "nominal_day").alias("start_day")
    )
    order = {lane: place for place, lane in enumerate(LANES)}
    return (
        rows.filter(pl.col("start_day").is_not_null())
        .with_columns(
            pl.col("lane").replace_strict(dict(LANES), return_dtype=pl.String).alias("lane_label"),
            pl.col("lane").replace_strict(order, return_dtype=pl.Int64).alias("lane_order"),
            pl.max_horizontal("end_rel_day", "start_day").alias("end_day"),
            pl.col("end_rel_day").is_not_null().alias("end_known"),
            pl.col("ongoing").fill_null(False),
        )
        .sort("usubjid", "lane_order", "start_day")
        .select(
            "usubjid", "lane", "lane_label", "lane_order", "label", "start_day", "end_day",
            "end_known", "ongoing", *LINEAGE,
        )
    )  # fmt: skip


def _labelled(name: str) -> pl.Expr:
    dose = pl.concat_str(_number("dose"), pl.col("dose_unit"), separator=" ", ignore_nulls=True)
    return (
        pl.when(pl.col("dose").is_not_null())
        .then(pl.concat_str(pl.col(name).fill_null(""), pl.lit(", "), dose))
        .otherwise(pl.col(name))
        .alias("label")
    )


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_suffix(".0")


def _infusion_lane(infusions: pl.DataFrame | None) -> pl.DataFrame:
    """Infusions, each known to end on its day."""
    rows = ensure(
        infusions, "usubjid", "infusion_no", "product", "rel_day", "nominal_day", *LINEAGE
    )
    number = pl.col("infusion_no").cast(pl.String)
    return rows.select(
        "usubjid",
        pl.coalesce("rel_day", "nominal_day").alias("rel_day"),
        pl.coalesce("rel_day", "nominal_day").alias("end_rel_day"),
        pl.lit("infusion").alias("lane"),
        pl.coalesce("product", pl.lit("Infusion ") + number, pl.lit("Infusion")).alias("label"),
        *LINEAGE,
    )
