"""Triggers and functions of the schema, which no table definition can hold.

Two rules live here. The audit log is append only, on both databases. And on Postgres the
references of the measured tables are checked once per statement: row by row, a foreign key costs
3.5 microseconds for each row and reference, which makes a load of a million rows four times
slower. SQLite checks the same references as foreign keys, at no cost that could be measured.
"""

from typing import Any

from sqlalchemy import DDL, MetaData, Table, event

from models.base import Base, Measured

AUDIT_SQLITE = tuple(
    f"CREATE TRIGGER audit_refuse_{verb.lower()} BEFORE {verb} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END"
    for verb in ("UPDATE", "DELETE")
)

FUNCTIONS_POSTGRES = (
    """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the % log is append only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$""",
    """
CREATE OR REPLACE FUNCTION check_references() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    names text;
    tests text := '';
    missing text;
BEGIN
    SELECT string_agg(DISTINCT quote_ident(TG_ARGV[i]), ', ') INTO names
    FROM generate_series(0, TG_NARGS - 1, 2) AS i;
    FOR i IN 0 .. TG_NARGS / 2 - 1 LOOP
        tests := tests || format(
            'WHEN a.%1$I IS NOT NULL AND NOT EXISTS (SELECT FROM %2$I AS p WHERE p.id = a.%1$I) '
            'THEN format(''%%s.%%s refers to %%s %%s, which does not exist'', %3$L, %4$L, %5$L, '
            'a.%1$I) ',
            TG_ARGV[2 * i], TG_ARGV[2 * i + 1], TG_TABLE_NAME, TG_ARGV[2 * i], TG_ARGV[2 * i + 1]);
    END LOOP;
    EXECUTE 'SELECT found.message FROM (SELECT CASE ' || tests || 'END AS message '
        'FROM (SELECT DISTINCT ' || names || ' FROM changed) AS a) AS found '
        'WHERE found.message IS NOT NULL LIMIT 1' INTO missing;
    IF missing IS NOT NULL THEN
        RAISE foreign_key_violation USING MESSAGE = missing;
    END IF;
    RETURN NULL;
END $$""",
)

AUDIT_POSTGRES = (
    "CREATE TRIGGER audit_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
)


def reference_triggers(table: str, references: list[tuple[str, str]]) -> tuple[str, str]:
    """Statements that check (column, table it refers to) after every INSERT and UPDATE."""
    arguments = ", ".join(f"'{name}'" for pair in sorted(references) for name in pair)
    added, changed = (
        f"CREATE TRIGGER {table}_references_{verb.lower()} AFTER {verb} ON {table} "
        "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT "
        f"EXECUTE FUNCTION check_references({arguments})"
        for verb in ("INSERT", "UPDATE")
    )
    return added, changed


def attach(metadata: MetaData, models: tuple[type[Base], ...]) -> None:
    """Make `metadata.create_all` create the triggers too."""
    for statement in FUNCTIONS_POSTGRES:
        _after(metadata, "before_create", statement, "postgresql")
    audit = metadata.tables["audit"]
    for statement in AUDIT_SQLITE:
        _after(audit, "after_create", statement, "sqlite")
    _after(audit, "after_create", AUDIT_POSTGRES, "postgresql")
    for model in models:
        if issubclass(model, Measured):
            _attach_references(metadata.tables[model.__tablename__])


def _attach_references(table: Table) -> None:
    references = []
    for constraint in table.foreign_key_constraints:
        constraint.ddl_if(dialect="sqlite")
        references.append((constraint.column_keys[0], constraint.referred_table.name))
    for statement in reference_triggers(table.name, references):
        _after(table, "after_create", statement, "postgresql")


def _after(target: MetaData | Table, moment: str, statement: str, dialect: str) -> None:
    ddl: Any = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
    event.listen(target, moment, ddl.execute_if(dialect=dialect))
