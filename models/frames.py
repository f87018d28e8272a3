"""From statements to polars frames, with the types of the tables on both databases."""

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
    type_coerce,
)
from sqlalchemy.types import TypeEngine

CHUNK_ROWS = 100_000
SQLITE_DATETIME = "%Y-%m-%d %H:%M:%S%.6f"
"""The exact text SQLAlchemy writes: another form would never be found equal."""

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
    connection: Connection, columns: list[Column[Any]], query: Select[Any]
) -> pl.DataFrame:
    """The rows of `query` restricted to `columns`. On SQLite dates are parsed by polars, not row
    by row."""
    sqlite = connection.dialect.name == "sqlite"
    dtypes = {column.name: dtype_of(column) for column in columns}
    as_text = {name for name, dtype in dtypes.items() if sqlite and dtype == pl.Datetime("us")}
    selected = [type_coerce(c, Text).label(c.name) if c.name in as_text else c for c in columns]
    schema = {name: pl.String if name in as_text else dtype for name, dtype in dtypes.items()}
    result = connection.execute(
        query.with_only_columns(*selected, maintain_column_froms=True),
        execution_options={"stream_results": True},
    )
    chunks = [
        pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
        for rows in result.partitions(CHUNK_ROWS)
    ]
    frame = pl.concat(chunks, rechunk=True) if chunks else pl.DataFrame(schema=schema)
    return frame.with_columns(pl.col(name).str.to_datetime(SQLITE_DATETIME) for name in as_text)
