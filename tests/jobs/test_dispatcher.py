"""The dispatcher with real processes: a job runs, fails in words, and can be ended."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from jobs import runners
from jobs.dispatcher import Dispatcher, failure_message
from jobs.runners import DaskRunner, ProcessRunner, runner_for
from jobs.tasks import TASKS
from models import jobs as job_table


@pytest.fixture
def queue(sqlite_url: str) -> Dispatcher:
    from models.connect import create_engine_for

    engine = create_engine_for(sqlite_url)
    return Dispatcher(engine, ProcessRunner(sqlite_url), poll_s=0.05)


def put(engine: Engine, kind: str, **payload: object) -> int:
    with engine.begin() as connection:
        return job_table.insert_job(connection, kind, payload, actor="tester")


def status(engine: Engine, job_id: int) -> dict[str, object]:
    with engine.connect() as connection:
        return job_table.read_job(connection, job_id)


def test_an_empty_queue_is_no_work(queue: Dispatcher) -> None:
    assert queue.run_next() is False


def test_an_unknown_kind_fails_in_words(queue: Dispatcher) -> None:
    job = put(queue.engine, "dance")
    assert queue.run_next() is True
    row = status(queue.engine, job)
    assert row["status"] == "failed"
    assert "unknown kind of job 'dance'" in str(row["message"])


def test_a_user_error_of_a_job_reaches_the_screen_in_its_own_words(queue: Dispatcher) -> None:
    job = put(queue.engine, "fit", study="NONE")
    queue.run_next()
    row = status(queue.engine, job)
    assert row["status"] == "failed"
    assert "NONE" in str(row["message"])


def test_a_bug_of_a_job_shows_its_type_and_no_text_that_could_hold_a_value() -> None:
    words = failure_message(ValueError("patient 014 has 31400"))
    assert "ValueError" in words
    assert "014" not in words


def sleep_task(database: str, payload: object, actor: str) -> dict[str, object]:
    time.sleep(60)
    return {}


def test_a_running_job_is_really_ended(
    queue: Dispatcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(TASKS, "sleep", sleep_task)
    monkeypatch.setattr(runners, "run_task", run_sleep)
    job = put(queue.engine, "sleep")
    runner = threading.Thread(target=queue.run_next)
    runner.start()
    limit = time.monotonic() + 30
    while status(queue.engine, job)["status"] != "running" and time.monotonic() < limit:
        time.sleep(0.05)
    with queue.engine.begin() as connection:
        job_table.request_cancel(connection, job)
    runner.join(timeout=20)
    assert not runner.is_alive()
    assert status(queue.engine, job)["status"] == "cancelled"


def run_sleep(kind: str, database: str, payload: object, actor: str) -> dict[str, object]:
    """Stands in for run_task in the spawned process: the patched registry does not travel."""
    return sleep_task(database, payload, actor)


def test_what_a_dead_dispatcher_left_running_is_marked_interrupted(queue: Dispatcher) -> None:
    job = put(queue.engine, "fit")
    with queue.engine.begin() as connection:
        job_table.claim_job(connection)
    queue.recover()
    assert status(queue.engine, job)["status"] == "interrupted"


def test_with_a_scheduler_address_jobs_go_to_dask(queue: Dispatcher, sqlite_url: str) -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        runner = runner_for(sqlite_url, cluster.scheduler_address)
        assert isinstance(runner, DaskRunner)
        remote = Dispatcher(queue.engine, runner, poll_s=0.05)
        job = put(queue.engine, "fit", study="NONE")
        assert remote.run_next() is True
    row = status(queue.engine, job)
    assert (row["status"], "NONE" in str(row["message"])) == ("failed", True)


def test_a_scheduler_that_is_not_there_is_said_in_words(
    queue: Dispatcher, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    monkeypatch.setattr(runners, "CONNECT_LIMIT_S", 1)
    job = put(queue.engine, "fit", study="NONE")
    Dispatcher(queue.engine, DaskRunner(sqlite_url, "tcp://127.0.0.1:9"), 0.05).run_next()
    assert "CARTOGRAPH_SCHEDULER" in str(status(queue.engine, job)["message"])
