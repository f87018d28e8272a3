"""What a page may ask of the queue: start, follow and cancel a job of a study it may read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from analysis.errors import UserError
from models import jobs as job_table
from models.connect import reading
from models.errors import UnknownNameError
from models.queries import read_study

MOST_WAITING = 20
"""Jobs that may wait at once: one runs at a time, so more would only be forgotten."""


@dataclass(frozen=True)
class JobRequests:
    """Requests of one web program. `readable` returns the name of a study that may be read here
    and raises UserError for any other: a job of such a study cannot be started, seen or ended."""

    engine: Engine
    readable: Callable[[str], str]
    actor: str

    def submit(self, kind: str, studyid: str, payload: Mapping[str, Any]) -> int:
        """The id of the job; an equal one that waits or runs already is taken instead.

        Raises UserError: the study is out of scope, or too many jobs wait.
        """
        study_id = int(read_study(self.engine, self.readable(studyid))["id"])
        whole = {**payload, "study": studyid}
        with self.engine.begin() as connection:
            job = job_table.insert_job(connection, kind, whole, study_id=study_id, actor=self.actor)
            if job_table.count_queued(connection) > MOST_WAITING:  # undoes the transaction
                raise UserError(
                    f"{MOST_WAITING} jobs wait already; wait until one has ended, or cancel some"
                )
            return job

    def read(self, job_id: int) -> dict[str, Any] | None:
        """The row of a job, None for one that is not there or out of scope."""
        try:
            with reading(self.engine) as connection:
                job = job_table.read_job(connection, job_id)
            self.readable(str(job["payload"].get("study")))
        except (UnknownNameError, UserError):
            return None
        return job

    def cancel(self, job_id: int) -> None:
        """Ask for the end of a job; one that is out of scope goes on."""
        if self.read(job_id) is None:
            return
        with self.engine.begin() as connection:
            job_table.request_cancel(connection, job_id)
