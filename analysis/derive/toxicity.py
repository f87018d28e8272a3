"""Graded toxicity per patient: maximum grade with onset and end, and the grade of each day.

Grades of different scales are never merged: Penn grade 3 is not ASTCT grade 3. Grade 0 is no event:
it says that one was looked for and not seen. A record without a grade is an event.
"""

from typing import NamedTuple

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


class OneScale(NamedTuple):
    """The events of which no two grade the same days on two scales, and the grades set aside."""

    kept: pl.DataFrame
    set_aside: pl.DataFrame


def on_one_scale(adverse_events: pl.DataFrame | None) -> OneScale:
    """Of grades of one patient and category on several scales, where they share a day, those on
    the scale that most patients of the trial are graded on.

    Another episode, a record without a grade, day or scale, and each event of category OTHER, which
    are different events, stand as they are.
    """
    events = seen(adverse_events).with_row_index("row")
    graded = events.filter(
        pl.col("scale").is_not_null() & pl.col("grade").is_not_null(), pl.col("category") != "OTHER"
    ).select("row", "usubjid", "category", "scale", **_whole_days())
    scales = (
        graded.group_by("category", "scale")
        .agg(pl.col("usubjid").n_unique().alias("users"))
        .sort("users", "scale", descending=[True, False])
    )
    kept = graded.clear()
    for category, scale in scales.select("category", "scale").iter_rows():
        own = graded.filter(pl.col("category") == category, pl.col("scale") == scale)
        kept = pl.concat([kept, own.filter(~pl.col("row").is_in(_sharing_a_day(own, kept)))])
    aside = pl.col("row").is_in(graded.join(kept, on="row", how="anti")["row"].implode())
    return OneScale(events.filter(~aside).drop("row"), events.filter(aside).drop("row"))


def _sharing_a_day(own: pl.DataFrame, other: pl.DataFrame) -> pl.Series:
    """Row numbers of `own` that share a day with a row of `other` of the patient and category."""
    pairs = own.join(other, on=["usubjid", "category"], suffix="_other").filter(
        pl.col("first") <= pl.col("last_other"), pl.col("first_other") <= pl.col("last")
    )
    return pairs["row"].implode()


def _whole_days() -> dict[str, pl.Expr]:
    """First and last whole day of an event; one without an end has its first day only."""
    end = pl.max_horizontal(pl.col("end_rel_day").fill_null(pl.col("rel_day")), "rel_day")
    return {
        "first": pl.col("rel_day").floor().cast(pl.Int64),
        "last": end.floor().cast(pl.Int64),
    }


def daily_grade(adverse_events: pl.DataFrame | None, category: str) -> pl.DataFrame:
    """The highest grade of each day on which the patient had an event of the category.

    Columns: usubjid, scale, day (whole days since infusion), grade, end_known. An event without
    an end fills its first day only, with `end_known` false: nothing is carried forward.
    """
    rows = ensure(adverse_events, *_COLUMNS).filter(
        (pl.col("category") == category) & (pl.col("grade") > 0) & pl.col("rel_day").is_not_null()
    )
    days = _whole_days()
    return (
        rows.with_columns(
            pl.int_ranges(days["first"], days["last"] + 1).alias("day"),
            pl.col("end_rel_day").is_not_null().alias("end_known"),
        )
        .explode("day")
        .group_by("usubjid", "scale", "day")
        .agg(pl.col("grade").max(), pl.col("end_known").all())
        .sort("usubjid", "scale", "day")
        .select("usubjid", "scale", "day", "grade", "end_known")
    )
