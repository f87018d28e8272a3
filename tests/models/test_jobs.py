"""The queue: every job is run once, ends once, and is never lost from sight."""

import multiprocessing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen

from models import jobs
from models.clock import utc_now
from models.connect import create_engine_for
from models.errors import UnknownNameError


def insert(engine: Engine, n: int = 1) -> list[int]:
    with engine.begin() as connection:
        return [jobs.insert_job(connection, "fit", {"n": at}, actor="t") for at in range(n)]


def read(engine: Engine, job_id: int) -> dict:
    with engine.begin() as connection:
        return jobs.read_job(connection, job_id)


def claim(engine: Engine) -> dict | None:
    with engine.begin() as connection:
        return jobs.claim_job(connection)


def test_the_life_of_a_job(engine: Engine) -> None:
    first, second = insert(engine, 2)
    job = claim(engine)
    assert job is not None
    assert (job["id"], job["status"], job["payload"]) == (first, "running", {"n": 0})
    with engine.begin() as connection:
        assert jobs.heartbeat(connection, first, 1.7, "half way")
        assert not jobs.heartbeat(connection, second)
    assert (read(engine, first)["progress"], read(engine, first)["message"]) == (1.0, "half way")
    with engine.begin() as connection:
        assert jobs.finish_job(connection, first, "done", {"cut": "one"})
        assert not jobs.finish_job(connection, first, "failed")
    ended = read(engine, first)
    assert (ended["status"], ended["result"], ended["progress"]) == ("done", {"cut": "one"}, 1.0)
    assert ended["finished_at"] >= ended["started_at"] >= ended["created_at"]


def test_cancel(engine: Engine) -> None:
    running, waiting = insert(engine, 2)
    claim(engine)
    with engine.begin() as connection:
        assert jobs.request_cancel(connection, waiting) == "cancelled"
        assert jobs.request_cancel(connection, running) == "running"
    assert read(engine, running)["cancel_requested"]
    with engine.begin() as connection:
        assert not jobs.heartbeat(connection, running, 0.5)
        assert jobs.finish_job(connection, running, "cancelled")
    with engine.begin() as connection:
        assert jobs.request_cancel(connection, running) == "cancelled"
    assert claim(engine) is None


def test_a_request_to_cancel_changes_the_row_by_one_statement(engine: Engine) -> None:
    running, waiting = insert(engine, 2)
    claim(engine)
    said: list[str] = []
    listen(engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    with engine.begin() as connection:
        for job in (waiting, running):
            jobs.request_cancel(connection, job)
    assert sum(one.startswith("UPDATE") for one in said) == 2
    ended, asked = read(engine, waiting), read(engine, running)
    assert (ended["status"], ended["message"]) == ("cancelled", "cancelled")
    assert ended["finished_at"] >= ended["created_at"]
    assert (asked["status"], asked["finished_at"]) == ("running", None)
    with engine.begin() as connection, pytest.raises(UnknownNameError):
        jobs.request_cancel(connection, 99)


def test_stale_jobs_are_marked(engine: Engine) -> None:
    lost, waiting = insert(engine, 2)
    claim(engine)
    with engine.begin() as connection:
        assert jobs.mark_interrupted(connection, utc_now() - timedelta(minutes=1)) == 0
        assert jobs.mark_interrupted(connection, utc_now() + timedelta(seconds=1)) == 1
    assert read(engine, lost)["status"] == "interrupted"
    assert read(engine, waiting)["status"] == "queued"


def test_nonsense_is_refused(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(ValueError, match="a job ends as one of"):
        jobs.finish_job(connection, 1, "running")
    with pytest.raises(UnknownNameError, match="there is no job 12"):
        read(engine, 12)


def claim_all(url: str, log: Path) -> None:
    """A dispatcher in a process of its own: claims until the queue is empty."""
    engine = create_engine_for(url)
    with log.open("w") as file:
        while job := claim(engine):
            file.write(f"{job['id']}\n")
            with engine.begin() as connection:
                jobs.finish_job(connection, job["id"], "done")
    engine.dispose()


def test_four_processes_claim_each_job_once(
    database_url: str, engine: Engine, tmp_path: Path
) -> None:
    wanted = insert(engine, 60)
    spawn = multiprocessing.get_context("spawn")
    logs = [tmp_path / f"log{n}" for n in range(4)]
    claimers = [spawn.Process(target=claim_all, args=(database_url, log)) for log in logs]
    for claimer in claimers:
        claimer.start()
    for claimer in claimers:
        claimer.join()
        assert claimer.exitcode == 0
    claimed = [int(line) for log in logs for line in log.read_text().split()]
    assert sorted(claimed) == wanted
