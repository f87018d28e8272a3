"""The fit a page asks for: only real questions start one, and every end is said in words."""

import json
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest

from analysis.errors import UserError
from dashboard.model import fit_job
from dashboard.view import Services
from models.errors import DatabaseError
from tests.dashboard.app_fixture import MemoryReader, no_job

QUESTION = {
    "study": "TINY-01",
    "cut": "2026-06-30",
    "spec": {"outcome": "kinetics:CARTG:qPCR:BLOOD"},
}


def services(submit: Any = lambda *_: 7, read: Any = no_job, cancel: Any = no_job) -> Services:
    return Services(MemoryReader(synthetic_only=True), submit, read, cancel, "demo", "0.1.0")


def raising(error: Exception) -> Any:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_a_question_of_the_page_starts_a_job() -> None:
    asked: list[Any] = []

    def submit(*arguments: Any) -> int:
        asked.append(arguments)
        return 7

    assert fit_job.start(QUESTION, services(submit)) == 7
    ((kind, study, payload),) = asked
    assert (kind, study, payload["cut"]) == ("fit", "TINY-01", "2026-06-30")
    assert payload["spec"]["outcome"] == "kinetics:CARTG:qPCR:BLOOD"
    assert json.dumps(payload)


@pytest.mark.parametrize(
    "wrong",
    [
        {"study": "REAL-01"}, {"study": None}, {"study": ["TINY-01"]}, {"cut": "none"},
        {"cut": 1}, {"spec": None}, {"spec": {}}, {"spec": []}, {"spec": {"outcome": 5}},
        {"spec": {**QUESTION["spec"], "rank": 1}}, {"spec": {**QUESTION["spec"], "days": [None]}},
        {"spec": {**QUESTION["spec"], "group": "kinetics:CARTG"}},
        {"spec": {**QUESTION["spec"], "day_low": 10**400}},
        {"spec": {**QUESTION["spec"], "spline_df": []}},
    ],
)  # fmt: skip
def test_a_question_that_no_page_asks_is_the_client_s_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        fit_job.start({**QUESTION, **wrong}, services(raising(AssertionError())))


@pytest.mark.parametrize("question", [[], "x", 1, {}, {"study": "TINY-01"}])
def test_what_is_no_question_is_refused(question: object) -> None:
    with pytest.raises(BadRequest):
        fit_job.start(question, services())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("20 jobs wait already"), "20 jobs wait already"),
        (DatabaseError("the database is locked"), "the database is locked"),
        (RuntimeError("patient 014 has 31400"), "could not be started"),
    ],
)
def test_a_fit_that_does_not_start_says_so_and_ends(error: Exception, words: str) -> None:
    job = fit_job.start(QUESTION, services(raising(error)))
    said, status = fit_job.follow(1, job, services())
    assert words in said
    assert "014" not in said
    assert status == "failed"


def test_an_answer_that_was_lost_is_not_waited_for_for_ever() -> None:
    assert fit_job.follow(1, None, services()) == ("Starting ...", "queued")
    assert fit_job.follow(121, None, services()) == (fit_job.NOT_STARTED, "failed")


@pytest.mark.parametrize(
    ("row", "words", "status"),
    [
        ({"status": "queued", "message": None}, "Waiting", "queued"),
        ({"status": "running", "message": None}, "Fitting", "running"),
        ({"status": "failed", "message": "no"}, "did not work: no", "failed"),
        ({"status": "cancelled", "message": None}, "Cancelled", "cancelled"),
        ({"status": "interrupted", "message": None}, "interrupted", "interrupted"),
        (None, "no longer in the queue", "failed"),
    ],
)
def test_what_a_job_is_doing_is_said_in_words(
    row: dict[str, Any] | None, words: str, status: str
) -> None:
    said, now = fit_job.follow(3, 7, services(read=lambda _: row))
    assert words in said
    assert now == status


def test_a_busy_database_is_waited_for() -> None:
    busy = raising(DatabaseError("locked"))
    assert fit_job.follow(3, 7, services(read=busy)) == (fit_job.BUSY, "queued")
    assert fit_job.cancel(7, services(cancel=busy)) is False
    assert fit_job.cancel(7, services()) is True


@pytest.mark.parametrize("job", [None, True, 0, -1, 2**60, 1.5, "7", [7], {"refused": 7}])
def test_what_is_no_number_of_a_job_asks_for_none(job: object) -> None:
    fail = raising(AssertionError())
    assert fit_job.follow(1, job, services(read=fail)) == ("Starting ...", "queued")
    assert fit_job.cancel(job, services(cancel=fail)) is False
