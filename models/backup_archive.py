"""The backup of a Postgres database: one zip with a manifest and one CSV per table, read in one
repeatable-read transaction and restored in one transaction."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg
from sqlalchemy import URL, Connection, Engine, Table, func, select, text
from sqlalchemy.exc import DBAPIError

from models import failures
from models.bulk import loader_lock, quote
from models.clock import utc_now
from models.connect import create_engine_for, reading
from models.errors import BackupError
from models.restore_checks import require_fresh, require_known
from models.revision import current_revision, head_revision, upgrade_within
from models.tables import METADATA, TABLES

MANIFEST = "cartograph.json"
FORMAT = 1


def write_archive(engine: Engine, part: Path) -> None:
    """Every table, as one transaction sees it."""
    with (
        reading(engine) as connection,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        rows = {}
        for table in METADATA.sorted_tables:
            rows[table.name] = connection.scalar(select(func.count()).select_from(table))
            with archive.open(f"{table.name}.csv", "w", force_zip64=True) as member:
                _copy_out(connection, table, member)
        manifest = {
            "format": FORMAT,
            "made_at": utc_now().isoformat(),
            "revision": current_revision(connection),
            "rows": rows,
        }
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))


def _copy_out(connection: Connection, table: Table, member: IO[bytes]) -> None:
    columns = ", ".join(quote(column.name) for column in table.columns)
    query = f"SELECT {columns} FROM {quote(table.name)} ORDER BY id"  # noqa: S608
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    with (
        failures.translated(connection.engine, "COPY TO STDOUT"),
        driver.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)") as copy,
    ):
        for block in copy:
            member.write(block)


def restore_archive(url: URL, source: Path) -> None:
    """All of the archive in one transaction, or nothing. Raises BackupError, DatabaseError."""
    with _opened(source) as archive:
        manifest = _manifest(archive, source)
        engine = create_engine_for(url)
        try:
            with loader_lock(engine), engine.begin() as connection:
                require_fresh(connection)
                _rebuild_at(connection, str(manifest["revision"]))
                for name, rows in manifest["rows"].items():
                    _copy_in(connection, archive, name, int(rows), source)
                _restart_sequences(connection, manifest["rows"])
                upgrade_within(connection)
        finally:
            engine.dispose()


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except (zipfile.BadZipFile, OSError) as error:
        raise BackupError(
            f"{source} is no backup of a Postgres database, or it is damaged; name a file that "
            "`cartograph db backup` wrote from one (an SQLite backup needs an sqlite:/// target)"
        ) from error


def _manifest(archive: zipfile.ZipFile, source: Path) -> dict[str, Any]:
    """What the backup says it holds: its revision, and how many rows of which tables."""
    try:
        manifest = json.loads(archive.read(MANIFEST))
    except (KeyError, ValueError, RuntimeError):  # absent, no JSON, or nested or locked
        manifest = None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise BackupError(
            f"{source} is no backup of Cartograph: it lacks {MANIFEST}; name another file"
        )
    if manifest["format"] != FORMAT:
        raise BackupError(f"backup {source} has an unknown format; a newer Cartograph made it")
    if not _is_sound(manifest, {f"{name}.csv" for name in TABLES} & set(archive.namelist())):
        raise BackupError(
            f"backup {source} is damaged: its {MANIFEST} does not name a revision and the rows of "
            "the tables in it; name another file"
        )
    require_known(source, manifest["revision"])
    return manifest


def _is_sound(manifest: dict[str, Any], members: set[str]) -> bool:
    """Whether it names a revision, and numbers of rows of tables that are there."""
    rows = manifest.get("rows")
    return (
        isinstance(manifest.get("revision"), str)
        and isinstance(rows, dict)
        and {f"{name}.csv" for name in rows} <= members
        and all(type(n) is int for n in rows.values())
    )


def _rebuild_at(connection: Connection, revision: str) -> None:
    """The schema as it was when the backup was made, in the place of a fresh one."""
    if current_revision(connection) != revision or revision != head_revision():
        METADATA.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        upgrade_within(connection, revision)
    connection.exec_driver_sql("DELETE FROM tracer")


def _copy_in(
    connection: Connection, archive: zipfile.ZipFile, name: str, rows: int, source: Path
) -> None:
    """Fill a table from its member of the backup. Raises BackupError for rows that do not fit."""
    damaged = f"backup {source} is damaged: table {name}"
    try:
        found = _copied(connection, archive, name)
    except (DBAPIError, UnicodeDecodeError, zlib.error) as error:
        raise BackupError(f"{damaged} cannot be read; nothing was restored") from error
    if found != rows:
        raise BackupError(f"{damaged} has {found} rows, expected {rows}; nothing was restored")


def _copied(connection: Connection, archive: zipfile.ZipFile, name: str) -> int:
    """Copy a member of the backup into its table; returns the number of rows."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    with archive.open(f"{name}.csv") as member:
        header = io.TextIOWrapper(member, "utf-8").readline().strip()
    columns = ", ".join(quote(column) for column in header.split(","))
    command = f"COPY {quote(name)} ({columns}) FROM STDIN (FORMAT csv, HEADER)"
    with (
        archive.open(f"{name}.csv") as member,
        failures.translated(connection.engine, "COPY FROM STDIN"),
        driver.cursor() as cursor,
    ):
        with cursor.copy(command) as copy:
            while block := member.read(1 << 20):
                copy.write(block)
        return cursor.rowcount


def _restart_sequences(connection: Connection, tables: Iterable[str]) -> None:
    """New rows get ids after those restored."""
    for name in tables:
        find = text(
            "SELECT pg_get_serial_sequence(:name, column_name) FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = :name"
            " AND column_name = 'id' AND is_identity = 'YES'"
        )
        sequence = connection.scalar(find, {"name": name})
        if sequence is not None:
            highest = connection.exec_driver_sql(f"SELECT max(id) FROM {quote(name)}").scalar()  # noqa: S608
            restart = text("SELECT setval(CAST(:sequence AS regclass), :value, false)")
            connection.execute(restart, {"sequence": sequence, "value": (highest or 0) + 1})
