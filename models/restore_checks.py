"""What a restore refuses: a backup of a newer program, and a database that holds anything."""

from pathlib import Path

from sqlalchemy import Connection, func, inspect, select

from models.errors import BackupError
from models.failures import shown
from models.revision import known_revisions
from models.tables import TABLES

SEEDED = frozenset(("tracer", "alembic_version"))
"""Tables that a fresh schema already has rows in."""


def require_known(source: Path, revision: str | None) -> None:
    if revision not in known_revisions():
        raise BackupError(
            f"backup {source} is at revision {revision}, which this program does not know: "
            "a newer Cartograph made it; install that version"
        )


def require_fresh(connection: Connection) -> None:
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
