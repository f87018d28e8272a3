"""CSV of what is shown: complete, with its provenance, and no live formula."""

import dataclasses
from types import SimpleNamespace

import polars as pl
import pytest

from analysis.errors import UserError
from dashboard import create_app
from dashboard.download import csv_text
from dashboard.pages import PAGES, data_quality
from tests.dashboard import app_fixture


def test_formulas_are_text_and_numbers_stay_numbers():
    frame = pl.DataFrame({"=cmd": ["=1+1", "-2", "ok", None], "value": [-2.5, 1.0, 3.0, None]})
    lines = csv_text(frame, ["+note"]).split("\r\n")
    assert lines == ["'=cmd,value", "'=1+1,-2.5", "'-2,1.0", "ok,3.0", ",", "", "'+note", ""]


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (page, name)
        for page in PAGES
        if "<" not in page.PATH
        for name in getattr(page, "DOWNLOADS", {})
    ],
)
def test_every_offered_table_downloads(demo_client, page, name):
    base = page.PATH.strip("/") or "overview"
    answer = demo_client.get(f"/download/{base}/{name}.csv?cohort=A")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.data.decode("utf-8-sig")
    assert "Study TINY-01, cut 2026-06-30" in text
    assert "Cohort: A" in text


def test_refused_rows_download_as_delivered(demo_client):
    text = demo_client.get("/download/data/refused.csv").data.decode("utf-8-sig")
    assert text.startswith("source_file,sheet,row,column_name,rule,raw,message,load_id\r\n")
    assert "kinetics.csv,,118,VALUE,number,Hemolyzed" in text


@pytest.mark.parametrize(
    "path",
    [
        "/download/data/none.csv",
        "/download/none/refused.csv",
        "/download/data/refused.csv?study=REAL-01",
    ],
)
def test_nothing_else_downloads(demo_client, path):
    answer = demo_client.get(path)
    assert answer.status_code == 404
    assert "A real study" not in answer.text


def app_with(table, **study):
    """A program whose data page offers one table, over a study with other words."""
    page = SimpleNamespace(
        PATH="/data", NAME="Data", layout=data_quality.layout, register=lambda *_: None,
        DOWNLOADS={"table": table},
    )  # fmt: skip
    reader = app_fixture.MemoryReader(synthetic_only=True)
    read = reader._read_trial
    reader._read_trial = lambda *key: dataclasses.replace(
        read(*key), study={**read(*key).study, **study}
    )
    return create_app(
        reader, mode="demo", submit_job=lambda *_: 1, read_job=app_fixture.no_job,
        cancel_job=app_fixture.no_job, version="0.1.0", pages=(page,),
    ).server.test_client()  # fmt: skip


def test_a_table_that_cannot_be_made_says_why():
    def refuse(view):
        raise UserError("no signal <b>chosen</b>; choose one")

    answer = app_with(refuse).get("/download/data/table.csv")
    assert answer.status_code == 404
    assert "no signal &lt;b&gt;chosen&lt;/b&gt;; choose one" in answer.text


def test_the_name_of_the_file_fits_a_header():
    client = app_with(lambda view: pl.DataFrame({"a": [1]}), studyid='\u7814\u7a76/"\u00c9-1')
    answer = client.get("/download/data/table.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="_____-1_table.csv"'
