"""Backup of a whole database to one file, and back. The databases' own programs are not needed.

SQLite: a compact copy (VACUUM INTO) that is itself a database. Postgres: one zip with a manifest
and one CSV per table, read in one repeatable-read transaction and restored in one transaction.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg
from sqlalchemy import URL, Connection, Engine, Table, func, inspect, select, text

from models import failures
from models.bulk import loader_lock, quote
from models.clock import utc_now
from models.connect import create_engine_for, parse_url, reading, sqlite_module, sqlite_path
from models.errors import BackupError
from models.failures import shown
from models.revision import (
    check_revision,
    current_revision,
    head_revision,
    known_revisions,
    upgrade,
    upgrade_within,
)
from models.tables import METADATA, TABLES

MANIFEST = "cartograph.json"
FORMAT = 1
SEEDED = frozenset(("tracer", "alembic_version"))
"""Tables that a fresh schema already has rows in."""


def backup(url: str | URL, file: Path | str) -> None:
    """Copy the database, as it is at one instant, into a new file; others may go on writing.

    The file appears whole or not at all. Raises BackupError, DatabaseError.
    """
    parsed, target = parse_url(url), Path(file)
    if target.exists():
        raise BackupError(f"{target} is there already; name a new file for the backup")
    if not target.absolute().parent.is_dir():
        raise BackupError(f"there is no directory {target.absolute().parent}; make it first")
    engine = create_engine_for(parsed)
    try:
        check_revision(engine)
        with _written_whole(target) as part:
            if engine.dialect.name == "sqlite":
                part.unlink()
                _vacuum_into(engine, part)
            else:
                _dump(engine, part)
    finally:
        engine.dispose()


def restore(url: str | URL, file: Path | str) -> None:
    """Fill an empty or fresh database from a backup, and bring it to this program's revision.

    A database that holds a study is refused: nothing is ever overwritten.
    Raises BackupError, DatabaseError.
    """
    parsed, source = parse_url(url), Path(file)
    if not source.is_file():
        raise BackupError(f"there is no backup {source}; name a file of `cartograph db backup`")
    if sqlite_path(parsed) is None:
        _restore_postgres(parsed, source)
    else:
        _restore_sqlite(parsed, source)


@contextmanager
def _written_whole(target: Path) -> Iterator[Path]:
    """A file beside the target that takes its name only when the block ends well."""
    with tempfile.NamedTemporaryFile(dir=target.absolute().parent, delete=False) as opened:
        part = Path(opened.name)
    try:
        yield part
        part.replace(target)
    except OSError as error:
        raise BackupError(f"backup {target} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _vacuum_into(engine: Engine, part: Path) -> None:
    """On the driver itself: VACUUM does not run inside a transaction."""
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        with failures.translated(engine, "VACUUM INTO"):
            driver.execute("VACUUM INTO ?", (str(part),))


def _restore_sqlite(url: URL, source: Path) -> None:
    module: Any = sqlite_module()
    origin = module.connect(source.absolute().as_uri() + "?mode=ro", uri=True)
    engine = create_engine_for(url, create=True)
    try:
        _require_sqlite_backup(origin, source)
        with loader_lock(engine):
            with engine.begin() as connection:
                _require_fresh(connection)
            with engine.connect() as connection, failures.translated(engine, "restore"):
                origin.backup(connection.connection.driver_connection)
    finally:
        origin.close()
        engine.dispose()
    upgrade(url)


def _require_sqlite_backup(origin: Any, source: Path) -> None:
    try:
        rows = origin.execute("SELECT version_num FROM alembic_version").fetchall()
        sound = origin.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite_module().DatabaseError:
        raise BackupError(
            f"{source} is no backup of an SQLite database; name a file that "
            "`cartograph db backup` wrote from one (a Postgres backup needs a postgresql:// target)"
        ) from None
    if sound != "ok":
        raise BackupError(f"backup {source} is damaged ({sound}); use another one")
    _require_known(source, rows[0][0] if rows else None)


def _require_known(source: Path, revision: str | None) -> None:
    if revision not in known_revisions():
        raise BackupError(
            f"backup {source} is at revision {revision}, which this program does not know: "
            "a newer Cartograph made it; install that version"
        )


def _require_fresh(connection: Connection) -> None:
    """No rows but the seeded ones, and no tables but ours."""
    address = shown(connection.engine.url)
    present = set(inspect(connection).get_table_names())
    if present - TABLES.keys() - {"alembic_version"}:
        raise BackupError(
            f"database {address} holds tables of another program; name an empty database"
        )
    for name in sorted(present & TABLES.keys() - SEEDED):
        if connection.scalar(select(func.count()).select_from(TABLES[name])):
            raise BackupError(
                f"database {address} is not empty (table {name} has rows) and a restore "
                "overwrites nothing; name an empty database"
            )


def _dump(engine: Engine, part: Path) -> None:
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


def _restore_postgres(url: URL, source: Path) -> None:
    with _opened(source) as archive:
        manifest = _manifest(archive, source)
        engine = create_engine_for(url)
        try:
            with loader_lock(engine), engine.begin() as connection:
                _require_fresh(connection)
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
    try:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    except (KeyError, ValueError):
        raise BackupError(
            f"{source} is no backup of Cartograph: it lacks {MANIFEST}; name another file"
        ) from None
    if manifest["format"] != FORMAT:
        raise BackupError(f"backup {source} has an unknown format; a newer Cartograph made it")
    _require_known(source, manifest["revision"])
    return manifest


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
        if cursor.rowcount != rows:
            raise BackupError(
                f"backup {source} is damaged: table {name} has {cursor.rowcount} rows, "
                f"expected {rows}; nothing was restored"
            )


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
