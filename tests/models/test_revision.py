"""The revision of a database: what is said where it is another one, and how it is reached."""

import pytest
import sqlalchemy
from sqlalchemy import Engine, text

from models import revision
from models.connect import create_engine_for
from models.engine import check_revision, upgrade
from models.seed import seed_tracers
from tests.models.small_study import TRACER
from tests.models.test_engine import said


def test_empty_database_names_the_command(bare_url: str) -> None:
    engine = create_engine_for(bare_url, create=True)
    words = said(check_revision, engine)
    needed = f"is empty, this program needs revision {revision.head_revision()}; "
    assert f"{needed}run `cartograph db upgrade --database " in words
    assert words.endswith("`")
    upgrade(bare_url)
    check_revision(engine)


def test_older_revision_names_the_command(bare_url: str) -> None:
    upgrade(bare_url, revision="0001")
    words = said(check_revision, create_engine_for(bare_url))
    assert "is at revision 0001, this program needs revision" in words
    assert "`cartograph db upgrade --database " in words
    upgrade(bare_url)
    check_revision(create_engine_for(bare_url))


def test_newer_revision_is_left_alone(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for action, given in ((check_revision, engine), (upgrade, database_url)):
        words = said(action, given)
        assert words.endswith(
            "is at revision 9999, which this program does not know: a newer Cartograph made it; "
            "install that version or name another database"
        )


def test_tables_of_another_program(bare_url: str) -> None:
    engine = create_engine_for(bare_url, create=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE address (name TEXT)"))
    assert said(upgrade, bare_url).endswith(
        "holds tables of another program; name an empty database"
    )


def test_a_failed_upgrade_leaves_nothing(bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("no power")

    monkeypatch.setattr(revision, "seed_tracers", fail)
    with pytest.raises(RuntimeError):
        upgrade(bare_url, [TRACER])
    engine = create_engine_for(bare_url, create=True)
    assert sqlalchemy.inspect(engine).get_table_names() == []


def test_old_postgres_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "POSTGRES_MINIMUM", (99, 0))
    assert said(upgrade, postgres_url).endswith("; expected 99 or newer; upgrade the server")


def test_tracers_are_seeded_and_corrected(bare_url: str) -> None:
    other = {**TRACER, "id": "zr89_cells", "name": "89Zr cells", "note": "ignored"}
    upgrade(bare_url, [TRACER, other])
    upgrade(bare_url, [{**TRACER, "half_life_h": 1.83}])
    engine = create_engine_for(bare_url)
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT id, half_life_h FROM tracer ORDER BY id")).all()
        assert [tuple(row) for row in rows] == [("f18_fdg", 1.83), ("zr89_cells", 1.8295)]
        assert seed_tracers(connection, [other]) == 0
