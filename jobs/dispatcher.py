"""The one dispatcher: runs queued jobs, each in a spawned process that can really be ended.

Web workers only insert and read rows of the job table. A thread or an executor's future cannot be
cancelled once it runs, and one dead worker breaks a whole executor; a process per job can be ended
at any time and takes nothing with it. Spawn, never fork: a forked polars hangs.
"""

import logging
import multiprocessing
import os
import time
from concurrent.futures import CancelledError, TimeoutError
from dataclasses import dataclass
from typing import Any

from pebble import ProcessPool
from sqlalchemy import Engine

from jobs.tasks import TASKS, run_task
from models import jobs as job_table
from models.clock import utc_now
from models.engine import create_engine_for

log = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
LOOK_S = 0.1


@dataclass(frozen=True)
class Dispatcher:
    """Claims and runs jobs of one database, one at a time."""

    database: str
    engine: Engine
    poll_s: float

    def run_forever(self) -> None:
        """Work until the process that started this one is gone."""
        parent = os.getppid()
        self.recover()
        while os.getppid() == parent:
            if not self.run_next():
                time.sleep(self.poll_s)

    def recover(self) -> None:
        """A job that a dead dispatcher left running is marked interrupted, not lost from sight."""
        with self.engine.begin() as connection:
            job_table.mark_interrupted(connection, utc_now())

    def run_next(self) -> bool:
        """Run the oldest queued job; False when there is none."""
        with self.engine.begin() as connection:
            job = job_table.claim_job(connection)
        if job is None:
            return False
        status, message, result = self.run(job)
        with self.engine.begin() as connection:
            job_table.finish_job(connection, job["id"], status, result, message)
        return True

    def run(self, job: dict[str, Any]) -> tuple[str, str, dict[str, Any] | None]:
        """Run one claimed job to its end: (status, message, result)."""
        if job["kind"] not in TASKS:
            return "failed", f"unknown kind of job '{job['kind']}'", None
        context = multiprocessing.get_context("spawn")
        with ProcessPool(max_workers=1, max_tasks=1, context=context) as pool:
            future = pool.schedule(
                run_task, args=[job["kind"], self.database, job["payload"], job["actor"]]
            )
            try:
                return "done", "", self.await_result(job["id"], future)
            except CancelledError:
                return "cancelled", "cancelled by the user", None
            except Exception as error:  # any end of a job is a row, never the end of the dispatcher
                log.warning("job %s (%s) failed: %s", job["id"], job["kind"], type(error).__name__)
                return "failed", failure_message(error), None

    def await_result(self, job_id: int, future: Any) -> dict[str, Any]:
        """Wait for the result; beat the heart and end the process when asked to."""
        beaten = 0.0
        while True:
            try:
                return dict(future.result(timeout=LOOK_S))
            except TimeoutError:
                if time.monotonic() - beaten < HEARTBEAT_S / 4:
                    continue
            beaten = time.monotonic()
            with self.engine.begin() as connection:
                wanted = job_table.heartbeat(connection, job_id)
            if not wanted:
                future.cancel()


def failure_message(error: Exception) -> str:
    """One line for the screen: a user error in its own words, a bug by its type only."""
    if hasattr(error, "exit_code"):
        return " ".join(str(error).split())
    return f"the job ended with an unexpected error ({type(error).__name__}); see the server's log"


def main() -> None:
    """Entry point of the process that `serve` starts."""
    logging.basicConfig(level=os.environ.get("CARTOGRAPH_LOG_LEVEL", "WARNING").upper())
    database = os.environ["CARTOGRAPH_DATABASE"]
    poll_s = float(os.environ.get("CARTOGRAPH_JOB_POLL_S", "0.5"))
    Dispatcher(database, create_engine_for(database), poll_s).run_forever()


if __name__ == "__main__":
    main()
