"""What the loader needs to know of the records that are there, and how it retires some.

All functions take a connection; the transaction is the caller's.
"""

import json

import polars as pl
from sqlalchemy import Connection, select, text

from models.frames import read_frame
from models.tables import RECORD_TABLES, TABLES

_SUPERSEDE_SQLITE = (
    "UPDATE {table} SET superseded_in = :load_id "
    "WHERE superseded_in IS NULL AND id IN (SELECT value FROM json_each(:ids))"
)
_SUPERSEDE_POSTGRES = (
    "UPDATE {table} SET superseded_in = :load_id FROM unnest(CAST(:ids AS bigint[])) AS gone(id) "
    "WHERE {table}.superseded_in IS NULL AND {table}.id = gone.id"
)


def current_keys(connection: Connection, table: str, study_id: int) -> pl.DataFrame:
    """One row per current record of the study: id, record_key, content_hash."""
    target = TABLES[table]
    query = select(target).where(target.c.study_id == study_id, target.c.superseded_in.is_(None))
    return read_frame(connection, [target.c.id, target.c.record_key, target.c.content_hash], query)


def superseded_contents(connection: Connection, table: str, study_id: int) -> pl.DataFrame:
    """record_key and content_hash of every version that is no longer current, each once."""
    target = TABLES[table]
    query = select(target).where(target.c.study_id == study_id, target.c.superseded_in.is_not(None))
    return read_frame(connection, [target.c.record_key, target.c.content_hash], query).unique()


def current_codes(connection: Connection, table: str, study_id: int, *codes: str) -> pl.DataFrame:
    """One row per current record: `id` and the columns named, e.g. usubjid or scan_code."""
    target = TABLES[table]
    query = select(target).where(target.c.study_id == study_id, target.c.superseded_in.is_(None))
    return read_frame(connection, [target.c.id, *(target.c[name] for name in codes)], query)


def supersede(connection: Connection, table: str, ids: pl.Series, load_id: int) -> int:
    """Retire current records from `load_id` on; returns how many.

    Raises ValueError, so that the transaction is rolled back, when some are not there or are
    superseded already.
    """
    if table not in RECORD_TABLES:
        raise ValueError(f"{table} holds no records that can be superseded")
    wanted = ids.drop_nulls().unique()
    if wanted.is_empty():
        return 0
    if connection.dialect.name == "sqlite":
        statement = text(_SUPERSEDE_SQLITE.format(table=TABLES[table].name))
        given: object = json.dumps(wanted.to_list())
    else:
        statement = text(_SUPERSEDE_POSTGRES.format(table=TABLES[table].name))
        given = wanted.to_list()
    done = connection.execute(statement, {"ids": given, "load_id": load_id}).rowcount
    if done != wanted.len():
        raise ValueError(
            f"{table}: {wanted.len() - done} of {wanted.len()} records are not current"
        )
    return int(done)
