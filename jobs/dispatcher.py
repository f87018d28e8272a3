"""The one dispatcher: claims queued jobs and sees each to its end (see `jobs.runners`).

Web workers only insert and read rows of the job table. A thread or an executor's future cannot be
cancelled once it runs, and one dead worker breaks a whole executor; a process per job can be ended
at any time and takes nothing with it. Spawn, never fork: a forked polars hangs.
"""

import logging
import os
import signal
import sys
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from analysis.errors import trail
from jobs.runners import Runner, Running, runner_for
from jobs.tasks import TASKS
from models import jobs as job_table
from models.clock import utc_now
from models.engine import create_engine_for
from models.errors import DatabaseError

log = logging.getLogger(__name__)

HEARTBEAT_S = 0.5
STALE_S = 60.0
SWEEP_S = 60.0
LOOK_S = 0.1
EXIT_BUG = 70


@dataclass(frozen=True)
class Dispatcher:
    """Claims and runs jobs of one database, one at a time."""

    engine: Engine
    runner: Runner
    poll_s: float

    def run_forever(self) -> None:
        """Work until the process that started this one is gone."""
        parent = os.getppid()
        swept = -SWEEP_S
        while os.getppid() == parent:
            try:
                if time.monotonic() - swept >= SWEEP_S:
                    self.sweep()
                    swept = time.monotonic()
                worked = self.run_next()
            except DatabaseError as error:
                log.warning("the job table cannot be reached, trying again: %s", error)
                worked = False
            if not worked:
                time.sleep(self.poll_s)

    def sweep(self) -> None:
        """A job whose dispatcher died is marked interrupted, not lost from sight. Only a heart
        that has been still for long counts: another dispatcher may be at work on this database."""
        with self.engine.begin() as connection:
            job_table.mark_interrupted(connection, utc_now() - timedelta(seconds=STALE_S))

    def run_next(self) -> bool:
        """Run the oldest queued job; False when there is none."""
        with self.engine.begin() as connection:
            job = job_table.claim_job(connection)
        if job is None:
            return False
        self.finish(job["id"], *self.run(job))
        return True

    def finish(self, job_id: int, status: str, message: str, result: dict[str, Any] | None) -> None:
        """Write the end of a job; a database busy with a load is asked until it takes it."""
        while True:
            try:
                with self.engine.begin() as connection:
                    job_table.finish_job(connection, job_id, status, result, message)
                return
            except DatabaseError as error:
                log.warning("the end of job %s cannot be written yet: %s", job_id, error)
                time.sleep(self.poll_s)

    def run(self, job: dict[str, Any]) -> tuple[str, str, dict[str, Any] | None]:
        """Run one claimed job to its end: (status, message, result)."""
        if job["kind"] not in TASKS:
            return "failed", f"unknown kind of job '{job['kind']}'", None
        try:
            with self.runner.start(job) as running:
                return "done", "", self.await_result(job["id"], running)
        except CancelledError:
            return "cancelled", "cancelled by the user", None
        except Exception as error:  # any end of a job is a row, never the end of the dispatcher
            log.warning("job %s (%s) failed: %s", job["id"], job["kind"], type(error).__name__)
            return "failed", failure_message(error), None

    def await_result(self, job_id: int, running: Running) -> dict[str, Any]:
        """Wait for the result; beat the heart, and end the work when asked to.

        Raises CancelledError, and whatever the work raised.
        """
        beaten = 0.0
        while True:
            try:
                return dict(running.result(timeout=LOOK_S))
            except TimeoutError:
                if running.done():
                    raise  # the work's own time-out
                if time.monotonic() - beaten < HEARTBEAT_S:
                    continue
            beaten = time.monotonic()
            if not self.still_wanted(job_id):
                running.cancel()
                raise CancelledError

    def still_wanted(self, job_id: int) -> bool:
        """Beat the heart; False when the job is to end. A database that is busy with a load for
        longer than its time-out is no reason to end a job."""
        try:
            with self.engine.begin() as connection:
                return job_table.heartbeat(connection, job_id)
        except DatabaseError:
            return True


def failure_message(error: Exception) -> str:
    """One line for the screen: a user error in its own words, a bug by its type only."""
    if hasattr(error, "exit_code"):
        return " ".join(str(error).split())
    return f"the job ended with an unexpected error ({type(error).__name__}); see the server's log"


def main() -> None:
    """Entry point of the process that `serve` starts; ends with its job when asked to."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.basicConfig(level=os.environ.get("CARTOGRAPH_LOG_LEVEL", "WARNING").upper())
    database = os.environ["CARTOGRAPH_DATABASE"]
    poll_s = float(os.environ.get("CARTOGRAPH_JOB_POLL_S", "0.5"))
    runner = runner_for(database, os.environ.get("CARTOGRAPH_SCHEDULER", ""))
    try:
        Dispatcher(create_engine_for(database), runner, poll_s).run_forever()
    except Exception as error:
        log.error("the dispatcher ended: %s", trail(error))
        sys.exit(EXIT_BUG)


if __name__ == "__main__":
    main()
