"""What a load asks of the study it comes into: earlier files, versions of subjects, current rows.

All functions take a connection and only read.
"""

from collections.abc import Iterable

import polars as pl
from sqlalchemy import Connection, select

from models.frames import read_frame
from models.tables import RECORD_TABLES, TABLES


def study_id_of(connection: Connection, studyid: str) -> int | None:
    """The id of a study, None when it is not there yet."""
    study = TABLES["study"]
    return connection.scalar(select(study.c.id).where(study.c.studyid == studyid))


def cut_names(connection: Connection, study_id: int) -> list[str]:
    """Names of the study's data cuts, oldest first."""
    cut = TABLES["data_cut"]
    query = select(cut.c.name).where(cut.c.study_id == study_id).order_by(cut.c.load_id, cut.c.id)
    return list(connection.scalars(query))


def files_loaded(
    connection: Connection, study_id: int, profile_hash: str, contract_version: str
) -> pl.DataFrame:
    """The files that finished loads brought by this profile and contract version, oldest first."""
    load, file = TABLES["load"], TABLES["source_file"]
    query = (
        select(file)
        .join(load, load.c.id == file.c.load_id)
        .where(
            file.c.study_id == study_id,
            load.c.status == "done",
            load.c.profile_hash == profile_hash,
            load.c.contract_version == contract_version,
        )
        .order_by(file.c.id)
    )
    return read_frame(connection, list(file.c), query)


def files_seen(connection: Connection, study_id: int) -> pl.DataFrame:
    """The files that finished loads brought by any profile, oldest first."""
    load, file = TABLES["load"], TABLES["source_file"]
    query = (
        select(file)
        .join(load, load.c.id == file.c.load_id)
        .where(file.c.study_id == study_id, load.c.status == "done")
        .order_by(file.c.id)
    )
    return read_frame(connection, list(file.c), query)


def refused_of(connection: Connection, file_ids: Iterable[int]) -> pl.DataFrame:
    """The refused rows of these files."""
    table = TABLES["refused_row"]
    query = select(table).where(table.c.source_file_id.in_(list(file_ids))).order_by(table.c.id)
    return read_frame(connection, list(table.c), query)


def overtaken(connection: Connection, study_id: int, files: pl.DataFrame) -> pl.DataFrame:
    """One row per content and later load that superseded records of it: content, load_id, cut,
    count.

    `files` has a row per loaded file, one at least: id, load_id, and the content whose records it
    brought (files with one content count together). A record counts when no version of it that the
    content brought is current; it counts for the load that ended the newest of them.
    """
    oldest = files["load_id"].min()
    contents = files.select(pl.col("id").alias("source_file_id"), "content")
    ended = [
        read_frame(
            connection,
            [table.c.source_file_id, table.c.record_key, table.c.superseded_in],
            select(table).where(
                table.c.study_id == study_id,
                table.c.loaded_in >= oldest,  # by the index; a later load may have dated it anew
                table.c.source_file_id.in_(files["id"].to_list()),
            ),
        )
        .join(contents, on="source_file_id")
        .group_by("content", "record_key")
        .agg(pl.col("superseded_in").max(), pl.col("superseded_in").null_count().alias("current"))
        .filter(pl.col("current") == 0)
        .select("content", pl.col("superseded_in").alias("load_id"))
        for table in (TABLES[name] for name in RECORD_TABLES)
    ]
    cut = TABLES["data_cut"]
    cuts = read_frame(
        connection, [cut.c.load_id, cut.c.name], select(cut).where(cut.c.study_id == study_id)
    )
    named = cuts.group_by("load_id").agg(pl.col("name").first().alias("cut"))
    return (
        pl.concat(ended)
        .group_by("content", "load_id")
        .len("count")
        .join(named, on="load_id", how="left")
        .sort("content", "load_id")
        .select("content", "load_id", "cut", "count")
    )


def tracer_ids(connection: Connection) -> frozenset[str]:
    """Ids of the tracer registry as the database holds it."""
    return frozenset(connection.scalars(select(TABLES["tracer"].c.id)))


def current_records(
    connection: Connection, table: str, study_id: int, subject_ids: Iterable[int]
) -> pl.DataFrame:
    """All columns of the current records of these subjects (ids of any version of them)."""
    target = TABLES[table]
    query = select(target).where(
        target.c.study_id == study_id,
        target.c.superseded_in.is_(None),
        target.c.subject_id.in_(list(subject_ids)),
    )
    return read_frame(connection, list(target.c), query.order_by(target.c.id))


def subject_versions(connection: Connection, study_id: int) -> pl.DataFrame:
    """id and usubjid of every version of every subject of the study."""
    table = TABLES["subject"]
    query = select(table).where(table.c.study_id == study_id)
    return read_frame(connection, [table.c.id, table.c.usubjid], query)


def all_codes(connection: Connection, table: str, study_id: int, code: str) -> pl.DataFrame:
    """id and code of every version of every row of the study."""
    target = TABLES[table]
    query = select(target).where(target.c.study_id == study_id)
    return read_frame(connection, [target.c.id, target.c[code]], query)
