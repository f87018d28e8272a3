"""Where a job's work happens: a process of its own on this machine, or a Dask cluster."""

import multiprocessing
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from pebble import ProcessPool

from analysis.errors import UserError
from jobs.tasks import run_task

CONNECT_LIMIT_S = 10


class Running(Protocol):
    """Work that has been started. `result` raises TimeoutError when it is not ready in time, and
    whatever the work raised; `cancel` ends it."""

    def result(self, timeout: float) -> Any: ...

    def cancel(self) -> Any: ...

    def done(self) -> bool: ...


class Runner(Protocol):
    """Starts the work of a claimed job; leaving the context frees what it took."""

    def start(self, job: dict[str, Any]) -> AbstractContextManager[Running]: ...


@dataclass(frozen=True)
class ProcessRunner:
    """A spawned process per job: it can be ended at any time and takes nothing with it."""

    database: str

    @contextmanager
    def start(self, job: dict[str, Any]) -> Iterator[Running]:
        context = multiprocessing.get_context("spawn")
        with ProcessPool(max_workers=1, max_tasks=1, context=context) as pool:
            try:
                yield pool.schedule(run_task, args=arguments(job, self.database))
            finally:
                pool.stop()  # leaving would wait for work that nobody waits for any more


@dataclass(frozen=True)
class DaskRunner:
    """A Dask cluster whose workers have this program installed and reach the same database.

    The workers are told the database's address, password included: use a cluster and a network
    that may know it. Dask ends a job that waits; one that runs goes on to its end, and a fit that
    was cancelled so is stored all the same.
    """

    database: str
    address: str

    @contextmanager
    def start(self, job: dict[str, Any]) -> Iterator[Running]:
        from distributed import Client

        try:
            client = Client(self.address, timeout=CONNECT_LIMIT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"scheduler {self.address}: not reachable ({type(error).__name__}); start it, "
                "correct CARTOGRAPH_SCHEDULER, or unset it to run jobs on this machine."
            ) from error
        with client:
            yield client.submit(run_task, *arguments(job, self.database), pure=False)


def arguments(job: dict[str, Any], database: str) -> list[Any]:
    """What `run_task` takes, from a row of the job table."""
    return [job["kind"], database, job["payload"], job["actor"]]


def runner_for(database: str, scheduler: str) -> Runner:
    """The cluster where an address is set, else this machine."""
    return DaskRunner(database, scheduler) if scheduler else ProcessRunner(database)
