"""The commands of the data page: a new export is read as the last one was."""

import polars as pl
import pytest

from dashboard.pages import data_quality
from etl import profiles
from etl.profiles import house
from tests.dashboard.browser_calls import draw, walk


@pytest.mark.parametrize(
    ("names", "option"),
    [
        (["house", "synthetic"], " --profile synthetic"),
        (["synthetic", "my_layout"], " --profile my_layout.yaml"),
        (["my layout"], " --profile 'my layout.yaml'"),
        (["sdtm", "house"], ""),
        ([None], ""),
        ([], ""),
    ],
)
def test_the_profile_of_the_last_load_is_in_the_command(names, option):
    types = {"id": pl.Int64, "status": pl.String, "profile_name": pl.String}
    rows = [(n, "done", name) for n, name in enumerate(names)] + [(99, "failed", "other")]
    loads = pl.DataFrame(rows, schema=types, orient="row")
    assert data_quality.profile_option(loads) == option


def test_the_names_of_shipped_profiles_are_those_that_load():
    assert (data_quality.SHIPPED, data_quality.HOUSE) == (profiles.SHIPPED, house.NAME)


def test_the_card_prints_the_whole_command(demo):
    commands = [
        [part if isinstance(part, str) else part["props"]["children"] for part in inner]
        for node in walk(draw(demo, data_quality.PATH)["shell-page"]["children"])
        if node["props"].get("className") == "cg-command" and (inner := node["props"]["children"])
    ]
    assert ["".join(parts) for parts in commands] == [
        "cartograph check NEW-EXPORT.zip --study TINY-01 --profile synthetic",
        "cartograph load NEW-EXPORT.zip --study TINY-01 --profile synthetic "
        "--database DATABASE-URL",
        "cartograph load FILE.xlsx --study TINY-01 --profile MY.yaml --database DATABASE-URL",
    ]


def test_a_refused_row_shows_the_name_of_its_file_on_a_phone() -> None:
    assert data_quality.name_width(len("cytokine_multiplex.xlsx")) >= 8 * 23
    assert data_quality.name_width(4) == 150
    assert data_quality.name_width(200) < 390 - 32
