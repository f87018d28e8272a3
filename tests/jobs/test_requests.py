"""What a page may do with jobs: only those of studies that it may read, and not without end."""

from threading import Thread

import pytest
from sqlalchemy import Engine, insert

from analysis.errors import UserError
from dashboard.data import TrialReader
from jobs.requests import MOST_WAITING, JobRequests
from models import jobs as job_table
from models.tables import TABLES

STUDY = {"infusion_day_label": 0}


@pytest.fixture
def studies(engine: Engine) -> Engine:
    """One synthetic study and one of real patients."""
    rows = [
        {**STUDY, "studyid": "SYN-01", "is_synthetic": True},
        {**STUDY, "studyid": "REAL-01", "is_synthetic": False},
    ]
    with engine.begin() as connection:
        connection.execute(insert(TABLES["study"]), rows)
    return engine


def requests_of(engine: Engine, *, synthetic_only: bool) -> JobRequests:
    reader = TrialReader(engine, synthetic_only=synthetic_only)
    return JobRequests(engine, reader.readable_study, "tester")


def status(engine: Engine, job_id: int) -> str:
    with engine.begin() as connection:
        return str(job_table.read_job(connection, job_id)["status"])


def test_demo_mode_cannot_start_see_or_end_a_job_of_a_real_study(studies: Engine) -> None:
    job = requests_of(studies, synthetic_only=False).submit("fit", "REAL-01", {"cut": "c"})
    demo = requests_of(studies, synthetic_only=True)
    with pytest.raises(UserError, match="REAL-01"):
        demo.submit("fit", "REAL-01", {"cut": "c"})
    assert demo.read(job) is None
    demo.cancel(job)
    assert status(studies, job) == "queued"


def test_a_job_of_a_readable_study_can_be_followed_and_ended(studies: Engine) -> None:
    demo = requests_of(studies, synthetic_only=True)
    job = demo.submit("fit", "SYN-01", {"cut": "c"})
    row = demo.read(job)
    assert row is not None
    assert (row["status"], row["payload"]) == ("queued", {"cut": "c", "study": "SYN-01"})
    demo.cancel(job)
    assert status(studies, job) == "cancelled"
    assert demo.read(job + 1) is None
    demo.cancel(job + 1)


def test_the_payload_cannot_name_another_study(studies: Engine) -> None:
    demo = requests_of(studies, synthetic_only=True)
    job = demo.submit("fit", "SYN-01", {"study": "REAL-01"})
    assert demo.read(job)["payload"]["study"] == "SYN-01"  # type: ignore[index]


def test_an_equal_question_is_asked_once_until_it_has_ended(studies: Engine) -> None:
    page = requests_of(studies, synthetic_only=True)
    first = page.submit("fit", "SYN-01", {"cut": "c", "spec": {"outcome": "a"}})
    assert page.submit("fit", "SYN-01", {"spec": {"outcome": "a"}, "cut": "c"}) == first
    assert page.submit("fit", "SYN-01", {"spec": {"outcome": "b"}, "cut": "c"}) != first
    with studies.begin() as connection:
        assert job_table.claim_job(connection)["id"] == first  # type: ignore[index]
    assert page.submit("fit", "SYN-01", {"cut": "c", "spec": {"outcome": "a"}}) == first
    page.cancel(first)
    again = page.submit("fit", "SYN-01", {"cut": "c", "spec": {"outcome": "a"}})
    assert again != first


def test_two_that_ask_the_same_at_once_get_one_job(studies: Engine) -> None:
    """The second asks while the first has not committed, so it cannot see its job yet."""
    page = requests_of(studies, synthetic_only=True)
    second: list[int] = []
    with studies.begin() as connection:
        payload = {"cut": "c", "study": "SYN-01"}
        first = job_table.insert_job(connection, "fit", payload, actor="first")
        asking = Thread(target=lambda: second.append(page.submit("fit", "SYN-01", {"cut": "c"})))
        asking.start()
        asking.join(timeout=0.5)
    asking.join()
    assert second == [first]


def test_a_full_queue_refuses_in_words(studies: Engine) -> None:
    page = requests_of(studies, synthetic_only=True)
    jobs = [page.submit("fit", "SYN-01", {"n": number}) for number in range(MOST_WAITING)]
    with pytest.raises(UserError, match="20 jobs wait already"):
        page.submit("fit", "SYN-01", {"n": -1})
    assert page.submit("fit", "SYN-01", {"n": 3}) == jobs[3]
    page.cancel(jobs[0])
    assert page.submit("fit", "SYN-01", {"n": -1}) > jobs[-1]
