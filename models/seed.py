"""Rows that belong to the program: the tracer registry as the database knows it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from models.imaging import Tracer


def seed_tracers(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Add the tracers that are missing, correct those that differ; returns how many it wrote.

    Each row maps the columns of the table; other keys are ignored. None is ever removed:
    scans may refer to it.
    """
    table = Tracer.__table__
    names = [column.name for column in table.columns]
    known = {row["id"]: dict(row) for row in connection.execute(select(table)).mappings()}
    written = 0
    for row in rows:
        wanted = {name: row.get(name) for name in names}
        present = known.get(wanted["id"])
        if present is None:
            connection.execute(insert(Tracer), wanted)
        elif present != wanted:
            connection.execute(update(Tracer).where(Tracer.id == wanted["id"]).values(wanted))
        written += present != wanted
    return written
