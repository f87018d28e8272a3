"""Fits that somebody saved. Everything else that is derived is computed from the cut."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from models.base import Base, GeneratedId, key_to


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
