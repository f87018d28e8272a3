"""Graded toxicity per patient: maximum grade with onset and end, and the grade of each day.

Grades of different scales are never merged: Penn grade 3 is not ASTCT grade 3. Grade 0 is no event:
it says that one was looked for and not seen. A record without a grade is an event.
"""

import polars as pl

from analysis.derive.columns import ensure

IS_EVENT = (pl.col("grade") != 0).fill_null(True)
"""Whether a record of an adverse event is one."""
_COLUMNS = ("usubjid", "category", "scale", "grade", "rel_day", "end_rel_day", "ongoing")


def seen(adverse_events: pl.DataFrame | None) -> pl.DataFrame:
    """The events: grade 0 stands only for a patient with nothing else of the category."""
    events = ensure(adverse_events, *_COLUMNS)
    return events.filter(IS_EVENT | ~IS_EVENT.any().over("usubjid", "category"))


def maximum_grade(adverse_events: pl.DataFrame | None) -> pl.DataFrame:
    """One row per patient, category and scale.

    Columns: usubjid, category (CRS, ICANS, HLH, OTHER), scale, max_grade (null when no grade was
    given; 0 when nothing but that was recorded), onset_day (of the first record), end_day (of the
    last; null when unknown or ongoing), n_events. A patient without a record has no row.
    """
    end_known = (
        pl.col("end_rel_day").is_not_null().all() & ~pl.col("ongoing").fill_null(False).any()
    )
    return (
        seen(adverse_events)
        .group_by("usubjid", "category", "scale")
        .agg(
            pl.col("grade").max().alias("max_grade"),
            pl.col("rel_day").min().alias("onset_day"),
            pl.when(end_known).then(pl.col("end_rel_day").max()).alias("end_day"),
            pl.len().cast(pl.Int64).alias("n_events"),
        )
        .sort("usubjid", "category", "scale")
    )


def on_one_scale(adverse_events: pl.DataFrame | None) -> pl.DataFrame:
    """The events where a patient has one grade per category: of several scales the one that most
    patients of the trial have. Who was graded on another one only keeps that."""
    events = seen(adverse_events)
    own = events.filter(pl.col("scale").is_not_null()).select("usubjid", "category", "scale")
    users = own.unique().group_by("category", "scale").len("users")
    kept = (
        own.unique()
        .join(users, on=["category", "scale"])
        .sort("users", "scale", descending=[True, False])
        .unique(["usubjid", "category"], keep="first", maintain_order=True)
        .select("usubjid", "category", kept="scale")
    )
    joined = events.join(kept, on=["usubjid", "category"], how="left", maintain_order="left")
    one = pl.col("scale").is_null() | (pl.col("scale") == pl.col("kept"))
    return joined.filter(one).drop("kept")


def daily_grade(adverse_events: pl.DataFrame | None, category: str) -> pl.DataFrame:
    """The highest grade of each day on which the patient had an event of the category.

    Columns: usubjid, scale, day (whole days since infusion), grade, end_known. An event without
    an end fills its first day only, with `end_known` false: nothing is carried forward.
    """
    rows = ensure(adverse_events, *_COLUMNS).filter(
        (pl.col("category") == category) & (pl.col("grade") > 0) & pl.col("rel_day").is_not_null()
    )
    first = pl.col("rel_day").floor().cast(pl.Int64)
    last = pl.max_horizontal(pl.col("end_rel_day").fill_null(pl.col("rel_day")), "rel_day")
    return (
        rows.with_columns(
            pl.int_ranges(first, last.floor().cast(pl.Int64) + 1).alias("day"),
            pl.col("end_rel_day").is_not_null().alias("end_known"),
        )
        .explode("day")
        .group_by("usubjid", "scale", "day")
        .agg(pl.col("grade").max(), pl.col("end_known").all())
        .sort("usubjid", "scale", "day")
        .select("usubjid", "scale", "day", "grade", "end_known")
    )
