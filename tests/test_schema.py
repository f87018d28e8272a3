"""The migrated schema is the one of the models, on both databases, down to CHECKs and triggers."""

import re
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, inspect, text

from models.connect import create_engine_for
from models.revision import alembic_config, current_revision, head_revision, upgrade
from models.tables import METADATA, TABLES

POSTGRES_RULES = (
    """
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)


@pytest.fixture
def created(bare_url: str) -> Iterator[Engine]:
    """The schema as the models themselves create it."""
    engine = create_engine_for(bare_url, create=True)
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


def rules_of(connection: Connection) -> set[str]:
    """Every constraint, index, trigger and function, as the database words it."""
    if connection.dialect.name == "postgresql":
        found = [connection.scalars(text(query)).all() for query in POSTGRES_RULES]
        return {str(rule) for rules in found for rule in rules if "alembic_version" not in rule}
    rows = connection.execute(text("SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    rules = set()
    for table, sql in rows:
        if table == "alembic_version":
            continue
        if sql.startswith("CREATE TABLE"):
            body = sql[sql.index("(") + 1 : sql.rindex(")")]
            rules |= {f"{table}: {clause}" for clause in clauses(body)}
        else:
            rules.add(squeezed(sql))
    return rules


def clauses(body: str) -> Iterator[str]:
    """The parts of a CREATE TABLE between the commas that stand outside parentheses."""
    depth, start = 0, 0
    for at, sign in enumerate(body):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            yield squeezed(body[start:at])
            start = at + 1
    yield squeezed(body[start:])


def squeezed(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).replace('"', "").strip()


def test_alembic_sees_no_difference(database_url: str) -> None:
    engine = create_engine_for(database_url, foreign_keys=False)
    with engine.begin() as connection:
        command.check(alembic_config(connection))
    engine.dispose()


def test_rules_of_migrations_and_models_are_equal(bare_url: str, created: Engine, request) -> None:
    """`bare_url` and `created` are one database; the migrated one is the fixture of its kind."""
    kind = "sqlite" if bare_url.startswith("sqlite") else "postgres"
    migrated = create_engine_for(request.getfixturevalue(f"{kind}_url"))
    with created.connect() as left, migrated.connect() as right:
        from_models, from_migrations = rules_of(left), rules_of(right)
    migrated.dispose()
    assert len(from_models) > 200
    assert from_models - from_migrations == set()
    assert from_migrations - from_models == set()


def test_comparison_sees_a_changed_check(bare_url: str, created: Engine) -> None:
    """The comparison above can fail: it sees the words of a CHECK."""
    with created.connect() as connection:
        rules = " ".join(rules_of(connection))
    assert "ck_adverse_event_grade_has_scale" in rules
    assert "scale IS NOT NULL" in rules
    assert "audit" in rules
    assert "append only" in rules


def test_both_databases_have_the_same_columns(sqlite_url: str, postgres_url: str) -> None:
    found = []
    for url in (sqlite_url, postgres_url):
        engine = create_engine_for(url)
        inspector = inspect(engine)
        found.append(
            {
                (table, column["name"], column["nullable"], str(column["type"]).split("(")[0])
                for table in inspector.get_table_names()
                if table != "alembic_version"
                for column in inspector.get_columns(table)
            }
        )
        engine.dispose()
    names = [{row[:3] for row in rows} for rows in found]
    assert names[0] == names[1]
    assert {row[0] for row in found[0]} == set(TABLES)
    postgres_types = {(row[0], row[1]): row[3] for row in found[1]}
    for table, column, _, kind in found[0]:
        allowed = {
            "BIGINT": {"BIGINT"},
            "INTEGER": {"INTEGER", "BIGINT"},
            "TEXT": {"TEXT"},
            "FLOAT": {"DOUBLE PRECISION"},
            "BOOLEAN": {"BOOLEAN"},
            "DATETIME": {"TIMESTAMP"},
        }[kind]
        assert postgres_types[table, column] in allowed, (table, column)


def test_upgrade_twice_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    engine = create_engine_for(database_url)
    with engine.connect() as connection:
        assert current_revision(connection) == head_revision()
    engine.dispose()


def test_downgrade_leaves_nothing(database_url: str) -> None:
    engine = create_engine_for(database_url, foreign_keys=False)
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        assert rules_of(connection) == set()
    engine.dispose()


def test_every_revision_goes_back_and_forth(database_url: str) -> None:
    engine = create_engine_for(database_url, foreign_keys=False)
    with engine.connect() as connection:
        before = rules_of(connection)
    for step in ("0002", "head"):
        with engine.begin() as connection:
            move = command.downgrade if step == "0002" else command.upgrade
            move(alembic_config(connection), step)
    with engine.connect() as connection:
        assert rules_of(connection) == before
    engine.dispose()
