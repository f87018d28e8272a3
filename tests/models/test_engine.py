"""Engines, transactions, revisions: and what is said when a database cannot be used."""

import socket
import time
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Engine, insert, text

from models.connect import create_engine_for, journal_mode, parse_url, reading, sqlite_module
from models.engine import check_revision, upgrade
from models.errors import DatabaseError
from models.tables import TABLES
from tests.conftest import administer, database_on, fresh_postgres
from tests.models.small_study import ROWS, fill

EXPECTED = "expected sqlite:///FILE or postgresql://USER@HOST/NAME"
WRONG_ADDRESSES = [
    ("trial.db", f"'trial.db' is no address of a database: {EXPECTED}"),
    ("", f"'' is no address of a database: {EXPECTED}"),
    ("mysql://root@host/db", f"'mysql' is an unknown kind of database: {EXPECTED}"),
    ("sqlite://", f"'sqlite://' names no file: {EXPECTED}"),
    ("sqlite:///:memory:", f"'sqlite:///:memory:' names no file: {EXPECTED}"),
    (
        "postgresql://u@host:port/x",
        f"'postgresql://u@host:port/x' is no address of a database: {EXPECTED}",
    ),
    (
        "postgresql://u:se:c@ret@host:port/x",
        f"'postgresql://u:***@host:port/x' is no address of a database: {EXPECTED}",
    ),
]


def said(action, *arguments, **named) -> str:  # type: ignore[no-untyped-def]
    """The one line of the DatabaseError that the action must raise."""
    with pytest.raises(DatabaseError) as refusal:
        action(*arguments, **named)
    assert refusal.value.exit_code == 3
    message = str(refusal.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("url", "words"), WRONG_ADDRESSES)
def test_wrong_addresses(url: str, words: str) -> None:
    assert said(parse_url, url) == words


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_means_psycopg(scheme: str) -> None:
    assert parse_url(f"{scheme}://u@h/x").drivername == "postgresql+psycopg"


def test_missing_directory(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none/trial.db"
    words = f"database {url}: there is no directory {tmp_path}/none; make it first"
    assert said(upgrade, url) == words


def test_missing_file_is_not_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trial.db"
    words = f"database {url} does not exist; make it by `cartograph db upgrade --database {url}`"
    assert said(create_engine_for, url) == words
    assert not (tmp_path / "trial.db").exists()


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}"
    assert said(create_engine_for, url) == f"database {url} is a directory; name a file in it"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("subject,day,value\n" * 100)
    url = f"sqlite:///{file}"
    words = f"database {url} is no SQLite database; name another file"
    assert said(check_revision, create_engine_for(url)) == words
    assert said(upgrade, url) == words
    assert file.read_text().startswith("subject,day")


def test_locked_sqlite(sqlite_url: str) -> None:
    holder = create_engine_for(sqlite_url)
    waiting = create_engine_for(sqlite_url, busy_timeout_second=0.2)
    with holder.begin() as connection:
        fill(connection, "study")
        began = time.monotonic()
        words = said(waiting.connect().begin)
        assert time.monotonic() - began < 5
    assert (
        words
        == f"database {sqlite_url} is locked by another program that writes to it; try again later"
    )
    holder.dispose()
    waiting.dispose()


def test_readers_go_on_while_one_writes(engine: Engine) -> None:
    with engine.begin() as writer:
        fill(writer, "study")
        with reading(engine) as reader:
            assert reader.scalar(text("SELECT count(*) FROM study")) == 0


