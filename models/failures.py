"""What the drivers say when a database cannot be used, in words that help.

Values never appear: only the address (without its password) and the driver's own first line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Engine, ExceptionContext, event
from sqlalchemy.exc import DBAPIError

from models.errors import DatabaseError

_SQLITE = (
    ("database is locked", "is locked by another program that writes to it; try again later"),
    ("database table is locked", "is locked by another program that writes to it; try again later"),
    ("file is not a database", "is no SQLite database; name another file"),
    ("unable to open database file", "cannot be opened; check that the file is there and readable"),
    ("readonly database", "cannot be written to; check who may write the file and its directory"),
    ("disk is full", "has no room left on its disk; nothing was written; make room and try again"),
    ("disk i/o error", "cannot be read or written (disk error); check the disk and its free space"),
    ("malformed", "is damaged; restore a backup by `cartograph db restore FILE`"),
)
_POSTGRES_STATES = (
    ("53100", "has no room left on its disk; nothing was written; make room and try again"),
    ("53300", "accepts no more connections; try again later or raise its max_connections"),
    ("57P", "was shut down; nothing was written; start it and try again"),
    ("55P03", "is locked by another program; try again later"),
    ("25006", "is read only; name the primary server"),
)
_LOST = "does not answer; nothing was written; check that the server runs, then try again"


def shown(url: URL) -> str:
    """The address of a database as it may be shown: without its password."""
    return url.render_as_string(hide_password=True)


def explain(url: URL, error: BaseException, connecting: bool = False) -> DatabaseError | None:
    """The clear error for what a driver raised, or None where it is no matter of the database."""
    text = str(error).strip()
    if url.get_backend_name() == "sqlite":
        for sign, words in _SQLITE:
            if sign in text.lower():
                return DatabaseError(f"database {shown(url)} {words}")
        return None
    state = getattr(error, "sqlstate", None) or ""
    for prefix, words in _POSTGRES_STATES:
        if state.startswith(prefix):
            return DatabaseError(f"database {shown(url)} {words}")
    if connecting:
        first = text.splitlines()[0] if text else type(error).__name__
        return DatabaseError(
            f"database {shown(url)} cannot be reached: {first}; check the address, the name and "
            "password, and that the server runs"
        )
    if type(error).__name__ in ("AdminShutdown", "CrashShutdown") or _is_lost(text):
        return DatabaseError(f"database {shown(url)} {_LOST}")
    return None


def _is_lost(text: str) -> bool:
    signs = (
        "server closed the connection",
        "connection is closed",
        "connection is lost",
        "terminating connection",
        "no connection to the server",
        "the connection is closed",
        "could not receive data",
        "SSL connection has been closed",
        "consuming input failed",
    )
    return any(sign in text for sign in signs)


def listen(engine: Engine) -> None:
    """Make every statement of the engine raise DatabaseError where the database is the cause."""

    @event.listens_for(engine, "handle_error")
    def replace(context: ExceptionContext) -> None:
        error = context.original_exception
        connecting = context.connection is None
        clear = explain(engine.url, error, connecting)
        if clear is None and context.is_disconnect:
            clear = DatabaseError(f"database {shown(engine.url)} {_LOST}")
        if clear is not None:
            raise clear from error


@contextmanager
def translated(engine: Engine, command: str) -> Iterator[None]:
    """Errors of a driver used directly, as SQLAlchemy and `listen` would have raised them."""
    driver: Any = engine.dialect.dbapi
    try:
        yield
    except driver.Error as error:
        if (clear := explain(engine.url, error)) is not None:
            raise clear from error
        raise DBAPIError.instance(
            command, None, error, driver.Error, dialect=engine.dialect
        ) from error
