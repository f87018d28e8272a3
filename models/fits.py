"""Fits that somebody saved. Everything else that is derived is computed from the cut."""

from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Index, insert, select
from sqlalchemy.orm import Mapped

from models.base import Base, GeneratedId, key_to
from models.clock import utc_now
from models.errors import UnknownNameError
from models.frames import read_frame


class StoredFit(Base):
    """One row per saved fit: the specification and the result as JSON text, and their cut."""

    __tablename__ = "stored_fit"

    id: Mapped[GeneratedId]
    study_id: Mapped[int] = key_to("study")
    cut_id: Mapped[int] = key_to("data_cut")
    spec_hash: Mapped[str]
    spec: Mapped[str]
    fit: Mapped[str]
    created_at: Mapped[datetime]
    actor: Mapped[str]

    __table_args__ = (Index(None, "study_id", "cut_id", "spec_hash"),)


def insert_fit(
    connection: Connection,
    *,
    study_id: int,
    cut_id: int,
    spec_hash: str,
    spec: str,
    fit: str,
    actor: str = "",
) -> int:
    """Save a fit (JSON texts) in the caller's transaction; returns its number."""
    row = {
        "study_id": study_id,
        "cut_id": cut_id,
        "spec_hash": spec_hash,
        "spec": spec,
        "fit": fit,
        "created_at": utc_now(),
        "actor": actor,
    }
    key = connection.scalar(insert(StoredFit).returning(StoredFit.id), row)
    assert key is not None
    return int(key)


def list_fits(connection: Connection, study_id: int) -> pl.DataFrame:
    """One row per saved fit of the study, newest first, without the two JSON texts."""
    table: Any = StoredFit.__table__
    columns = [column for column in table.c if column.name not in ("spec", "fit", "study_id")]
    query = select(table).where(table.c.study_id == study_id).order_by(table.c.id.desc())
    return read_frame(connection, columns, query)


def read_fit(connection: Connection, fit_id: int) -> dict[str, Any]:
    """The row of a saved fit. Raises UnknownNameError."""
    query = select(StoredFit.__table__).where(StoredFit.id == fit_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UnknownNameError(f"there is no saved fit {fit_id}")
    return dict(row)


def find_fit(connection: Connection, cut_id: int, spec_hash: str) -> dict[str, Any] | None:
    """The newest saved fit of this specification on this cut, None when there is none."""
    query = (
        select(StoredFit.__table__)
        .where(StoredFit.cut_id == cut_id, StoredFit.spec_hash == spec_hash)
        .order_by(StoredFit.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)
