"""Every page, held to the contract of a page."""

import json
import re
from collections import Counter

import pytest

from dashboard.pages import PAGES
from tests.dashboard.app_fixture import demo_app
from tests.dashboard.browser_calls import dependencies, draw, is_broken, page_text, walk

PATHS = [page.PATH for page in PAGES if "<" not in page.PATH]
PATIENT = "/patients/TINY-01-01-001"
ALL_PATHS = [*PATHS, *([PATIENT] if any("<" in page.PATH for page in PAGES) else [])]
QUERIES = (
    "",
    "?cut=2026-05-31",
    "?analysis_set=imaging&cohort=A",
    "?scale=linear&blq=half_lloq&color_by=cohort&day_low=0&day_high=28",
    "?cohort=none-of-this-name",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ALL_PATHS)
def test_page_draws_in_both_schemes(demo, path, scheme):
    drawn = draw(demo, path, scheme=scheme)
    assert not is_broken(drawn)
    assert any(node["type"] == "H1" for node in walk(drawn["shell-page"]["children"]))


@pytest.mark.parametrize("search", QUERIES)
@pytest.mark.parametrize("path", ALL_PATHS)
def test_page_draws_under_every_kind_of_filter(demo, path, search):
    assert not is_broken(draw(demo, path, search))


@pytest.mark.parametrize("path", ALL_PATHS)
def test_ids_are_unique_over_frame_and_page(demo, path):
    drawn = draw(demo, path)
    layout = demo.server.test_client().get("/_dash-layout").get_json()
    trees = [layout, *(part.get("children") for part in drawn.values())]
    ids = [
        json.dumps(node["props"]["id"], sort_keys=True)
        for tree in trees
        for node in walk(tree)
        if node["props"].get("id")
    ]
    assert [name for name, n in Counter(ids).items() if n > 1] == []


def test_every_output_has_one_owner(demo, demo_client):
    outputs = [
        part.split("@")[0]
        for callback in dependencies(demo_client)
        if not callback["no_output"]
        for part in callback["output"].strip(".").split("...")
    ]
    assert [name for name, n in Counter(outputs).items() if n > 1] == []


@pytest.mark.parametrize("path", ALL_PATHS)
def test_links_stay_inside_and_keep_the_filters(demo, path):
    drawn = draw(demo, path, "?cohort=A")
    nodes = [*walk(drawn["shell-page"]["children"]), *walk(drawn["shell-nav"]["children"])]
    hrefs = [node["props"]["href"] for node in nodes if node["props"].get("href")]
    assert hrefs
    assert all(href.startswith(("/", "#")) and not href.startswith("//") for href in hrefs)
    navigation = [node["props"]["href"] for node in walk(drawn["shell-nav"]["children"])]
    assert all("cohort=A" in href for href in navigation)


@pytest.mark.parametrize("path", ALL_PATHS)
def test_no_figure_sends_data_away_or_needs_eval(demo, path):
    for node in walk(draw(demo, path)["shell-page"]["children"]):
        if node["type"] != "Graph":
            continue
        config = node["props"]["config"]
        assert config["showSendToCloud"] is False
        assert config["plotlyServerURL"] == ""
        kinds = {trace.get("type") for trace in node["props"]["figure"]["data"]}
        assert not {kind for kind in kinds if kind and kind.endswith("gl")}


def test_navigation_names_the_pages_that_exist(demo):
    links = walk(draw(demo, "/")["shell-nav"]["children"])
    assert [link["props"]["href"] for link in links] == PATHS
    assert [link["props"].get("aria-current") for link in links].count("page") == 1


@pytest.mark.parametrize("path", ["/nothing", "/data/more", "/patients-not"])
def test_an_unknown_address_says_so(demo, path):
    drawn = draw(demo, path)
    assert "There is no page at this address" in page_text(drawn)
    assert drawn["shell-title"]["data"] == "Not found · Cartograph"


@pytest.mark.parametrize(
    "search",
    ["?study=REAL-01", "?study=NONE", "?cut=1999-01-01", "?analysis_set=everyone", "?day_low=x"],
)
def test_a_link_that_cannot_be_shown_says_why(demo, search):
    text = page_text(draw(demo, "/", search))
    assert "This link cannot be shown" in text
    assert "A real study" not in text


@pytest.mark.parametrize("path", PATHS)
def test_an_empty_database_names_the_command_to_run(path):
    text = page_text(draw(demo_app(empty=True), path))
    assert "No study yet" in text
    assert "cartograph demo" in text


def test_a_database_that_does_not_answer_is_said_with_what_to_do(monkeypatch):
    from models.errors import DatabaseError
    from tests.dashboard.app_fixture import MemoryReader

    def lost(*_):
        raise DatabaseError("database postgresql://host/trial does not answer; check the server")

    app = demo_app()
    for read in ("_list_fits", "_list_studies"):  # inside a page, and before it
        monkeypatch.setattr(MemoryReader, read, lost)
        text = page_text(draw(app, "/cohort"))
        assert "The data cannot be read now" in text
        assert "check the server" in text
    answer = app.server.test_client().get("/download/cohort/curves.csv")
    assert (answer.status_code, "check the server" in answer.text) == (503, True)


@pytest.mark.parametrize("place", ["router.build_view", "router.page_filters"])
def test_a_failure_around_the_page_is_a_page_too(demo, monkeypatch, caplog, place):
    """Before the page is drawn, and in its frame: not the blank of a failed call."""

    def explode(*_):
        raise ValueError("TINY-01-01-001 weighs 78 kg")

    monkeypatch.setattr(f"dashboard.{place}", explode)
    drawn = draw(demo, "/cohort")
    assert is_broken(drawn)
    code = re.search(r"report code ([0-9a-f]{8})", page_text(drawn))[1]
    assert f"[{code}] ValueError at" in caplog.text
    assert ":explode" in caplog.text
    assert "78 kg" not in page_text(drawn) + caplog.text
    assert drawn["shell-nav"]["children"]


def test_a_failing_page_leaves_the_frame_and_shows_no_value(demo, monkeypatch, caplog):
    from dashboard.pages import overview

    def explode(_):
        raise ValueError("TINY-01-01-001 weighs 78 kg")

    monkeypatch.setattr(overview, "layout", explode)
    drawn = draw(demo, "/")
    assert is_broken(drawn)
    assert "78 kg" not in page_text(drawn)
    assert "78 kg" not in caplog.text
    assert drawn["shell-nav"]["children"]
