"""Tumor burden over time: the sum of target diameters and the total of volumes.

A sum stands for one reader, method and tracer. Diameters are summed over the target lesions
measured at baseline and only where all of them were measured again: a sum of fewer lesions would
look like a response. Volumes are summed over all lesions of the scan, new ones included, and only
where the tracer shows the tumor: a volume of cells that home to a lesion is no burden. A lesion
below its limit adds an interval, never a zero. A sum that the source delivers is taken as it is.
"""

import polars as pl

from analysis.derive.columns import LINEAGE, ensure
from analysis.tracers import TRACERS

DIAMETERS = ("SAXIS", "LDIAM")
"""Of a lesion with both the short axis counts: it is measured for lymph nodes only."""
VOLUMES = ("mtv_ml", "mtv41_ml", "mtv25_ml", "mtv40_ml", "tlg")
DELIVERED_SUMS = ("SUMDIAM", "SUMPPD", "TMTV")
_SERIES = ("usubjid", "metric", "method", "reader", "tracer_id")
_TIME = ("rel_day", "nominal_day", "visit")
_MEASURE = ("value", "lower", "upper", "censored", "unit")
_COLUMNS = (*_SERIES, "region_code", "region_kind", "lesion_role", *_TIME, *_MEASURE,
            "lloq", "evaluable", *LINEAGE)  # fmt: skip


def burden_series(
    lesions: pl.DataFrame | None, quantifications: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row per patient, metric, method, reader, tracer and time.

    Columns: usubjid, metric (SUMDIAM, SUMPPD, TMTV, mtv..._ml, tlg), method, reader, tracer_id,
    rel_day, nominal_day, visit, value, lower, upper, censored, unit, n_lesions, baseline (last
    value on or before the infusion day), change_percent (from baseline), derived_by ("source" or
    "cartograph"), lineage of the first summed row.
    """
    measured = ensure(lesions, *_COLUMNS)
    measured = measured.filter(~pl.col("metric").is_in((*VOLUMES, "TMTV")) | _shows_tumor())
    quantified = (
        ensure(quantifications, *_COLUMNS)
        .filter(_shows_tumor())
        .filter((pl.col("region_kind") == "lesion") & pl.col("evaluable").fill_null(True))
    )
    sums = pl.concat(
        [
            _delivered(measured),
            _diameter_sums(measured),
            _totals(pl.concat([measured.select(_COLUMNS), quantified.select(_COLUMNS)])),
        ],
        how="diagonal_relaxed",
    )
    return _against_baseline(sums)


def _shows_tumor() -> pl.Expr:
    """Rows of a tumor tracer, or of none, as a volume read on CT."""
    tumor = [name for name, tracer in TRACERS.items() if tracer.tracer_class == "tumor_tracer"]
    return pl.col("tracer_id").is_null() | pl.col("tracer_id").is_in(tumor)


def _has_value() -> pl.Expr:
    return pl.any_horizontal(pl.col("value").is_not_null(), pl.col("upper").is_not_null())


def _delivered(measured: pl.DataFrame) -> pl.DataFrame:
    return measured.filter(pl.col("metric").is_in(DELIVERED_SUMS) & _has_value()).select(
        *_SERIES, *_TIME, *_MEASURE, *LINEAGE,
        pl.lit(None, dtype=pl.Int64).alias("n_lesions"),
        pl.lit("source").alias("derived_by"),
    )  # fmt: skip


def _diameter_sums(measured: pl.DataFrame) -> pl.DataFrame:
    """Sums of target diameters for patients and readers whose source delivers none."""
    summed = measured.filter(pl.col("metric") == "SUMDIAM").select("usubjid", "reader").unique()
    rows = (
        measured.filter(
            pl.col("metric").is_in(DIAMETERS)
            & pl.col("region_code").is_not_null()
            & pl.col("lesion_role").fill_null("target").eq("target")
            & _has_value()
        )
        .join(summed, on=["usubjid", "reader"], how="anti", nulls_equal=True)
        .sort(pl.col("metric") != DIAMETERS[0], maintain_order=True)
        .unique(
            ["usubjid", "region_code", "reader", "method", *_TIME],
            keep="first",
            maintain_order=True,
        )
        .with_columns(pl.lit("SUMDIAM").alias("metric"))
    )  # fmt: skip
    day = pl.coalesce("rel_day", "nominal_day")
    series = [name for name in _SERIES if name != "tracer_id"]
    first_day = pl.coalesce(day.filter(day <= 0).max(), day.min()).over(series)
    baseline = (
        rows.filter(day == first_day)
        .group_by(series)
        .agg(pl.col("region_code").unique().alias("_targets"))
    )
    targets = rows.join(baseline, on=series, nulls_equal=True).filter(
        pl.col("region_code").is_in(pl.col("_targets"))
    )
    sums = _sum(targets, extra=[pl.col("_targets").first().list.len().alias("_expected")])
    return sums.filter(pl.col("n_lesions") == pl.col("_expected")).drop("_expected")


def _totals(rows: pl.DataFrame) -> pl.DataFrame:
    return _sum(rows.filter(pl.col("metric").is_in(VOLUMES) & _has_value()))


def _sum(rows: pl.DataFrame, extra: list[pl.Expr] | None = None) -> pl.DataFrame:
    low = pl.coalesce("value", "lower", pl.lit(0.0))
    high = pl.coalesce("value", "upper")
    exact = pl.col("value").is_not_null().all()
    bounded = high.is_not_null().all()
    one_unit = pl.col("unit").drop_nulls().n_unique() <= 1
    sums = rows.group_by([*_SERIES, *_TIME], maintain_order=True).agg(
        pl.when(exact).then(pl.col("value").sum()).alias("value"),
        pl.when(~exact).then(low.sum()).alias("lower"),
        pl.when(~exact & bounded).then(high.sum()).alias("upper"),
        pl.col("unit").drop_nulls().first(),
        one_unit.alias("_one_unit"),
        pl.col("region_code").n_unique().cast(pl.Int64).alias("n_lesions"),
        *(pl.col(name).first() for name in LINEAGE),
        *(extra or []),
    )
    kind = (
        pl.when(pl.col("value").is_not_null()).then(pl.lit("none"))
        .when(pl.col("upper").is_null()).then(pl.lit("right"))
        .when(pl.col("lower") <= 0).then(pl.lit("left"))
        .otherwise(pl.lit("interval"))
    )  # fmt: skip
    return (
        sums.filter("_one_unit")
        .drop("_one_unit")
        .with_columns(kind.alias("censored"), pl.lit("cartograph").alias("derived_by"))
    )


def _against_baseline(sums: pl.DataFrame) -> pl.DataFrame:
    day = pl.coalesce("rel_day", "nominal_day")
    before = day.is_not_null() & (day <= 0) & pl.col("value").is_not_null()
    baseline = (
        sums.filter(before)
        .sort(day)
        .group_by(list(_SERIES))
        .agg(pl.col("value").last().alias("baseline"))
    )
    change = 100.0 * (pl.col("value") - pl.col("baseline")) / pl.col("baseline")
    return (
        sums.join(baseline, on=list(_SERIES), how="left", nulls_equal=True)
        .with_columns(
            pl.when((pl.col("baseline") > 0) & (day > 0)).then(change).alias("change_percent")
        )
        .sort("usubjid", "metric", "method", "reader", "tracer_id", day)
        .select(
            *_SERIES, *_TIME, *_MEASURE, "n_lesions", "baseline", "change_percent", "derived_by",
            *LINEAGE,
        )
    )  # fmt: skip
