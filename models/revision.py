"""Which revision the schema of a database has, and how it gets to the one of this program."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, inspect, text

from models.connect import create_engine_for, parse_url, reading
from models.errors import DatabaseError
from models.failures import shown
from models.seed import seed_tracers

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
POSTGRES_MINIMUM = (15, 0)
_UPGRADE_LOCK = 0x43415254  # "CART": one upgrade at a time


def upgrade(
    url: str | URL, tracers: Iterable[Mapping[str, Any]] = (), revision: str = "head"
) -> None:
    """Bring the schema to the revision of this program and seed the tracers, or change nothing.

    An SQLite file that does not exist is made. Raises DatabaseError.
    """
    parsed = parse_url(url)
    engine = create_engine_for(parsed, create=True, foreign_keys=False)
    try:
        with engine.begin() as connection:
            upgrade_within(connection, revision)
            if rows := list(tracers):
                seed_tracers(connection, rows)
    finally:
        engine.dispose()


def upgrade_within(connection: Connection, revision: str = "head") -> None:
    """As `upgrade`, in the caller's transaction (on SQLite with foreign keys off)."""
    from alembic import command

    _refuse_old_server(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
    _refuse_foreign(connection)
    command.upgrade(alembic_config(connection), revision)
    _require_sound_references(connection)


def check_revision(engine: Engine) -> None:
    """Raises DatabaseError, with the command to run, unless the schema is this program's."""
    with reading(engine) as connection:
        _refuse_foreign(connection)
        current = current_revision(connection)
    head = head_revision()
    if current != head:
        address = shown(engine.url.set(drivername=engine.url.get_backend_name()))
        state = "is empty" if current is None else f"is at revision {current}"
        raise DatabaseError(
            f"database {address} {state}, this program needs revision {head}; "
            f"run `cartograph db upgrade --database {address}`"
        )


def alembic_config(connection: Connection | None = None) -> Any:
    """Alembic's configuration without a file."""
    from alembic.config import Config

    config = Config(stdout=sys.stdout)  # as it is now: alembic binds that of its first import
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def head_revision() -> str:
    """The newest revision that this program knows."""
    head = _scripts().get_current_head()
    assert head is not None
    return str(head)


def known_revisions() -> set[str]:
    """All revisions that this program can upgrade from."""
    return {str(script.revision) for script in _scripts().walk_revisions()}


def current_revision(connection: Connection) -> str | None:
    """The revision of the database; None when it holds no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)


def _scripts() -> Any:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(alembic_config())


def _refuse_foreign(connection: Connection) -> None:
    """Neither a newer program's schema nor another program's tables are ours to change."""
    address = shown(connection.engine.url)
    current = current_revision(connection)
    if current is None:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
        if tables:
            raise DatabaseError(
                f"database {address} holds tables of another program; name an empty database"
            )
    elif current not in known_revisions():
        raise DatabaseError(
            f"database {address} is at revision {current}, which this program does not know: "
            "a newer Cartograph made it; install that version or name another database"
        )


def _refuse_old_server(connection: Connection) -> None:
    version = connection.dialect.server_version_info
    if connection.dialect.name == "postgresql" and version and version < POSTGRES_MINIMUM:
        found = ".".join(str(part) for part in version)
        raise DatabaseError(
            f"database {shown(connection.engine.url)} runs PostgreSQL {found}; "
            f"expected {POSTGRES_MINIMUM[0]} or newer; upgrade the server"
        )


def _require_sound_references(connection: Connection) -> None:
    """Foreign keys are off while SQLite tables are rebuilt: check them before the commit."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise DatabaseError(
            f"database {shown(connection.engine.url)}: after the upgrade a row of {broken[0]} "
            f"would refer to a missing row of {broken[2]}; nothing was changed; report this"
        )
