"""Writing many rows: polars frames straight into a table, in the caller's transaction.

Order matters where a record is corrected: supersede first, insert then, because at most one
version of a record may be current. Frames sorted by `record_key` before their ids are issued
(`with_ids`) go in a third faster on Postgres.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import polars.selectors as cs
import psycopg
from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, Table, func, select, text

from models import failures
from models.connect import sqlite_path
from models.errors import DatabaseError
from models.frames import DATETIME_TEXT, dtype_of
from models.tables import TABLES

SQLITE_SLICE = 5_000
SQLITE_BULK_ROWS = 50_000
"""From so many rows on, SQLite gets the large cache."""

POSTGRES_SLICE = 100_000
SQLITE_BULK_CACHE_KIB = 262_144
_LOADER_LOCK = 0x4C4F4144  # "LOAD"


def insert_frame(connection: Connection, table: str | Table, frame: pl.DataFrame) -> int:
    """Insert the rows of `frame`, whose columns are columns of the table; returns how many.

    Raises TypeError for an unknown column or a wrong type, ValueError for NaN or infinity: the
    caller's defects, found before anything is written. A constraint that refuses a row raises
    sqlalchemy.exc.IntegrityError on SQLite and on Postgres.
    """
    target = TABLES[table] if isinstance(table, str) else table
    checked = _checked(target, frame)
    if checked.is_empty():
        return 0
    if connection.dialect.name == "sqlite":
        _insert_sqlite(connection, target, checked)
    else:
        _insert_postgres(connection, target, checked)
    return checked.height


def next_id(connection: Connection, table: str | Table, n: int = 1) -> int:
    """The first of `n` free ids. Call under the loader lock, insert in the same transaction."""
    target = TABLES[table] if isinstance(table, str) else table
    highest = connection.scalar(select(func.max(target.c.id)))
    first = (highest or 0) + 1
    if first + n > 2**63 - 1:
        raise OverflowError(f"no {n} ids left in {target.name}")
    return int(first)


def with_ids(connection: Connection, table: str | Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame sorted by `record_key` (where it has one) with a column `id` of fresh ids."""
    ordered = frame.sort("record_key") if "record_key" in frame.columns else frame
    first = next_id(connection, table, frame.height)
    return ordered.with_columns(id=pl.int_range(first, first + frame.height, dtype=pl.Int64))


