"""From statements to polars frames, with the types of the tables on both databases."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    Select,
    Text,
)
from sqlalchemy.types import TypeEngine

CHUNK_ROWS = 50_000
DATETIME_TEXT = "%Y-%m-%d %H:%M:%S%.6f"
"""The exact text SQLAlchemy writes: another form would never be found equal."""

_SQLITE_STORES: dict[Any, Any] = {pl.Datetime("us"): pl.String, pl.Boolean: pl.Int64}

_DTYPES: tuple[tuple[type[TypeEngine[Any]], type[pl.DataType] | pl.DataType], ...] = (
    (Boolean, pl.Boolean),
    (DateTime, pl.Datetime("us")),
    (Float, pl.Float64),
    (Integer, pl.Int64),
    (Text, pl.String),
)


def dtype_of(column: Column[Any]) -> Any:
    """The polars type in which a column of the database is held."""
    for kind, dtype in _DTYPES:
        if isinstance(column.type, kind):
            return dtype
    raise TypeError(f"{column} has a type without a polars counterpart: {column.type}")


def read_frame(
    connection: Connection, columns: Sequence[Column[Any]], query: Select[Any]
) -> pl.DataFrame:
    """The rows of `query` restricted to `columns`, as the driver gives them.

    SQLAlchemy would turn SQLite's dates and booleans into objects row by row; polars does it here
    for whole columns.
    """
    dtypes = {column.name: dtype_of(column) for column in columns}
    stored = dict(dtypes)
    if connection.dialect.name == "sqlite":
        stored = {name: _SQLITE_STORES.get(dtype, dtype) for name, dtype in dtypes.items()}
    # Not with stream_results: SQLAlchemy would keep the first rows in a buffer of its own.
    result = connection.execute(query.with_only_columns(*columns, maintain_column_froms=True))
    chunks = [
        pl.DataFrame(rows, schema=stored, orient="row") for rows in _chunks(result.cursor)
    ] or [pl.DataFrame(schema=stored)]
    result.close()
    frame = pl.concat(chunks)
    return frame.with_columns(
        pl.col(name).str.to_datetime(DATETIME_TEXT)
        if dtype == pl.Datetime("us")
        else pl.col(name).cast(dtype)
        for name, dtype in dtypes.items()
        if dtype != stored[name]
    )


def _chunks(cursor: Any) -> Iterator[list[tuple[Any, ...]]]:
    while rows := cursor.fetchmany(CHUNK_ROWS):
        yield rows
