"""The queue of jobs. Web workers insert and read rows; one dispatcher claims and runs them.

All functions take a connection, the transaction is the caller's; each changes rows by one
statement, so several processes may call them at once on both databases.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import CheckConstraint, Connection, Index, case, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped

from models.base import Base, GeneratedId, key_to, one_of
from models.clock import utc_now
from models.errors import UnknownNameError

QUEUED, RUNNING = "queued", "running"
FINAL_STATUSES = ("done", "failed", "cancelled", "interrupted")
JOB_STATUSES = (QUEUED, RUNNING, *FINAL_STATUSES)
INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
CANCEL_REQUESTED = "cancel requested"
"""The message by which a running job is asked to end; the dispatcher ends its process."""
OPEN = text(
    f"(status = '{QUEUED}' OR status = '{RUNNING}') "
    f"AND coalesce(message, '') <> '{CANCEL_REQUESTED}'"
)
"""Jobs that wait, or run and are not to end: of those there is one for each request."""


class Job(Base):
    """One row per job. `payload` and `result` are JSON text; `progress` runs from 0 to 1;
    `request_hash` is the SHA-256 of kind and payload."""

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
    request_hash: Mapped[str | None]

    __table_args__ = (
        Index(None, "status"),
        Index(
            "uq_job_open_request",
            "request_hash",
            unique=True,
            postgresql_where=OPEN,
            sqlite_where=OPEN,
        ),
        one_of("status", JOB_STATUSES),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
    )


def insert_job(
    connection: Connection,
    kind: str,
    payload: Mapping[str, Any],
    *,
    study_id: int | None = None,
    actor: str = "",
) -> int:
    """Put a job at the end of the queue; returns its number, or that of the open job that asks
    for the same. The database decides, so two that ask at once get one job."""
    asked = json.dumps(payload, sort_keys=True)
    request_hash = sha256(f"{kind}\n{asked}".encode()).hexdigest()
    row = {
        "kind": kind,
        "study_id": study_id,
        "payload": asked,
        "request_hash": request_hash,
        "status": QUEUED,
        "progress": 0.0,
        "created_at": utc_now(),
        "actor": actor,
    }
    insert = INSERTS[connection.dialect.name](Job).on_conflict_do_nothing().returning(Job.id)
    same = select(Job.id).where(Job.request_hash == request_hash, OPEN)
    while True:  # an equal job may end between the two
        key = connection.scalar(insert, row) or connection.scalar(same)
        if key is not None:
            return int(key)


def count_queued(connection: Connection) -> int:
    """How many jobs wait for their turn."""
    waiting = select(func.count()).select_from(Job).where(Job.status == QUEUED)
    return int(connection.scalar(waiting) or 0)


def claim_job(connection: Connection) -> dict[str, Any] | None:
    """Take the oldest queued job and mark it running, or None. Two callers never get the same."""
    oldest = select(Job.id).where(Job.status == QUEUED).order_by(Job.id).limit(1)
    now = utc_now()
    taken = connection.execute(
        update(Job)
        .where(Job.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
        .where(Job.status == QUEUED)
        .values(status=RUNNING, started_at=now, heartbeat_at=now, progress=0.0)
        .returning(*Job.__table__.columns)
    )
    row = taken.mappings().first()
    return None if row is None else _decoded(row)


def heartbeat(
    connection: Connection,
    job_id: int,
    progress: float | None = None,
    message: str | None = None,
) -> bool:
    """Say that a running job is alive, and how far it is (0 to 1). False: it is to end."""
    values: dict[str, Any] = {"heartbeat_at": utc_now()}
    if progress is not None:
        values["progress"] = min(max(progress, 0.0), 1.0)
    if message is not None:
        values["message"] = message
    alive = connection.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == RUNNING)
        .where(Job.message.is_distinct_from(CANCEL_REQUESTED))
        .values(values)
    )
    return alive.rowcount == 1


def finish_job(
    connection: Connection,
    job_id: int,
    status: str,
    result: Mapping[str, Any] | None = None,
    message: str | None = None,
) -> bool:
    """End a job that runs (or waits) as one of FINAL_STATUSES; False when it had ended already."""
    if status not in FINAL_STATUSES:
        raise ValueError(f"a job ends as one of {', '.join(FINAL_STATUSES)}, not as {status}")
    values: dict[str, Any] = {"status": status, "finished_at": utc_now(), "message": message}
    if result is not None:
        values["result"] = json.dumps(result)
    if status == "done":
        values["progress"] = 1.0
    ended = connection.execute(
        update(Job).where(Job.id == job_id, Job.status.in_((QUEUED, RUNNING))).values(values)
    )
    return ended.rowcount == 1


def request_cancel(connection: Connection, job_id: int) -> str:
    """Cancel a waiting job at once, ask a running one to end; returns the status it has now."""
    waits = Job.status == QUEUED
    connection.execute(
        update(Job)
        .where(Job.id == job_id, Job.status.in_((QUEUED, RUNNING)))
        .values(
            status=case((waits, "cancelled"), else_=Job.status),
            finished_at=case((waits, utc_now()), else_=Job.finished_at),
            message=case((waits, "cancelled"), else_=CANCEL_REQUESTED),
        )
    )
    return str(read_job(connection, job_id)["status"])


def mark_interrupted(connection: Connection, stale_before: datetime) -> int:
    """Mark running jobs interrupted whose last heartbeat is older; returns how many."""
    lost = connection.execute(
        update(Job)
        .where(Job.status == RUNNING, Job.heartbeat_at < stale_before)
        .values(
            status="interrupted",
            finished_at=utc_now(),
            message="the program ended while the job ran; start it again",
        )
    )
    return int(lost.rowcount)


def read_job(connection: Connection, job_id: int) -> dict[str, Any]:
    """The row of a job, with `payload` and `result` decoded and `cancel_requested`.

    Raises UnknownNameError.
    """
    row = connection.execute(select(Job.__table__).where(Job.id == job_id)).mappings().first()
    if row is None:
        raise UnknownNameError(f"there is no job {job_id}")
    return _decoded(row)


def _decoded(row: Mapping[Any, Any]) -> dict[str, Any]:
    result = row["result"]
    return {
        **row,
        "payload": json.loads(row["payload"]),
        "result": None if result is None else json.loads(result),
        "cancel_requested": row["status"] == RUNNING and row["message"] == CANCEL_REQUESTED,
    }
