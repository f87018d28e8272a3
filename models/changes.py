"""What a load did to a study: how many records of each table are new, corrected or retired."""

import polars as pl
from sqlalchemy import ColumnElement, Connection, Engine, FromClause, Table, and_, func, or_, select

from models.connect import reading
from models.tables import TABLES
from models.trial import RECORD_FRAMES

_SCHEMA = {
    "frame": pl.String,
    "before": pl.Int64,
    "added": pl.Int64,
    "corrected": pl.Int64,
    "retired": pl.Int64,
    "after": pl.Int64,
}


def cut_changes(engine: Engine, studyid: str, before: int, after: int) -> pl.DataFrame:
    """One row per record frame of `Trial`, between the cuts with the load ids `before` < `after`.

    Columns: frame (as in Trial), before and after (records visible in each cut), added (keys that
    are new), corrected (keys whose content changed), retired (keys that are gone).
    """
    with reading(engine) as connection:
        study = TABLES["study"]
        study_id = connection.scalar(select(study.c.id).where(study.c.studyid == studyid))
        rows = [
            (name, *_counts(connection, TABLES[table], study_id, before, after))
            for name, table in RECORD_FRAMES.items()
        ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _counts(
    connection: Connection, table: Table, study_id: int | None, before: int, after: int
) -> tuple[int, int, int, int, int]:
    old, new = _visible(table, study_id, before), _visible(table, study_id, after)
    # A record that is visible in both cuts is the same row; only the rows of one side matter.
    gone = select(table.c.record_key).where(
        old, table.c.superseded_in.is_not(None), table.c.superseded_in <= after
    )
    fresh = select(table.c.record_key).where(new, table.c.loaded_in > before)
    left, right = gone.subquery(), fresh.subquery()
    n_before = _count(connection, select(table.c.id).where(old).subquery())
    n_gone, n_fresh = _count(connection, left), _count(connection, right)
    both = select(left.c.record_key).join(right, left.c.record_key == right.c.record_key)
    corrected = _count(connection, both.subquery())
    added, retired = n_fresh - corrected, n_gone - corrected
    return n_before, added, corrected, retired, n_before + added - retired


def _visible(table: Table, study_id: int | None, load_id: int) -> ColumnElement[bool]:
    return and_(
        table.c.study_id == study_id,
        table.c.loaded_in <= load_id,
        or_(table.c.superseded_in.is_(None), table.c.superseded_in > load_id),
    )


def _count(connection: Connection, rows: FromClause) -> int:
    return int(connection.scalar(select(func.count()).select_from(rows)) or 0)
