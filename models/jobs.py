"""The queue of jobs. Web workers insert and read rows; one dispatcher claims and runs them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from models.base import Base, GeneratedId, key_to, one_of

JOB_STATUSES = ("queued", "running", "done", "failed", "cancelled", "interrupted")


class Job(Base):
    """One row per job. `payload` and `result` are JSON text; `progress` runs from 0 to 1."""

    __tablename__ = "job"

    id: Mapped[GeneratedId]
    kind: Mapped[str]
    study_id: Mapped[int | None] = key_to("study")
    payload: Mapped[str]
    status: Mapped[str]
    progress: Mapped[float]
    message: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    actor: Mapped[str]
    result: Mapped[str | None]

    __table_args__ = (
        Index(None, "status"),
        one_of("status", JOB_STATUSES),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
    )
