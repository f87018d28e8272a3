"""No answer of the program to a reader of one study holds a word or a number of another.

Every page, control, download, callback, error and job is asked for, in demo mode (only the
synthetic study may be seen) and in local mode (one study at a time). The studies' own words are
looked for as well: a walk that finds nothing anywhere would prove nothing.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pytest
from dash import Dash
from sqlalchemy import Engine

from analysis.specs import ModelSpec
from dashboard import create_app
from dashboard.data import TrialReader
from dashboard.pages import PAGES
from jobs.requests import JobRequests
from models import jobs as job_table
from tests.dashboard.browser_calls import draw, router_body, walk
from tests.dashboard.canary_studies import ALPHA, BOTH, OMEGA, Canary, build_both, job_of

pytestmark = pytest.mark.slow

TOKEN = "t0ken-of-the-canary-tests-0123456789"
DOWNLOADS = [(page, name) for page in PAGES for name in getattr(page, "DOWNLOADS", {})]
ELSEWHERE = "NOWHERE-7"
"""A study, a cut, a patient that exist in no study: what is out of reach must answer the same."""


class Program(NamedTuple):
    """One running program and its client, over the database of both studies."""

    app: Dash
    engine: Engine
    mode: str

    def get(self, address: str) -> Any:
        return self._client().get(address)

    def call(self, body: Any) -> Any:
        return self._client().post("/_dash-update-component", json=body)

    def _client(self) -> Any:
        client = self.app.server.test_client()
        if self.mode == "local":
            client.get(f"/?token={TOKEN}")
        return client

    def page(self, path: str, query: str) -> Any:
        """All that the router answers to an address."""
        answer = self.call(router_body(self.app, path, f"?{query}"))
        assert answer.status_code == 200, answer.text[:300]
        return json.loads(answer.text)["response"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = build_both(tmp_path_factory.mktemp("canary"))
    yield opened
    opened.dispose()


def _program(engine: Engine, cache: Path, mode: str) -> Program:
    reader = TrialReader(engine, cache, synthetic_only=mode == "demo")
    requests = JobRequests(engine, reader.readable_study, "tester")
    app = create_app(
        reader,
        mode=mode,
        token=TOKEN if mode == "local" else None,
        submit_job=requests.submit,
        read_job=requests.read,
        cancel_job=requests.cancel,
        version="0",
    )
    return Program(app, engine, mode)


@pytest.fixture(scope="module")
def demo(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return _program(engine, tmp_path_factory.mktemp("demo"), "demo")


@pytest.fixture(scope="module")
def local(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return _program(engine, tmp_path_factory.mktemp("local"), "local")


def paths(canary: Canary) -> list[str]:
    """Every page of a study, and two of its patients."""
    plain = [page.PATH for page in PAGES if "<" not in page.PATH]
    return [*plain, *(f"/patients/{canary.patient(n)}" for n in (1, 2))]


def links(drawn: Any, path: str) -> set[str]:
    """The addresses of the same page that its filters and controls lead to."""
    found = {
        str(item["props"].get("href") or "")
        for item in walk(drawn)
        if item["type"] == "A" and isinstance(item["props"], dict)
    }
    for item in walk(drawn):
        props = item["props"]
        if item["type"] == "Select" and isinstance(props.get("id"), dict):
            name = props["id"]["name"]
            plain = [one for part in props["data"] for one in part.get("items", [part])]
            found |= {f"{path}?{name}={quote(str(one['value']))}" for one in plain}
    return {href for href in found if href.partition("?")[0] == path and "?" in href}


def hits(canary: Canary, content: Any, *asked: str) -> list[str]:
    """Where an answer gives `canary` away. What was asked for itself may be repeated."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    for word in asked:
        text = text.replace(quote(word), "").replace(word, "")
    found = canary.hits(text)
    if not isinstance(content, str):
        found += [f"number {n}" for n in drawn_numbers(content) if canary.holds(n)]
    return found


def drawn_numbers(node: Any) -> Iterator[float]:
    """The numbers that figures carry packed."""
    if isinstance(node, dict):
        if "bdata" in node and "dtype" in node:
            packed = np.frombuffer(base64.b64decode(node["bdata"]), dtype=node["dtype"])
            yield from packed.astype(float).tolist()
            return
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        yield from drawn_numbers(child)


def other(canary: Canary) -> Canary:
    return OMEGA if canary is ALPHA else ALPHA


