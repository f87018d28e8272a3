"""No job of one study is started, seen or ended by a reader of another: see `test_canary`."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from analysis.specs import ModelSpec
from models import jobs as job_table
from tests.dashboard.canary_program import ELSEWHERE, Program, call, hits, program_of
from tests.dashboard.canary_studies import ALPHA, OMEGA, build_both, job_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = build_both(tmp_path_factory.mktemp("canary"))
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def demo(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return program_of(engine, tmp_path_factory.mktemp("demo"), "demo")


def _job_count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM job").scalar())


def _status(engine: Engine, number: int) -> str:
    with engine.connect() as connection:
        return str(job_table.read_job(connection, number)["status"])


def test_jobs_of_another_study_are_not_started_seen_or_ended(demo):
    spec = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", group="complete_response").to_dict()
    before = _job_count(demo.engine)
    question = {"study": OMEGA.studyid, "cut": f"{OMEGA.word}-first", "spec": spec}
    refused = call(demo, "model-job", question)
    nowhere = call(demo, "model-job", {**question, "study": f"{ELSEWHERE}-S"})
    assert refused.status_code == nowhere.status_code >= 400
    assert hits(OMEGA, refused.text) == []
    assert _job_count(demo.engine) == before
    sealed, own = job_of(demo.engine, OMEGA), job_of(demo.engine, ALPHA)
    followed = call(demo, "model-progress", 1, sealed)
    assert hits(OMEGA, followed.text) == []
    assert followed.text == call(demo, "model-progress", 1, 987_654).text
    assert hits(ALPHA, call(demo, "model-progress", 1, own).text)


def test_a_waiting_job_of_another_study_is_not_cancelled(demo):
    with demo.engine.begin() as connection:
        payload = {"study": OMEGA.studyid, "note": f"{OMEGA.word} waits"}
        waiting = job_table.insert_job(connection, "fit", payload)
    try:
        assert call(demo, "model-cancel", 1, waiting).status_code == 200
        assert _status(demo.engine, waiting) == "queued"
    finally:
        with demo.engine.begin() as connection:
            job_table.request_cancel(connection, waiting)


def test_a_job_asked_for_with_the_cut_of_another_study_fails_without_its_words(demo):
    from jobs.fitting import fit_study

    spec = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD")
    with pytest.raises(Exception, match="no data cut") as caught:
        fit_study(demo.engine, ALPHA.studyid, spec, cut=f"{OMEGA.word}-first", actor="")
    assert hits(OMEGA, str(caught.value), f"{OMEGA.word}-first") == []
