"""Backups bring back every row, and refuse in plain words what they cannot do."""

import json
import zipfile
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Connection, Engine, insert, select, text

from models import bulk
from models.backup_archive import MANIFEST
from models.connect import create_engine_for
from models.engine import backup, check_revision, restore, upgrade
from models.errors import DatabaseError
from models.frames import read_frame
from models.jobs import insert_job
from models.tables import TABLES
from tests.conftest import fresh_postgres
from tests.models.small_study import ROWS, TRACER, fill


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        fill(connection)
        base = ROWS["laboratory_result"]
        rows = [
            {**base, "id": n, "record_key": n, "raw_text": f'"{n}",\n<50 µg', "value": n / 7}
            for n in range(2, 2000)
        ]
        bulk.insert_frame(connection, "laboratory_result", pl.DataFrame(rows))
        empty = {**base, "id": 5000, "record_key": -1, "raw_text": "", "raw_unit": None}
        connection.execute(insert(TABLES["laboratory_result"]), empty)
    return engine


def contents(connection: Connection) -> dict[str, pl.DataFrame]:
    return {
        name: read_frame(connection, list(table.c), select(table).order_by(table.c.id))
        for name, table in TABLES.items()
    }


def refusal(action, *arguments) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(DatabaseError) as raised:
        action(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def kind(url: str) -> str:
    return url.partition(":")[0]


@pytest.mark.parametrize("target", ["bare", "upgraded"])
def test_every_row_comes_back(
    filled: Engine, database_url: str, tmp_path: Path, target: str, request: pytest.FixtureRequest
) -> None:
    file = tmp_path / "all.backup"
    backup(database_url, file)
    with fresh_target(request, database_url, tmp_path, upgraded=target == "upgraded") as url:
        restore(url, file)
        restored = create_engine_for(url)
        check_revision(restored)
        with filled.connect() as left, restored.connect() as right:
            before, after = contents(left), contents(right)
        for name in TABLES:
            assert before[name].height > 0, name
            assert before[name].equals(after[name]), name
        with restored.begin() as connection:  # sequences go on after the restored rows
            assert insert_job(connection, "fit", {}) == 2
            connection.execute(insert(TABLES["audit"]), ROWS["audit"])
        with pytest.raises(Exception, match="append only"), restored.begin() as connection:
            connection.execute(text("DELETE FROM audit"))
        restored.dispose()


def fresh_target(request, database_url, tmp_path, *, upgraded):  # type: ignore[no-untyped-def]
    """A second database of the same kind: without tables, or upgraded with a seeded tracer."""

    @contextmanager
    def sqlite():  # type: ignore[no-untyped-def]
        yield f"sqlite:///{tmp_path / 'restored.db'}"

    @contextmanager
    def prepared(place):  # type: ignore[no-untyped-def]
        with place as url:
            if upgraded:
                upgrade(url, [{**TRACER, "id": "seeded_before"}])
            yield url

    if kind(database_url) == "sqlite":
        return prepared(sqlite())
    server = request.getfixturevalue("postgres_server")
    return prepared(fresh_postgres(server, "template1"))


def test_a_target_with_rows_is_refused(filled: Engine, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    backup(database_url, file)
    words = refusal(restore, database_url, file)
    assert words.endswith("and a restore overwrites nothing; name an empty database")
    with filled.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM laboratory_result")) == 2000


def test_a_backup_is_never_overwritten(filled: Engine, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    file.write_text("precious")
    assert refusal(backup, database_url, file) == (
        f"{file} is there already; name a new file for the backup"
    )
    assert file.read_text() == "precious"
    nowhere = tmp_path / "none" / "x"
    assert refusal(backup, database_url, nowhere) == (
        f"there is no directory {tmp_path / 'none'}; make it first"
    )
    assert sorted(path.name for path in tmp_path.glob("tmp*")) == []


def test_wrong_files(bare_url: str, tmp_path: Path) -> None:
    missing = tmp_path / "none.backup"
    assert refusal(restore, bare_url, missing) == (
        f"there is no backup {missing}; name a file of `cartograph db backup`"
    )
    text_file = tmp_path / "text.backup"
    text_file.write_text("not a backup\n" * 1000)
    assert f"{text_file} is no backup of a" in refusal(restore, bare_url, text_file)
    archive = tmp_path / "other.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.csv", "x")
    assert f"{archive} is no backup of" in refusal(restore, bare_url, archive)


@pytest.mark.parametrize(
    "manifest",
    [
        "[]",
        "null",
        '"1"',
        "{}",
        '{"format": 1}',
        '{"format": 1, "revision": ["0001"], "rows": {}}',
        '{"format": 1, "revision": "0001"}',
        '{"format": 1, "revision": "0001", "rows": [1]}',
        '{"format": 1, "revision": "0001", "rows": {"study": null}}',
        '{"format": 1, "revision": "0001", "rows": {"study": "many"}}',
        '{"format": 1, "revision": "0001", "rows": {"no_table": 0}}',
        '{"format": 1, "revision": "0001", "rows": {"site": 0}}',
        "[" * 100_000,
    ],
)
def test_a_manifest_of_another_shape_is_no_backup(
    postgres_url: str, tmp_path: Path, manifest: str
) -> None:
    archive = tmp_path / "odd.backup"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(MANIFEST, manifest)
        opened.writestr("study.csv", "id,studyid\n")
        opened.writestr("no_table.csv", "id\n")
    words = refusal(restore, postgres_url, archive)
    assert str(archive) in words
    assert "name another file" in words


@pytest.mark.parametrize(
    "table", ["id,no_such_column\n1,2\n", "id,studyid\nx,ST-1\n", "id,studyid\n1,\xff\n", ""]
)
def test_a_table_that_does_not_fit_restores_nothing(
    postgres_url: str, tmp_path: Path, table: str
) -> None:
    archive = tmp_path / "odd.backup"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(MANIFEST, '{"format": 1, "revision": "0001", "rows": {"study": 1}}')
        opened.writestr("study.csv", table.encode("latin-1"))
    words = refusal(restore, postgres_url, archive)
    assert f"backup {archive} is damaged: table study" in words
    assert words.endswith("nothing was restored")


def test_backup_of_the_other_kind(sqlite_url: str, postgres_url: str, tmp_path: Path) -> None:
    files = {}
    for url in (sqlite_url, postgres_url):
        files[kind(url)] = tmp_path / f"{kind(url)}.backup"
        backup(url, files[kind(url)])
    assert "(an SQLite backup needs an sqlite:/// target)" in refusal(
        restore, postgres_url, files["sqlite"]
    )
    target = f"sqlite:///{tmp_path / 'new.db'}"
    assert "(a Postgres backup needs a postgresql:// target)" in refusal(
        restore, target, files["postgresql"]
    )
    assert not (tmp_path / "new.db").exists()


def test_a_backup_cut_short_restores_nothing(
    postgres_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    engine = create_engine_for(postgres_url)
    with engine.begin() as connection:
        fill(connection)
    whole, cut = tmp_path / "whole.backup", tmp_path / "cut.backup"
    backup(postgres_url, whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(cut, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "job.csv":
                data = data[: data.index(b"\n") + 1]
            target.writestr(name, data)
    with fresh_target(request, postgres_url, tmp_path, upgraded=False) as url:
        words = refusal(restore, url, cut)
        assert words.endswith("table job has 0 rows, expected 1; nothing was restored")
        restore(url, whole)
    engine.dispose()


def test_backup_needs_this_revision(bare_url: str, tmp_path: Path) -> None:
    upgrade(bare_url, revision="0001")
    assert "run `cartograph db upgrade" in refusal(backup, bare_url, tmp_path / "x")


def test_older_backup_is_upgraded(postgres_url: str, tmp_path: Path, request) -> None:  # type: ignore[no-untyped-def]
    """A backup of an earlier revision goes into its own schema, which is then upgraded."""
    whole, old = tmp_path / "whole.backup", tmp_path / "old.backup"
    engine = create_engine_for(postgres_url)
    with engine.begin() as connection:
        fill(connection, "study", "tracer", "audit")
    backup(postgres_url, whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(old, "w") as target:
        manifest = json.loads(source.read(MANIFEST))
        manifest["revision"] = "0001"
        manifest["rows"] = {name: manifest["rows"][name] for name in ("study", "tracer", "audit")}
        for name in manifest["rows"]:
            target.writestr(f"{name}.csv", source.read(f"{name}.csv"))
        target.writestr(MANIFEST, json.dumps(manifest))
    with fresh_target(request, postgres_url, tmp_path, upgraded=True) as url:
        restore(url, old)
        restored = create_engine_for(url)
        check_revision(restored)
        with restored.connect() as connection:
            assert connection.scalar(text("SELECT studyid FROM study")) == "S1"
            assert connection.scalar(text("SELECT count(*) FROM scan")) == 0
        restored.dispose()
    engine.dispose()