@pytest.mark.parametrize("canary", BOTH, ids=lambda canary: canary.word)
def test_the_walk_sees_what_a_page_shows(local, canary):
    query = f"study={canary.studyid}"
    for path in paths(canary):
        drawn = local.page(path, query)
        assert hits(canary, drawn), f"{path} shows nothing of its own study"
        assert '"cg-broken"' not in json.dumps(drawn), path
    packed = list(drawn_numbers(local.page("/cohort", query)))
    shown = hits(canary, local.page("/cohort", query)["shell-page"])
    assert any(canary.holds(n) for n in packed) or any(canary.digits in hit for hit in shown)


@pytest.mark.parametrize("canary", BOTH, ids=lambda canary: canary.word)
def test_every_choice_of_a_study_shows_that_study_only(local, canary):
    """Each choice of each filter and control, every third on a page: all of them over the pages."""
    sealed, seen = other(canary), 0
    for place, path in enumerate(paths(canary)):
        start = local.page(path, f"study={canary.studyid}")
        assert hits(sealed, start) == [], path
        for address in sorted(links(start, path))[place % 3 :: 3]:
            query = address.partition("?")[2]
            if f"study={sealed.studyid}" in query:
                continue
            query = query if "study=" in query else f"study={canary.studyid}&{query}"
            assert hits(sealed, local.page(path, query)) == [], address
            seen += 1
    assert seen > 40


def test_the_demo_names_no_study_of_real_patients(demo):
    for path in paths(ALPHA):
        drawn = demo.page(path, "")
        assert hits(ALPHA, drawn), path
        assert hits(OMEGA, drawn) == [], path
        assert OMEGA.studyid not in json.dumps(drawn), path
        assert OMEGA.title not in json.dumps(drawn), path


@pytest.mark.parametrize("mode", ["demo", "local"])
@pytest.mark.parametrize(("page", "name"), DOWNLOADS)
def test_downloads_hold_one_study_only(request, mode, page, name):
    program = request.getfixturevalue(mode)
    for canary in BOTH[:1] if mode == "demo" else BOTH:
        base = page.PATH.strip("/") or "overview"
        if "<" in base:
            base = f"patients/{canary.patient(1)}"
        for extra in ("", f"&cut={canary.word}-first", "&color_by=site"):
            answer = program.get(f"/download/{base}/{name}.csv?study={canary.studyid}{extra}")
            assert answer.status_code == 200
            content = f"{answer.headers}{answer.data.decode('utf-8-sig')}"
            assert hits(canary, content), "the download is empty"
            assert hits(other(canary), content) == []


def wrong_addresses(sealed: Canary) -> list[tuple[str, str]]:
    """Addresses that reach from ALPHA for the other study: by study, cut, patient and filters."""
    cut = quote(f"{sealed.word}-first")
    patient = sealed.patient(1)
    mine = f"study={ALPHA.studyid}"
    plain = [page.PATH for page in PAGES if "<" not in page.PATH]
    return [
        *((path, f"study={sealed.studyid}") for path in plain),
        *((path, f"study={sealed.studyid}&cut={cut}") for path in plain),
        *((path, f"{mine}&cut={cut}") for path in plain),
        *((path, f"{mine}&patient={patient}") for path in plain),
        *((path, f"{mine}&before={cut}&after={cut}") for path in plain),
        *(
            (path, f"{mine}&cohort={sealed.word}-COHORT1&site={sealed.word}-SITE1")
            for path in plain
        ),
        *((path, f"{mine}&signal=laboratory:{sealed.word[:5]}LAB:SERUM") for path in plain),
        *((path, f"{mine}&group=characteristic:{sealed.word}BURDEN") for path in plain),
        (f"/patients/{patient}", mine),
        (f"/patients/{patient}", f"study={sealed.studyid}"),
        (f"/patients/{patient}", f"{mine}&cut={cut}"),
    ]


@pytest.mark.parametrize("mode", ["demo", "local"])
def test_what_is_out_of_reach_answers_like_what_does_not_exist(request, mode):
    program = request.getfixturevalue(mode)
    for path, query in wrong_addresses(OMEGA):
        if mode == "local" and OMEGA.studyid in query:
            continue
        drawn = _renamed(program.page(path, query))
        nowhere = program.page(_rename(path), _rename(query))
        assert hits(OMEGA, drawn) == [], (path, query)
        assert drawn == _renamed(nowhere), (path, query)


def _rename(text: str) -> str:
    return text.replace(OMEGA.word, ELSEWHERE).replace(OMEGA.studyid, f"{ELSEWHERE}-S")


