"""Where every record comes from: loads, their files, what was refused or found, and data cuts."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, GeneratedId, IssuedId, key_to, not_negative, one_of

LOAD_STATUSES = ("running", "done", "failed")
DELIVERIES = ("full", "partial")
SEVERITIES = ("info", "warning", "error")


class Load(Base):
    """One row per load. The profile is kept whole, as it was when it was used.

    Only a `full` delivery retires records that are no longer delivered.
    """

    __tablename__ = "load"

    id: Mapped[GeneratedId]
    study_id: Mapped[int] = key_to("study")
    status: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    actor: Mapped[str]
    profile_name: Mapped[str | None]
    profile_hash: Mapped[str | None]
    profile_text: Mapped[str | None]
    contract_version: Mapped[str]
    program_version: Mapped[str]
    delivery: Mapped[str]
    message: Mapped[str | None]

    __table_args__ = (
        Index(None, "study_id"),
        one_of("status", LOAD_STATUSES),
        one_of("delivery", DELIVERIES),
    )


class SourceFile(Base):
    """One row per load and file. `rows_in` counts records after reshaping:

    ``rows_in = loaded + refused + duplicates + empty``; `file_rows` are the data rows of the file
    (without header lines, with empty rows), `file_cells` the cells of all its lines, `superseded`
    how many earlier records this file replaced.
    """

    __tablename__ = "source_file"

    id: Mapped[IssuedId]
    load_id: Mapped[int] = key_to("load")
    study_id: Mapped[int] = key_to("study")
    path: Mapped[str]
    sha256: Mapped[str]
    size_byte: Mapped[int] = mapped_column(BigInteger)
    reader: Mapped[str]
    file_rows: Mapped[int | None]
    file_cells: Mapped[int | None]
    rows_in: Mapped[int]
    loaded: Mapped[int]
    refused: Mapped[int]
    duplicates: Mapped[int]
    empty: Mapped[int]
    superseded: Mapped[int]

    __table_args__ = (
        Index(None, "study_id", "sha256"),
        Index(None, "load_id"),
        CheckConstraint("rows_in = loaded + refused + duplicates + empty", name="accounted"),
        *not_negative("size_byte", "loaded", "refused", "duplicates", "empty", "superseded"),
    )


class RefusedRow(Base):
    """One row per refused record and the rule it breaks first; `sheet` of a text file is its name
    without the ending, `raw` the text as delivered, "" for an empty cell. Columns that identify
    persons are never read."""

    __tablename__ = "refused_row"

    id: Mapped[IssuedId]
    load_id: Mapped[int] = key_to("load")
    source_file_id: Mapped[int] = key_to("source_file")
    sheet: Mapped[str | None]
    row: Mapped[int | None]
    column_name: Mapped[str | None]
    rule: Mapped[str]
    raw: Mapped[str | None]
    message: Mapped[str | None]

    __table_args__ = (Index(None, "load_id"), Index(None, "source_file_id"))


class Finding(Base):
    """One row per load and thing worth knowing that refused no row, with how often it was seen."""

    __tablename__ = "finding"

    id: Mapped[IssuedId]
    load_id: Mapped[int] = key_to("load")
    source_file_id: Mapped[int | None] = key_to("source_file")
    severity: Mapped[str]
    code: Mapped[str]
    column_name: Mapped[str | None]
    count: Mapped[int]
    message: Mapped[str]

    __table_args__ = (Index(None, "load_id"), one_of("severity", SEVERITIES))


class DataCut(Base):
    """One row per study and name: the study as it stood after one load."""

    __tablename__ = "data_cut"

    id: Mapped[GeneratedId]
    study_id: Mapped[int] = key_to("study")
    name: Mapped[str]
    load_id: Mapped[int] = key_to("load")
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("study_id", "name"),)
