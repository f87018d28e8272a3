"""Who changed what, when and why. Rows are only ever added: triggers refuse the rest."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Index, insert
from sqlalchemy.orm import Mapped

from models.base import Base, GeneratedId
from models.clock import utc_now


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


def insert_audit(
    connection: Connection,
    actor: str,
    action: str,
    *,
    table_name: str | None = None,
    key: str | int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> int:
    """Record a change in the transaction that makes it: both happen or neither."""
    row = {
        "at": utc_now(),
        "actor": actor,
        "action": action,
        "table_name": table_name,
        "key": None if key is None else str(key),
        "before": None if before is None else json.dumps(before, default=str, sort_keys=True),
        "after": None if after is None else json.dumps(after, default=str, sort_keys=True),
        "reason": reason,
    }
    number = connection.scalar(insert(Audit).returning(Audit.id), row)
    assert number is not None
    return int(number)
