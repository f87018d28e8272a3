"""The dispatcher with real processes: a job runs, fails in words, and can be ended."""

import os
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from jobs import dispatcher as module
from jobs import runners
from jobs.dispatcher import Dispatcher, failure_message
from jobs.runners import DaskRunner, ProcessRunner, runner_for
from jobs.tasks import TASKS, run_task
from models import jobs as job_table
from models.errors import DatabaseError


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


def test_the_log_has_the_place_of_a_bug_and_no_text_that_could_hold_a_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken_task(database: str, payload: object, actor: str) -> dict[str, object]:
        raise ValueError("patient 014 has 31400")

    monkeypatch.setitem(TASKS, "broken", broken_task)
    with pytest.raises(ValueError, match="31400"):
        run_task("broken", "", {}, "tester")
    assert "ValueError" in caplog.text
    assert ":broken_task" in caplog.text
    assert "31400" not in caplog.text


def test_a_dispatcher_that_ends_by_a_bug_says_where_and_no_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sqlite_url: str
) -> None:
    def stumble(dispatcher: Dispatcher) -> None:
        raise ValueError("patient 014 has 31400")

    monkeypatch.setenv("CARTOGRAPH_DATABASE", sqlite_url)
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    monkeypatch.setattr(Dispatcher, "run_forever", stumble)
    with pytest.raises(SystemExit) as end:
        module.main()
    assert end.value.code == 70
    assert "ValueError at" in caplog.text
    assert ":stumble" in caplog.text
    assert "31400" not in caplog.text


def sleep_task(database: str, payload: dict, actor: str) -> dict[str, object]:
    Path(payload["sign"]).write_text(str(os.getpid()))
    time.sleep(60)
    return {}


def test_a_running_job_is_really_ended(
    queue: Dispatcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(TASKS, "sleep", sleep_task)
    monkeypatch.setattr(runners, "run_task", run_sleep)
    sign = tmp_path / "pid"
    job = put(queue.engine, "sleep", sign=str(sign))
    runner = threading.Thread(target=queue.run_next)
    runner.start()
    limit = time.monotonic() + 60
    while not (sign.exists() and sign.read_text()) and time.monotonic() < limit:
        time.sleep(0.05)
    child = int(sign.read_text())
    with queue.engine.begin() as connection:
        job_table.request_cancel(connection, job)
    runner.join(timeout=60)
    assert not runner.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert status(queue.engine, job)["status"] == "cancelled"


def run_sleep(kind: str, database: str, payload: object, actor: str) -> dict[str, object]:
    """Stands in for run_task in the spawned process: the patched registry does not travel."""
    return sleep_task(database, payload, actor)


def test_what_a_dead_dispatcher_left_running_is_marked_interrupted(
    queue: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = put(queue.engine, "fit")
    with queue.engine.begin() as connection:
        job_table.claim_job(connection)
    queue.sweep()
    assert status(queue.engine, job)["status"] == "running", "another dispatcher may be at work"
    monkeypatch.setattr(module, "STALE_S", -1.0)
    queue.sweep()
    assert status(queue.engine, job)["status"] == "interrupted"


def test_a_time_out_of_the_work_itself_is_a_failure_and_no_endless_wait(queue: Dispatcher) -> None:
    class TimedOut:
        def result(self, timeout: float) -> None:
            raise TimeoutError

        def done(self) -> bool:
            return True

        def cancel(self) -> None: ...

    with pytest.raises(TimeoutError):
        queue.await_result(1, TimedOut())


def test_the_end_of_a_job_is_written_once_the_database_is_free(
    queue: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = put(queue.engine, "dance")
    finish = job_table.finish_job
    refusals = iter([DatabaseError("locked"), DatabaseError("locked")])

    def busy_twice(*arguments: object) -> bool:
        for refusal in refusals:
            raise refusal
        return finish(*arguments)

    monkeypatch.setattr(job_table, "finish_job", busy_twice)
    assert queue.run_next() is True
    assert status(queue.engine, job)["status"] == "failed"


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
