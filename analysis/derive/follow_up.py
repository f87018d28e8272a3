"""How long each patient was followed: to the last contact, and to the last sample or scan.

Last contact is the last day of which anything is known: a sample, a scan, a response, the end of
survival. The last sample or scan is often far earlier; the two are never called by one name.
"""

from collections.abc import Mapping

import polars as pl

from analysis.derive.columns import ensure

_SCHEMA = {"usubjid": pl.String, "last_day": pl.Float64, "source": pl.String}
FROM_INFUSION = ("OS", "PFS")
"""Endpoints whose days count from infusion unless they say otherwise; DOR counts from response."""
OTHER_STARTS = "enrol|random|respon|apheres|diagnos|consent|screen"


def last_contact(
    survival: pl.DataFrame | None, timed: Mapping[str, pl.DataFrame | None]
) -> pl.DataFrame:
    """One row per patient with a known day after infusion.

    survival: the delivered endpoints; a patient was alive and known at the end of overall or
    progression-free survival counted from infusion; of a death no other end counts. timed: frames
    with usubjid and rel_day (scans, samples ...) by the word for their source; the latest day
    counts.
    Columns: usubjid, last_day (days from infusion), source ("death", "survival" or that word).
    """
    parts = [_survival_end(survival)]
    for source, frame in timed.items():
        rows = ensure(frame, "usubjid", "rel_day", "nominal_day")
        day = pl.coalesce("rel_day", "nominal_day")
        parts.append(
            rows.group_by("usubjid")
            .agg(day.max().alias("last_day"))
            .with_columns(pl.lit(source).alias("source"))
            .select(*_SCHEMA)
        )
    known = pl.concat(parts).filter(pl.col("last_day") >= 0)
    return (
        known.sort("usubjid", "last_day", descending=[False, True], maintain_order=True)
        .unique("usubjid", keep="first", maintain_order=True)
        .cast(_SCHEMA)  # type: ignore[arg-type]
    )


def _survival_end(survival: pl.DataFrame | None) -> pl.DataFrame:
    if survival is None or survival.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    rows = ensure(survival, "usubjid", "endpoint", "time_day", "cnsr", "start_from")
    elsewhere = pl.col("start_from").str.to_lowercase().str.contains(OTHER_STARTS)
    ends = rows.filter(pl.col("endpoint").is_in(FROM_INFUSION) & ~elsewhere.fill_null(False))
    died = (pl.col("endpoint") == "OS") & (pl.col("cnsr") == 0)
    ends = ends.with_columns(pl.col("time_day").cast(pl.Float64), died=died.fill_null(False))
    return ends.filter(pl.col("died") | ~pl.col("died").any().over("usubjid")).select(
        "usubjid",
        pl.col("time_day").alias("last_day"),
        pl.when("died").then(pl.lit("death")).otherwise(pl.lit("survival")).alias("source"),
    )
