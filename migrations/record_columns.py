"""Columns and rules that the trial records share, as they were at revision 0002.

Frozen, as that revision is: a later change of these columns is a migration of its own.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOURCED = (
    ("loaded_in", "load"),
    ("source_file_id", "source_file"),
    ("study_id", "study"),
    ("superseded_in", "load"),
)
CHECK_REFERENCES = """
CREATE OR REPLACE FUNCTION check_references() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing text;
BEGIN
    FOR i IN 0 .. TG_NARGS / 2 - 1 LOOP
        EXECUTE format(
            'SELECT a.key FROM (SELECT DISTINCT %I AS key FROM changed) AS a '
            'WHERE a.key IS NOT NULL AND NOT EXISTS (SELECT FROM %I AS p WHERE p.id = a.key) '
            'LIMIT 1', TG_ARGV[2 * i], TG_ARGV[2 * i + 1]
        ) INTO missing;
        IF missing IS NOT NULL THEN
            RAISE foreign_key_violation USING MESSAGE = format(
                '%s.%s refers to %s %s, which does not exist',
                TG_TABLE_NAME, TG_ARGV[2 * i], TG_ARGV[2 * i + 1], missing);
        END IF;
    END LOOP;
    RETURN NULL;
END $$"""


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    condition = " OR ".join(f"{column} = '{value}'" for value in values)
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{column}"))


def keys(by_subject: bool = True) -> Iterable[sa.Column[Any]]:
    yield sa.Column("id", KEY, nullable=False, autoincrement=False)
    yield sa.Column("study_id", KEY, nullable=False)
    if by_subject:
        yield sa.Column("subject_id", KEY, nullable=False)


def sourced(table: str) -> tuple[Any, ...]:
    return (
        sa.Column("record_key", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.BigInteger(), nullable=False),
        sa.Column("loaded_in", KEY, nullable=False),
        sa.Column("superseded_in", KEY),
        sa.Column("source_file_id", KEY, nullable=False),
        sa.Column("source_sheet", sa.Text()),
        sa.Column("source_row", sa.Integer()),
        sa.Column("source_column", sa.Text()),
        sa.Column("raw_text", sa.Text()),
        sa.Column("raw_unit", sa.Text()),
        check(table, "superseded_later", "superseded_in > loaded_in"),
        check(table, "source_row", "source_row >= 1"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def timed(table: str) -> tuple[Any, ...]:
    return (
        sa.Column("dtm_utc", sa.DateTime()),
        sa.Column("dtm_text", sa.Text()),
        sa.Column("tz", sa.Text()),
        sa.Column("dtm_precision", sa.Text()),
        sa.Column("rel_day", sa.Float()),
        sa.Column("rel_day_source", sa.Text()),
        sa.Column("visit", sa.Text()),
        sa.Column("visitnum", sa.Float()),
        sa.Column("nominal_day", sa.Float()),
        one_of(
            table, "dtm_precision", "second", "minute", "hour", "day", "month", "year", "unknown"
        ),
        one_of(table, "rel_day_source", "datetime", "date", "delivered"),
        check(table, "rel_day_has_source", "(rel_day IS NULL) = (rel_day_source IS NULL)"),
        check(
            table,
            "partial_date_has_no_rel_day",
            "rel_day_source IS NULL OR rel_day_source = 'delivered'"
            " OR NOT (dtm_precision = 'month' OR dtm_precision = 'year'"
            " OR dtm_precision = 'unknown')",
        ),
    )


def interval(table: str) -> tuple[Any, ...]:
    return (
        *timed(table),
        sa.Column("end_dtm_utc", sa.DateTime()),
        sa.Column("end_dtm_text", sa.Text()),
        sa.Column("end_dtm_precision", sa.Text()),
        sa.Column("end_rel_day", sa.Float()),
        sa.Column("ongoing", sa.Boolean()),
        one_of(
            table,
            "end_dtm_precision",
            "second",
            "minute",
            "hour",
            "day",
            "month",
            "year",
            "unknown",
        ),
        check(table, "ongoing_has_no_end", "NOT (ongoing AND end_rel_day IS NOT NULL)"),
        check(table, "ongoing", "ongoing = TRUE OR ongoing = FALSE"),
    )


def measured(table: str, or_instead: str | None = None) -> tuple[Any, ...]:
    exact = "censored <> 'none' OR value IS NOT NULL" + (f" OR {or_instead}" if or_instead else "")
    return (
        sa.Column("value", sa.Float()),
        sa.Column("lower", sa.Float()),
        sa.Column("upper", sa.Float()),
        sa.Column("unit", sa.Text()),
        sa.Column("censored", sa.Text(), nullable=False),
        one_of(table, "censored", "none", "left", "right", "interval"),
        check(
            table, "bounds_when_censored", "(censored = 'none') = (lower IS NULL AND upper IS NULL)"
        ),
        check(table, "no_value_when_censored", "censored = 'none' OR value IS NULL"),
        check(table, "left_has_upper", "censored <> 'left' OR (lower = 0 AND upper IS NOT NULL)"),
        check(table, "right_has_lower", "censored <> 'right' OR lower IS NOT NULL"),
        check(
            table,
            "interval_has_both",
            "censored <> 'interval' OR (lower IS NOT NULL AND upper IS NOT NULL)",
        ),
        check(table, "bounds_ordered", "lower <= upper"),
        check(table, "value_when_exact", exact),
    )


def references(
    table: str, *more: tuple[str, str], by_subject: bool = True, measured: bool = False
) -> Iterable[sa.ForeignKeyConstraint]:
    """Foreign keys; on Postgres the measured tables have triggers instead (check_references)."""
    if measured and op.get_bind().dialect.name == "postgresql":
        return
    for column, target in (*SOURCED, *((("subject_id", "subject"),) if by_subject else ()), *more):
        name = op.f(f"fk_{table}_{column}")
        yield sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name)


def check_references(table: str, *more: tuple[str, str]) -> None:
    """Postgres: check the references of a measured table once per statement, not per row."""
    if op.get_bind().dialect.name != "postgresql":
        return
    pairs = sorted((*SOURCED, ("subject_id", "subject"), *more))
    arguments = ", ".join(f"'{name}'" for pair in pairs for name in pair)
    for verb in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER {table}_references_{verb.lower()} AFTER {verb} ON {table} "
            "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT "
            f"EXECUTE FUNCTION check_references({arguments})"
        )


def index_records(table: str) -> None:
    current = sa.text("superseded_in IS NULL")
    op.create_index(
        op.f(f"uq_{table}_current"),
        table,
        ["study_id", "record_key"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )
    op.create_index(op.f(f"ix_{table}_study_id_loaded_in"), table, ["study_id", "loaded_in"])
