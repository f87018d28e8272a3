"""What all tables share: the declarative base, names of constraints, and the column mixins.

Every trial record is immutable but for `superseded_in`. It is visible in a data cut when
``loaded_in <= cut.load_id`` and (``superseded_in`` is null or ``superseded_in > cut.load_id``).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

DTM_PRECISIONS = ("second", "minute", "hour", "day", "month", "year", "unknown")
REL_DAY_SOURCES = ("datetime", "date", "delivered")
CENSORED = ("none", "left", "right", "interval")
DECAY_STATES = ("none", "scan_start", "tracer_injection", "cell_infusion", "unknown")

Key = BigInteger().with_variant(Integer(), "sqlite")
"""64 bit on both databases; SQLite makes only an INTEGER primary key its own row id."""

IssuedId = Annotated[int, mapped_column(Key, primary_key=True, autoincrement=False, sort_order=-9)]
"""Issued by the loader in blocks (`models.bulk.next_id`), under the loader lock."""

GeneratedId = Annotated[int, mapped_column(Key, Identity(), primary_key=True, sort_order=-9)]
"""Issued by the database: rows that several processes insert one at a time."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: Integer,
        float: Float,
        str: Text,
        bool: Boolean,
        datetime: DateTime,
    }


def key_to(target: str, sort_order: int = 0) -> Any:
    """A column that refers to the id of another table."""
    return mapped_column(Key, ForeignKey(f"{target}.id"), sort_order=sort_order)


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """Spelled with OR: SQLite builds an index for every IN list again for every row it inserts."""
    return CheckConstraint(" OR ".join(f"{column} = '{v}'" for v in values), name=column)


def boolean(*columns: str) -> tuple[CheckConstraint, ...]:
    """SQLite keeps a boolean as any number; these make it true, false or null there too."""
    return tuple(CheckConstraint(f"{name} = TRUE OR {name} = FALSE", name=name) for name in columns)


def not_negative(*columns: str) -> tuple[CheckConstraint, ...]:
    return tuple(CheckConstraint(f"{name} >= 0", name=name) for name in columns)


def positive(*columns: str) -> tuple[CheckConstraint, ...]:
    return tuple(CheckConstraint(f"{name} > 0", name=name) for name in columns)


class Sourced:
    """A trial record: which load brought it, which one replaced it, and where it stood in the file.

    `record_key` identifies the record over loads (64-bit hash of its natural key),
    `content_hash` tells whether it changed. `source_row` is the 1-based row as a person sees it.
    """

    id: Mapped[IssuedId]
    study_id: Mapped[int] = key_to("study", sort_order=-8)
    record_key: Mapped[int] = mapped_column(BigInteger, sort_order=9)
    content_hash: Mapped[int] = mapped_column(BigInteger, sort_order=9)
    loaded_in: Mapped[int] = key_to("load", sort_order=9)
    superseded_in: Mapped[int | None] = key_to("load", sort_order=9)
    source_file_id: Mapped[int] = key_to("source_file", sort_order=9)
    source_sheet: Mapped[str | None] = mapped_column(sort_order=9)
    source_row: Mapped[int | None] = mapped_column(sort_order=9)
    source_column: Mapped[str | None] = mapped_column(sort_order=9)
    raw_text: Mapped[str | None] = mapped_column(sort_order=9)
    raw_unit: Mapped[str | None] = mapped_column(sort_order=9)


class Record(Sourced):
    """A record about one subject."""

    subject_id: Mapped[int] = key_to("subject", sort_order=-7)


class Timed:
    """When it happened: the UTC instant, the text as delivered, and days from infusion.

    `rel_day` is 0 at the first infusion, negative before it; partial dates have none.
    """

    dtm_utc: Mapped[datetime | None] = mapped_column(sort_order=1)
    dtm_text: Mapped[str | None] = mapped_column(sort_order=1)
    tz: Mapped[str | None] = mapped_column(sort_order=1)
    dtm_precision: Mapped[str | None] = mapped_column(sort_order=1)
    rel_day: Mapped[float | None] = mapped_column(sort_order=1)
    rel_day_source: Mapped[str | None] = mapped_column(sort_order=1)
    visit: Mapped[str | None] = mapped_column(sort_order=1)
    visitnum: Mapped[float | None] = mapped_column(sort_order=1)
    nominal_day: Mapped[float | None] = mapped_column(sort_order=1)


