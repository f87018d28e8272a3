"""Which planned examinations were done: patient by protocol visit.

No export says what was planned. A visit is taken as planned when enough patients have it, and a
patient owes it when their follow-up reached its day.
"""

from typing import Literal

import polars as pl

MIN_SHARE = 0.2
"""Least share of the patients with an examination on a nominal day that makes it a visit."""

MIN_PATIENTS = 2

State = Literal["evaluable", "not_evaluable", "missing", "not_due"]


def planned_visits(examinations: pl.DataFrame, n_subjects: int) -> pl.DataFrame:
    """One row per series and nominal day that at least a fifth of the patients (two or more) have.

    examinations: usubjid, series (a tracer, an assay), nominal_day.
    Columns: series, nominal_day, n_subjects; by series in the order of its first visit.
    """
    least = max(MIN_PATIENTS, MIN_SHARE * n_subjects)
    return (
        examinations.drop_nulls(["series", "nominal_day"])
        .group_by("series", "nominal_day")
        .agg(pl.col("usubjid").n_unique().cast(pl.Int64).alias("n_subjects"))
        .filter(pl.col("n_subjects") >= least)
        .sort("series", "nominal_day")
    )


def visit_states(
    examinations: pl.DataFrame,
    visits: pl.DataFrame,
    usubjids: pl.Series,
    last_contact: pl.DataFrame,
    *,
    window_day: float = 3.0,
) -> pl.DataFrame:
    """One row per patient of `usubjids` and visit of `visits` (see `planned_visits`).

    examinations: usubjid, series, nominal_day, rel_day, evaluable, reason (why not evaluable).
    last_contact: usubjid, last_day; a visit later than that plus `window_day` is not due. A
    patient without a known last day owes every visit.
    Columns: usubjid, series, nominal_day, state, rel_day, reason.
    """
    mine = examinations.filter(pl.col("usubjid").is_in(usubjids.implode()))
    done = (
        mine.with_columns(pl.col("evaluable").fill_null(True))
        .sort("evaluable", "rel_day", descending=[True, False], nulls_last=True)
        .unique(["usubjid", "series", "nominal_day"], keep="first", maintain_order=True)
        .select("usubjid", "series", "nominal_day", "evaluable", "rel_day", "reason")
    )
    had = mine.select("usubjid", "series", had=pl.lit(True)).unique()
    late = pl.col("nominal_day") > pl.col("last_day") + window_day
    state = (
        pl.when(pl.col("evaluable"))
        .then(pl.lit("evaluable"))
        .when(pl.col("evaluable").not_())
        .then(pl.lit("not_evaluable"))
        .when(pl.col("had").is_null() | late.fill_null(False))
        .then(pl.lit("not_due"))
        .otherwise(pl.lit("missing"))
    )
    return (
        pl.DataFrame({"usubjid": usubjids})
        .join(visits.select("series", "nominal_day"), how="cross")
        .join(done, on=["usubjid", "series", "nominal_day"], how="left")
        .join(had, on=["usubjid", "series"], how="left")
        .join(last_contact.select("usubjid", "last_day"), on="usubjid", how="left")
        .select("usubjid", "series", "nominal_day", state.alias("state"), "rel_day", "reason")
    )
