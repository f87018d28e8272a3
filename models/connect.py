"""Engines for the two databases: SQLite, one file, and Postgres 15 or newer.

An error never holds the values of a statement, which are patients' (`hide_parameters`).

A transaction writes unless it says that it reads (`reading`): on SQLite it begins IMMEDIATE, so
that two writers queue at the door and never meet half-way; schema changes roll back too.
"""

import importlib
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.exc import ArgumentError

from models import failures
from models.errors import DatabaseError

BUSY_TIMEOUT_SECOND = 10.0
"""How long a writer waits for another one before the database counts as locked."""

CACHE_KIB = 65_536
_EXPECTED = "expected sqlite:///FILE or postgresql://USER@HOST/NAME"
_READING = "cartograph_reading"
_PASSWORD = re.compile(r"(://[^:/@]*:).*@")


def parse_url(url: str | URL) -> URL:
    """The address of a database, checked. Raises DatabaseError for what is none."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        typed = _PASSWORD.sub(r"\1***@", str(url))
        raise DatabaseError(f"'{typed}' is no address of a database: {_EXPECTED}") from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite":
        raise DatabaseError(f"'{parsed.drivername}' is an unknown kind of database: {_EXPECTED}")
    if not parsed.database or parsed.database == ":memory:":
        raise DatabaseError(f"'{url}' names no file: {_EXPECTED}")
    return parsed


def sqlite_path(url: URL) -> Path | None:
    """The file of an SQLite database, None for Postgres."""
    if url.get_backend_name() != "sqlite":
        return None
    return Path(str(url.database)).absolute()


def create_engine_for(
    url: str | URL,
    *,
    create: bool = False,
    foreign_keys: bool = True,
    busy_timeout_second: float = BUSY_TIMEOUT_SECOND,
) -> Engine:
    """An engine; nothing is opened yet. A missing SQLite file is only made with `create`.

    Raises DatabaseError: no address of a database, or a file or directory that is not there.
    """
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    if path is None:
        engine = sqlalchemy.create_engine(
            parsed, pool_pre_ping=True, hide_parameters=True, connect_args=_POSTGRES_ARGS
        )
        event.listen(engine, "connect", _require_utf8, insert=True)
    else:
        _require_file(path, parsed, create)
        engine = _sqlite_engine(parsed, foreign_keys, busy_timeout_second)
    failures.listen(engine)
    return engine


_POSTGRES_ARGS = {
    "connect_timeout": 10,
    "application_name": "cartograph",
    "options": "-c timezone=UTC",
}


def _require_utf8(connection: Any, record: object) -> None:
    """Patients' texts are of any language; the encoding of a Postgres database is its own."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            f"database {connection.info.dbname} has the encoding {encoding}, UTF8 was expected; "
            "make one by `createdb --encoding UTF8 --template template0`"
        )


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the database from its first read to its last."""
    with engine.connect() as opened:
        if engine.dialect.name == "sqlite":
            yield opened.execution_options(**{_READING: True})
        else:
            yield opened.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )


def _require_file(path: Path, url: URL, create: bool) -> None:
    shown = failures.shown(url)
    if not path.parent.is_dir():
        raise DatabaseError(f"database {shown}: there is no directory {path.parent}; make it first")
    if path.is_dir():
        raise DatabaseError(f"database {shown} is a directory; name a file in it")
    if not create and not path.exists():
        command = f"`cartograph db upgrade --database {shown}`"
        raise DatabaseError(f"database {shown} does not exist; make it by {command}")


def sqlite_module() -> ModuleType:
    """The SQLite of pysqlite3 on Linux, which bundles a sound version; elsewhere Python's own."""
    return importlib.import_module("pysqlite3" if platform.system() == "Linux" else "sqlite3")


def journal_mode(version: tuple[int, ...]) -> str:
    """WAL lets readers go on while one writes; SQLite 3.7 to 3.51.2 can corrupt it."""
    return "delete" if (3, 7, 0) <= version <= (3, 51, 2) else "wal"


_ALWAYS_NONE: Any = {}.get
"""For None the driver looks for an adapter, then for two methods, by AttributeErrors caught: 1.0
microsecond for each null of a load. This adapter, of C, ends the search at once."""


def _sqlite_engine(url: URL, foreign_keys: bool, busy_timeout_second: float) -> Engine:
    module = sqlite_module()
    module.register_adapter(type(None), _ALWAYS_NONE)
    engine = sqlalchemy.create_engine(url, module=module, hide_parameters=True)
    mode = journal_mode(module.sqlite_version_info)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the transaction is begun by `begin` alone
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout_second * 1000)}")
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != mode:
            cursor.execute(f"PRAGMA journal_mode = {mode}")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
