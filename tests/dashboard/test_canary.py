"""No answer of the program to a reader of one study holds a word or a number of another.

Every page, control, download, callback and error is asked for (jobs: `test_canary_jobs`), in demo
mode (only the synthetic study may be seen) and in local mode (one study at a time). The studies'
own words are looked for as well: a walk that finds nothing anywhere would prove nothing.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from dashboard.pages import PAGES
from tests.dashboard.browser_calls import draw, walk
from tests.dashboard.canary_program import ELSEWHERE, Program, call, drawn_numbers, hits, program_of
from tests.dashboard.canary_studies import ALPHA, BOTH, OMEGA, Canary, build_both

pytestmark = pytest.mark.slow

DOWNLOADS = [(page, name) for page in PAGES for name in getattr(page, "DOWNLOADS", {})]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = build_both(tmp_path_factory.mktemp("canary"))
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def demo(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return program_of(engine, tmp_path_factory.mktemp("demo"), "demo")


@pytest.fixture(scope="module")
def local(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return program_of(engine, tmp_path_factory.mktemp("local"), "local")


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


def test_the_sheet_of_a_patient_of_another_study_is_not_drawn(demo):
    asked = {"path": f"/patients/{OMEGA.patient(1)}", "scheme": "light", "narrow": False}
    for search in (f"?study={ALPHA.studyid}", f"?study={OMEGA.studyid}", ""):
        answer = call(demo, "patient-sheet", 1, 0, {**asked, "search": search})
        assert hits(OMEGA, answer.text, OMEGA.patient(1)) == []
    own = {**asked, "path": f"/patients/{ALPHA.patient(1)}", "search": ""}
    drawn = call(demo, "patient-sheet", 1, 0, own)
    assert drawn.status_code == 200
    assert hits(ALPHA, drawn.text)


def test_the_log_names_no_value_of_a_study(demo, caplog):
    caplog.set_level("DEBUG")
    for path, query in wrong_addresses(OMEGA):
        demo.page(path, query)
    draw(demo.app, "/patients", f"?study={OMEGA.studyid}")
    assert OMEGA.hits(caplog.text) == []
