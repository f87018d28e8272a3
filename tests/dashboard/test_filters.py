"""What the filter bar offers and where each choice leads."""

import pytest

from analysis.selection import Selection
from dashboard.address import Request
from dashboard.filters import page_filters, window_text
from dashboard.selecting import build_view
from dashboard.view import Services
from figures.theme import LIGHT
from tests.dashboard.app_fixture import MemoryReader, no_job

SERVICES = Services(MemoryReader(synthetic_only=True), no_job, no_job, no_job, "demo", "0.1.0")


def _view(query: str = "", path: str = "/cohort"):
    return build_view(Request(path, query, LIGHT, narrow=False), "", SERVICES)


def _filters(query: str = ""):
    return {item.name: item for item in page_filters(_view(query))}


def test_filters_without_a_choice_are_left_out():
    names = set(_filters())
    assert {"study", "cut", "analysis_set", "cohort", "dose_level", "site", "tracer"} <= names
    assert "arm" not in names  # no arm was delivered
    assert "reader" not in names  # one reader only


def test_defaults_have_nothing_to_remove_and_changes_do():
    assert all(item.clear is None for item in _filters().values())
    changed = _filters("analysis_set=efficacy&cohort=A&scale=linear&day_high=28")
    assert {name for name, item in changed.items() if item.clear} == {
        "analysis_set", "cohort", "scale", "window",
    }  # fmt: skip
    assert "cohort=" not in changed["cohort"].clear
    assert "analysis_set=efficacy" in changed["cohort"].clear


def test_each_choice_leads_to_its_own_selection():
    for item in page_filters(_view("cohort=A")):
        if item.name in {"study", "window"}:
            continue
        for choice in item.choices:
            chosen = Selection.from_query(choice.href.partition("?")[2])
            if item.name != "cohort":
                assert chosen.cohort == ("A",)
        assert item.several or sum(choice.chosen for choice in item.choices) == 1


def test_choices_of_one_filter_add_up():
    cohort = _filters("cohort=A")["cohort"]
    add = next(choice for choice in cohort.choices if choice.text == "B")
    remove = next(choice for choice in cohort.choices if choice.text == "A")
    assert Selection.from_query(add.href.partition("?")[2]).cohort == ("A", "B")
    assert Selection.from_query(remove.href.partition("?")[2]).cohort == ()


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (None, None, "all days"),
        (-14.0, 28.0, "−14 to 28 d"),
        (0.0, None, "from day 0"),
        (None, 90.0, "to day 90"),
    ],
)
def test_window_in_words(low, high, text):
    assert window_text(low, high) == text


def test_href_keeps_filters_and_page_parameters():
    view = _view("cohort=A&signal=x&against=2026-05-31")
    assert view.href() == "/cohort?cohort=A&signal=x&against=2026-05-31"
    assert view.href(signal=None) == "/cohort?cohort=A&against=2026-05-31"
    assert view.href("/patients") == "/patients?cohort=A"
    assert view.href(cohort=("B",)) == "/cohort?cohort=B&signal=x&against=2026-05-31"
    assert view.href("/data", Selection()) == "/data"
    assert view.href("/x", day="1 & 2") == "/x?cohort=A&day=1+%26+2"