class Interval(Timed):
    """An event with a beginning and, unless ongoing, an end."""

    end_dtm_utc: Mapped[datetime | None] = mapped_column(sort_order=2)
    end_dtm_text: Mapped[str | None] = mapped_column(sort_order=2)
    end_dtm_precision: Mapped[str | None] = mapped_column(sort_order=2)
    end_rel_day: Mapped[float | None] = mapped_column(sort_order=2)
    ongoing: Mapped[bool | None] = mapped_column(sort_order=2)


class Measured:
    """A number, or the bounds between which it lies when it is censored; never both.

    Left-censored: lower 0, upper the limit. Right-censored: lower the limit, upper may be open.
    """

    value: Mapped[float | None] = mapped_column(sort_order=3)
    lower: Mapped[float | None] = mapped_column(sort_order=3)
    upper: Mapped[float | None] = mapped_column(sort_order=3)
    unit: Mapped[str | None] = mapped_column(sort_order=3)
    censored: Mapped[str] = mapped_column(sort_order=3)


MEASURED_TABLES = ("quantification", "kinetics_sample", "laboratory_result", "lesion_measurement")
"""Tables that a load fills by the million."""


def record_rules(table: str) -> tuple[Any, ...]:
    """At most one current record per key, and an index for reading a study by cut.

    There is none by subject: statements filter by study and cut only. The records of a load lie
    together, so on Postgres block ranges are index enough for the large tables.
    """
    current = text("superseded_in IS NULL")
    brin = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": "on"}}
    ranges: dict[str, Any] = brin if table in MEASURED_TABLES else {}
    return (
        Index(
            f"uq_{table}_current",
            "study_id",
            "record_key",
            unique=True,
            sqlite_where=current,
            postgresql_where=current,
        ),
        Index(None, "study_id", "loaded_in", **ranges),
        CheckConstraint("superseded_in > loaded_in", name="superseded_later"),
        CheckConstraint("source_row >= 1", name="source_row"),
    )


def timed_rules() -> tuple[CheckConstraint, ...]:
    return (
        one_of("dtm_precision", DTM_PRECISIONS),
        one_of("rel_day_source", REL_DAY_SOURCES),
        CheckConstraint("(rel_day IS NULL) = (rel_day_source IS NULL)", name="rel_day_has_source"),
        CheckConstraint(
            "rel_day_source IS NULL OR rel_day_source = 'delivered'"
            " OR NOT (dtm_precision = 'month' OR dtm_precision = 'year'"
            " OR dtm_precision = 'unknown')",
            name="partial_date_has_no_rel_day",
        ),
    )


def interval_rules() -> tuple[CheckConstraint, ...]:
    return (
        *timed_rules(),
        one_of("end_dtm_precision", DTM_PRECISIONS),
        CheckConstraint("NOT (ongoing AND end_rel_day IS NOT NULL)", name="ongoing_has_no_end"),
        *boolean("ongoing"),
    )


def measured_rules(or_instead: str | None = None) -> tuple[CheckConstraint, ...]:
    """`or_instead` is the condition under which an exact row may lack its number."""
    exact = "censored <> 'none' OR value IS NOT NULL" + (f" OR {or_instead}" if or_instead else "")
    return (
        one_of("censored", CENSORED),
        CheckConstraint(
            "(censored = 'none') = (lower IS NULL AND upper IS NULL)", name="bounds_when_censored"
        ),
        CheckConstraint("censored = 'none' OR value IS NULL", name="no_value_when_censored"),
        CheckConstraint(exact, name="value_when_exact"),
        CheckConstraint(
            "censored <> 'left' OR (lower = 0 AND upper IS NOT NULL)", name="left_has_upper"
        ),
        CheckConstraint("censored <> 'right' OR lower IS NOT NULL", name="right_has_lower"),
        CheckConstraint(
            "censored <> 'interval' OR (lower IS NOT NULL AND upper IS NOT NULL)",
            name="interval_has_both",
        ),
        CheckConstraint("lower <= upper", name="bounds_ordered"),
    )
