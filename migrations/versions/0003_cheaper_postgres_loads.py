"""A load costs the Postgres server less.

The rows of a statement are read once for all their references, not once for each. The records of
a load lie together, so a block range index finds them and costs next to nothing to keep. On SQLite
nothing changes.

Revision ID: 0003
Revises: 0002
"""

from typing import Any

from alembic import op

from migrations.record_columns import CHECK_REFERENCES

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MEASURED = ("quantification", "kinetics_sample", "laboratory_result", "lesion_measurement")
READ_ONCE = """
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
END $$"""


def upgrade() -> None:
    """On Postgres; SQLite has foreign keys and one kind of index."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(READ_ONCE)
    for table in MEASURED:
        index_loads(table, postgresql_using="brin", postgresql_with={"autosummarize": "on"})


def downgrade() -> None:
    """One pass for each reference, and the common index, again."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(CHECK_REFERENCES)
    for table in MEASURED:
        index_loads(table)


def index_loads(table: str, **options: Any) -> None:
    """The index of a table by study and load, made again."""
    name = op.f(f"ix_{table}_study_id_loaded_in")
    op.drop_index(name, table)
    op.create_index(name, table, ["study_id", "loaded_in"], **options)
