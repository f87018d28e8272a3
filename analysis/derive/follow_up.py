"""How long each patient was followed: from infusion to the last day of which anything is known."""

from collections.abc import Mapping

import polars as pl

from analysis.derive.columns import ensure

_SCHEMA = {"usubjid": pl.String, "last_day": pl.Float64, "source": pl.String}


def last_contact(
    survival: pl.DataFrame | None, timed: Mapping[str, pl.DataFrame | None]
) -> pl.DataFrame:
    """One row per patient with a known day after infusion.

    survival: the delivered endpoints; overall survival ends at death or at last contact. timed:
    frames with usubjid and rel_day (scans, samples ...) by the word for their source; they count
    where survival was not delivered or ends earlier.
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
    overall = survival.filter(pl.col("endpoint") == "OS")
    died = pl.when(pl.col("cnsr") == 0).then(pl.lit("death")).otherwise(pl.lit("survival"))
    return overall.select(
        "usubjid", pl.col("time_day").cast(pl.Float64).alias("last_day"), died.alias("source")
    )
