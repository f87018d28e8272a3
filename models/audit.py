"""Who changed what, when and why. Rows are only ever added: triggers refuse the rest."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from models.base import Base, GeneratedId


class Audit(Base):
    """One row per change. `before` and `after` are JSON text, never patient values in the clear."""

    __tablename__ = "audit"

    id: Mapped[GeneratedId]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    table_name: Mapped[str | None]
    key: Mapped[str | None]
    before: Mapped[str | None]
    after: Mapped[str | None]
    reason: Mapped[str | None]

    __table_args__ = (Index(None, "table_name", "key"),)