def _renamed(drawn: Any) -> Any:
    text = json.dumps(drawn, ensure_ascii=False)
    return json.loads(_rename(text).replace(OMEGA.word[:5], ELSEWHERE[:5]))


def test_downloads_of_another_study_are_refused_in_the_same_words(demo):
    patient = OMEGA.patient(1)
    for page, name in DOWNLOADS:
        base = page.PATH.strip("/") or "overview"
        mine = f"{base.partition('<')[0]}{patient}" if "<" in base else base
        for query in (f"study={OMEGA.studyid}", f"study={ALPHA.studyid}&cut={OMEGA.word}-first"):
            address = f"/download/{mine}/{name}.csv?{query}"
            answer, nowhere = demo.get(address), demo.get(_rename(address))
            assert answer.status_code == nowhere.status_code == 404
            assert hits(OMEGA, answer.text, patient, f"{OMEGA.word}-first") == []
            assert _rename(answer.text) == nowhere.text
        if "<" in base:
            answer = demo.get(f"/download/{mine}/{name}.csv?study={ALPHA.studyid}")
            assert hits(OMEGA, f"{answer.headers}{answer.text}", patient) == []


SERVER_CALLBACKS = {
    "shell-page", "cohort-brushed", "model-job", "model-progress", "model-cancel",
    "patient-sheet",
}  # fmt: skip
"""A callback that is not listed here needs a test of its own below."""


def test_every_callback_of_the_server_is_known(demo):
    outputs = [key for key, entry in demo.app.callback_map.items() if "callback" in entry]
    unknown = [key for key in outputs if not any(name in key for name in SERVER_CALLBACKS)]
    assert unknown == []


def _call(program: Program, output: str, *values: Any, changed: str = "") -> Any:
    """Call the callback whose output holds `output`, with values for its inputs, then states."""
    key = next(
        k for k, entry in program.app.callback_map.items() if output in k and "callback" in entry
    )
    entry = program.app.callback_map[key]
    given = iter(values)
    filled = [
        [{**one, "value": next(given)} for one in entry[part]] for part in ("inputs", "state")
    ]
    names = [part.rsplit(".", 1) for part in key.strip(".").split("...")]
    outputs = [{"id": name, "property": prop} for name, prop in names]
    first = entry["inputs"][0]
    body = {
        "output": key,
        "outputs": outputs if len(outputs) > 1 else outputs[0],
        "inputs": filled[0],
        "state": filled[1],
        "changedPropIds": [changed or f"{first['id']}.{first['property']}"],
    }
    return program.call(body)


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
    refused = _call(demo, "model-job", question)
    nowhere = _call(demo, "model-job", {**question, "study": f"{ELSEWHERE}-S"})
    assert refused.status_code == nowhere.status_code >= 400
    assert hits(OMEGA, refused.text) == []
    assert _job_count(demo.engine) == before
    sealed, own = job_of(demo.engine, OMEGA), job_of(demo.engine, ALPHA)
    followed = _call(demo, "model-progress", 1, sealed)
    assert hits(OMEGA, followed.text) == []
    assert followed.text == _call(demo, "model-progress", 1, 987_654).text
    assert hits(ALPHA, _call(demo, "model-progress", 1, own).text)


def test_a_waiting_job_of_another_study_is_not_cancelled(demo):
    with demo.engine.begin() as connection:
        payload = {"study": OMEGA.studyid, "note": f"{OMEGA.word} waits"}
        waiting = job_table.insert_job(connection, "fit", payload)
    try:
        assert _call(demo, "model-cancel", 1, waiting).status_code == 200
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


def test_the_sheet_of_a_patient_of_another_study_is_not_drawn(demo):
    asked = {"path": f"/patients/{OMEGA.patient(1)}", "scheme": "light", "narrow": False}
    for search in (f"?study={ALPHA.studyid}", f"?study={OMEGA.studyid}", ""):
        answer = _call(demo, "patient-sheet", 1, 0, {**asked, "search": search})
        assert hits(OMEGA, answer.text, OMEGA.patient(1)) == []
    own = {**asked, "path": f"/patients/{ALPHA.patient(1)}", "search": ""}
    drawn = _call(demo, "patient-sheet", 1, 0, own)
    assert drawn.status_code == 200
    assert hits(ALPHA, drawn.text)


def test_the_log_names_no_value_of_a_study(demo, caplog):
    caplog.set_level("DEBUG")
    for path, query in wrong_addresses(OMEGA):
        demo.page(path, query)
    draw(demo.app, "/patients", f"?study={OMEGA.studyid}")
    assert OMEGA.hits(caplog.text) == []