@contextmanager
def loader_lock(engine: Engine, timeout_second: float = 600.0) -> Iterator[None]:
    """One loader at a time, over processes and, on Postgres, over machines.

    Freed when the process dies. Raises DatabaseError after `timeout_second` of waiting.
    """
    path = sqlite_path(engine.url)
    busy = DatabaseError(
        f"database {failures.shown(engine.url)}: another load has been running for "
        f"{timeout_second:g} s; try again when it is done"
    )
    if path is None:
        with _advisory_lock(engine, timeout_second, busy):
            yield
        return
    lock = FileLock(path.with_name(path.name + ".loader-lock"), timeout=timeout_second)
    try:
        lock.acquire()
    except Timeout:
        raise busy from None
    except OSError as error:
        raise DatabaseError(
            f"database {failures.shown(engine.url)}: no lock file can be written beside it "
            f"({error.strerror}); check who may write to {path.parent}"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _advisory_lock(engine: Engine, timeout_second: float, busy: DatabaseError) -> Iterator[None]:
    """On a connection of its own: the lock ends with it, whatever becomes of the load."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"SET lock_timeout = {int(timeout_second * 1000)}")
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOADER_LOCK})
        except DatabaseError as error:
            if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise busy from error
            raise
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOADER_LOCK})
            connection.exec_driver_sql("RESET lock_timeout")


def _checked(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Types as the table has them; SQLite would store any text in a number's place."""
    for name, dtype in frame.schema.items():
        if name not in table.c:
            raise TypeError(f"{table.name} has no column {name}")
        wanted = dtype_of(table.c[name])
        if dtype in (wanted, pl.Null) or (wanted == pl.Int64 and dtype.is_integer()):
            continue
        if wanted == pl.Float64 and dtype.is_numeric():
            continue
        if wanted == pl.String and dtype in (pl.Categorical, pl.Enum):
            continue
        raise TypeError(f"{table.name}.{name} holds {wanted}, the frame has {dtype}")
    cast = frame.with_columns(pl.col(name).cast(dtype_of(table.c[name])) for name in frame.columns)
    finite = cast.select(cs.float().is_finite().all())
    if not_finite := [name for name in finite.columns if finite[name][0] is False]:
        raise ValueError(f"{table.name}: {', '.join(not_finite)} holds NaN or infinity")
    return cast


def _insert_sqlite(connection: Connection, table: Table, frame: pl.DataFrame) -> None:
    """Tuples to the driver, zipped from lists of columns. Columns with one value stand in the
    statement, so that Python makes no object of them."""
    if frame.height > SQLITE_BULK_ROWS:
        connection.exec_driver_sql(f"PRAGMA cache_size = -{SQLITE_BULK_CACHE_KIB}")
    storable = frame.with_columns(
        cs.datetime().dt.strftime(DATETIME_TEXT), cs.boolean().cast(pl.Int64)
    )
    constant = {one.name: _literal(one[0]) for one in storable if one.len() > 1 and _is_same(one)}
    varying = [name for name in storable.columns if name not in constant] or storable.columns[:1]
    values = ", ".join("?" if name in varying else constant[name] for name in storable.columns)
    statement = f"INSERT INTO {_quoted(table, storable.columns)} VALUES ({values})"  # noqa: S608
    for part in storable.select(varying).iter_slices(SQLITE_SLICE):
        rows = list(zip(*(column.to_list() for column in part), strict=True))
        connection.exec_driver_sql(statement, rows)


def _is_same(column: pl.Series) -> bool:
    """Whether all rows hold one value; a third of the time of counting distinct ones."""
    missing = column.null_count()
    return missing == column.len() or (missing == 0 and column.min() == column.max())


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'" if "\0" not in value else _hex(value)
    return repr(value)


def _hex(value: str) -> str:
    """A statement ends at a NUL, so text with one goes in by its bytes."""
    return f"CAST(x'{value.encode().hex()}' AS TEXT)"


def _insert_postgres(connection: Connection, table: Table, frame: pl.DataFrame) -> None:
    """COPY; where row-level security forbids it, COPY to a temporary table and INSERT from it.

    Columns without any value are left out: no column has a default, so they stay missing.
    """
    frame = frame.select(one for one in frame if one.null_count() < one.len())
    active = text("SELECT row_security_active(CAST(:name AS text))")
    if not connection.scalar(active, {"name": quote(table.name)}):
        _copy(connection, _quoted(table, frame.columns), frame)
        return
    columns = ", ".join(quote(name) for name in frame.columns)
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS "  # noqa: S608
        f"SELECT {columns} FROM {quote(table.name)} WITH NO DATA"
    )
    _copy(connection, f"incoming ({columns})", frame)
    connection.exec_driver_sql(
        f"INSERT INTO {_quoted(table, frame.columns)} SELECT {columns} FROM incoming"  # noqa: S608
    )
    connection.exec_driver_sql("DROP TABLE incoming")


def _copy(connection: Connection, target: str, frame: pl.DataFrame) -> None:
    """The driver's own cursor: its errors are put in SQLAlchemy's words here."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    command = f"COPY {target} FROM STDIN (FORMAT csv)"
    with (
        failures.translated(connection.engine, command),
        driver.cursor() as cursor,
        cursor.copy(command) as copy,
    ):
        for part in frame.iter_slices(POSTGRES_SLICE):
            buffer = io.BytesIO()
            part.write_csv(buffer, include_header=False, datetime_format=DATETIME_TEXT)
            copy.write(buffer.getbuffer())


def _quoted(table: Table, columns: list[str]) -> str:
    return f"{quote(table.name)} ({', '.join(map(quote, columns))})"


def quote(name: str) -> str:
    """A name as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'
