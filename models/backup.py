"""Backup of a whole database to one file, and back. The databases' own programs are not needed.

SQLite: a compact copy (VACUUM INTO) that is itself a database. Postgres: `models.backup_archive`.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine

from models import failures
from models.backup_archive import restore_archive, write_archive
from models.bulk import loader_lock
from models.connect import create_engine_for, parse_url, sqlite_module, sqlite_path
from models.errors import BackupError
from models.restore_checks import require_fresh, require_known
from models.revision import check_revision, upgrade


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
                write_archive(engine, part)
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
        restore_archive(parsed, source)
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
                require_fresh(connection)
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
    require_known(source, rows[0][0] if rows else None)
