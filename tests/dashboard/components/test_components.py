"""Blocks of the pages: their words for a screen reader, their symbols, their promises."""

import json

import plotly.graph_objects as go
import polars as pl
import pytest
from dash import html
from plotly.utils import PlotlyJSONEncoder

from dashboard.components.card import card
from dashboard.components.data_grid import data_grid
from dashboard.components.empty_state import command, empty_state
from dashboard.components.graph import graph
from dashboard.components.marks import grade_badge, response_mark
from dashboard.components.page_header import page_header
from dashboard.components.plain_table import Column, plain_table
from dashboard.components.stat_tile import stat_tile
from dashboard.components.text import soft_breaks, unbroken
from dashboard.theme import DASH


def _tree(component) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def test_graph_has_words_and_no_way_out():
    text = _tree(graph(go.Figure(layout={"height": 300}), "page-figure", "Ten patients over time"))
    assert '"aria-label": "Ten patients over time"' in text
    assert '"role": "img"' in text
    assert '"showSendToCloud": false' in text
    assert '"plotlyServerURL": ""' in text
    assert '"height": 300' in text


@pytest.mark.parametrize("response", ["CR", "PR", "SD", "PD", "NE"])
def test_a_response_has_symbol_code_and_words(response):
    text = _tree(response_mark(response))
    assert f"cg-symbol-{response.lower()}" in text
    assert f'"{response}"' in text
    assert "cg-visually-hidden" in _tree(response_mark(response, text=False))


def test_other_and_missing_responses_have_no_symbol():
    assert "cg-symbol" not in _tree(response_mark("VGPR"))
    assert DASH in _tree(response_mark(None))


@pytest.mark.parametrize(
    ("category", "grade", "shade"),
    [
        ("CRS", 0, "cg-crs-0"),
        ("CRS", 1, "cg-crs-1"),
        ("CRS", 4, "cg-crs-3"),
        ("ICANS", 2, "cg-icans-2"),
        ("HLH", 3, "cg-grade-3"),
    ],
)
def test_a_grade_has_its_ramp_and_its_number(category, grade, shade):
    badge = grade_badge(category, grade)
    assert shade in badge.className
    assert badge.children == str(grade)
    assert badge.title == f"{category} grade {grade}{' recorded' if grade == 0 else ''}"


def test_a_missing_grade_is_not_zero():
    badge = grade_badge("CRS", None)
    assert badge.children == DASH
    assert "no grade" in badge.title


def test_table_names_itself_and_its_heads():
    columns = (Column("Group"), Column("Peak", "cells/µL", "right"))
    text = _tree(plain_table(columns, [["CR", "12"], ["PD", DASH]], caption="Peaks by group"))
    assert '"aria-label": "Peaks by group"' in text
    assert '"scope": "col"' in text
    assert '"scope": "row"' in text
    assert "cells/µL" in text
    with pytest.raises(ValueError, match="zip"):
        plain_table(columns, [["one cell"]], caption="short")


def test_grid_follows_the_theme_and_its_rows():
    short = data_grid(pl.DataFrame({"a": [1, 2]}), [{"field": "a"}], "g", label="Two rows")
    assert short.children.dashGridOptions["domLayout"] == "autoHeight"
    long = data_grid(pl.DataFrame({"a": range(50)}), [{"field": "a"}], "h", label="Fifty")
    assert "domLayout" not in long.children.dashGridOptions
    assert "var(--cg-card)" in long.children.dashGridOptions["theme"]["function"]


def test_empty_state_says_why_and_what_to_do():
    text = _tree(empty_state("No scans", "None was delivered.", command("cartograph load x")))
    assert all(words in text for words in ("No scans", "None was delivered."))
    assert words_of(command("cartograph load x --study S-1")) == "cartograph load x --study S-1"


def test_a_tile_with_a_link_is_one_link():
    assert stat_tile("n", "3", href="/patients")._type == "A"
    assert stat_tile("n", "3")._type == "Div"


def test_header_and_card_use_the_heading_order():
    assert '"H1"' in _tree(page_header("Title", "A sentence."))
    assert '"H2"' in _tree(card("What it shows", "body"))
    assert '"H2"' not in _tree(card(None, "body"))


def words_of(part) -> str:
    """The text of a component as it is read and copied."""
    if isinstance(part, list | tuple):
        return "".join(words_of(one) for one in part)
    if isinstance(part, str) or part is None:
        return part or ""
    return words_of(getattr(part, "children", None))


def test_numbers_of_a_sentence_stay_on_one_line():
    sentence = [
        "48 of 50; ",
        html.Strong("69 %"),
        " (95 % CI 54–81 %; n = 17 against 6, p < 0.0001)",
    ]
    parts = unbroken(sentence)
    assert words_of(parts) == words_of(sentence)
    kept = [part.children for part in parts if getattr(part, "className", "") == "cg-nowrap"]
    assert kept == ["95 % CI 54–81 %", "n = 17", "p < 0.0001"]
    assert [words_of(part) for part in unbroken("95 % CI 1.6 to 11; n = 1,234")] == [
        "95 % CI 1.6 to 11", "; ", "n = 1,234",
    ]  # fmt: skip


def test_a_file_name_breaks_after_its_slashes_and_underscores():
    parts = soft_breaks("imaging/scan_log.csv")
    assert words_of(parts) == "imaging/scan_log.csv"
    assert [part for part in parts if isinstance(part, str)] == ["imaging/", "scan_", "log.csv"]