def test_nothing_listens(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"postgresql://nurse:secret@127.0.0.1:{port}/trial"
    words = said(check_revision, create_engine_for(url))
    assert words.startswith(
        f"database postgresql+psycopg://nurse:***@127.0.0.1:{port}/trial cannot be reached: "
    )
    assert words.endswith("; check the address, the name and password, and that the server runs")
    assert "secret" not in words


def test_no_such_postgres_database(postgres_server: str) -> None:
    url = sqlalchemy.make_url(postgres_server).set(database="nosuch")
    words = said(check_revision, create_engine_for(url))
    assert 'database "nosuch" does not exist' in words


def test_server_that_goes_away(postgres_url: str) -> None:
    engine = create_engine_for(postgres_url)
    with engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        administer(postgres_url, f"SELECT pg_terminate_backend({pid})")
        words = said(connection.execute, text("SELECT 1"))
    assert "nothing was written" in words
    engine.dispose()


def test_password_is_never_shown(postgres_server: str) -> None:
    with fresh_postgres(postgres_server, "template1") as url:
        secret = create_engine_for(sqlalchemy.make_url(url).set(password="secret"))
        words = said(check_revision, secret)
        secret.dispose()
    assert "postgres:***@" in words
    assert "secret" not in words


def test_a_transaction_rolls_back_whole(engine: Engine) -> None:
    def write_and_fail() -> None:
        with engine.begin() as connection:
            fill(connection)
            connection.execute(text("CREATE TABLE extra (id INTEGER)"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        write_and_fail()
    with engine.connect() as connection:
        counts = {connection.scalar(text(f'SELECT count(*) FROM "{name}"')) for name in TABLES}
        assert counts == {0}
    assert not sqlalchemy.inspect(engine).has_table("extra")


def test_sqlite_is_set_up(sqlite_url: str) -> None:
    engine = create_engine_for(sqlite_url)
    with engine.connect() as connection:
        answers = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous")
        ]
    assert answers == ["wal", 1, 2]
    assert sqlite_module().sqlite_version_info >= (3, 51, 3)


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 6, 23), "wal"),
        ((3, 7, 0), "delete"),
        ((3, 40, 1), "delete"),
        ((3, 51, 2), "delete"),
        ((3, 51, 3), "wal"),
    ],
)
def test_no_wal_where_it_can_corrupt(version: tuple[int, ...], mode: str) -> None:
    assert journal_mode(version) == mode


def test_dates_are_utc(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection, "study")
        connection.execute(insert(TABLES["load"]), ROWS["load"])
        started = connection.scalar(text("SELECT started_at FROM load"))
    assert str(started).startswith("2026-01-05 08:30:00")


def test_full_disk_leaves_nothing(sqlite_url: str) -> None:
    engine = create_engine_for(sqlite_url)
    many = [{**ROWS["study"], "studyid": f"S{n}", "title": "x" * 4000} for n in range(200)]
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        words = said(connection.execute, insert(TABLES["study"]), many)
        connection.rollback()
        assert connection.scalar(text("SELECT count(*) FROM study")) == 0
    assert words == (
        f"database {sqlite_url} has no room left on its disk; nothing was written; "
        "make room and try again"
    )
    engine.dispose()


def test_database_that_may_not_be_written(sqlite_url: str) -> None:
    engine = create_engine_for(sqlite_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        words = said(connection.execute, insert(TABLES["study"]), ROWS["study"])
    assert words.endswith("cannot be written to; check who may write the file and its directory")
    engine.dispose()


def test_an_error_never_holds_the_values_of_a_statement(engine: Engine) -> None:
    """They are patients'."""
    with pytest.raises(sqlalchemy.exc.DBAPIError) as caught, engine.begin() as connection:
        connection.execute(
            sqlalchemy.text("INSERT INTO study (studyid, no_such) VALUES (:one, :two)"),
            {"one": "SECRET-PATIENT", "two": "4711.5"},
        )
    assert "SECRET-PATIENT" not in str(caught.value)
    assert "4711.5" not in str(caught.value)


def test_a_postgres_database_of_another_encoding_is_refused_in_one_line(
    postgres_server: str,
) -> None:
    administer(
        postgres_server,
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    )
    try:
        engine = create_engine_for(database_on(postgres_server, "ascii"))
        with pytest.raises(DatabaseError, match=r"encoding SQL_ASCII, UTF8 was expected") as caught:
            check_revision(engine)
        assert "\n" not in str(caught.value)
        engine.dispose()
    finally:
        administer(postgres_server, "DROP DATABASE ascii WITH (FORCE)")
