"""The same document, the same numbers, no live formula, in every format."""

import csv
import json
from datetime import datetime
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import UserError
from export.document import Column, Document, Provenance, Table
from export.writers import WRITERS, write_document
from export.writers.csv import cell

ROWS = {
    "usubjid": ["=cmd|' /C calc'!A0", "@SUM(1)", "-P3", "004"],
    "value": [0.1 + 0.2, 1e-300, None, -12.5],
    "n": [1, 2, 3, None],
    "ok": [True, False, None, True],
}


def document(rows: dict[str, list[object]] = ROWS) -> Document:
    columns = (
        Column("usubjid", "Patient"),
        Column("value", "Peak", "copies/ug"),
        Column("n", "Samples"),
        Column("ok", "Evaluable"),
    )
    table = Table(
        "kinetics", "Cellular kinetics", "one row per patient", columns,
        pl.DataFrame(rows, strict=False), ("A note.",),
    )  # fmt: skip
    return Document("Summary of TEST-01", (table,), provenance())


def provenance() -> Provenance:
    return Provenance(
        study="TEST-01",
        cut="2026-06-30",
        cut_created_at="2026-07-01 09:00:00",
        filters=(("Cohort", "A"),),
        query="cohort=A",
        n_patients=24,
        n_selected=12,
        versions=(("cartograph", "0.1.0"),),
        methods=("REML",),
        source_files=(("kinetics.csv", "ab" * 32),),
        written_at=datetime(2026, 7, 2).isoformat(),
    )


def test_every_format_carries_the_provenance(tmp_path: Path) -> None:
    written = write_document(document(), tmp_path, list(WRITERS))
    assert sorted(path.name for path in written) == [
        "kinetics.csv", "provenance.csv", "summary.json", "summary.xlsx",
    ]  # fmt: skip
    with (tmp_path / "provenance.csv").open(encoding="utf-8", newline="") as file:
        lines = dict(list(csv.reader(file))[1:])
    assert lines["Data cut"] == "2026-06-30 (2026-07-01 09:00:00 UTC)"
    assert lines["Patients"] == "12 selected of 24"
    assert lines["Filter: Cohort"] == "A"
    assert lines["Version: cartograph"] == "0.1.0"
    assert lines["Column: kinetics.value"] == "Peak (copies/ug)"
    content = json.loads((tmp_path / "summary.json").read_text())
    assert content["provenance"]["source_files"] == [["kinetics.csv", "ab" * 32]]
    sheets = fastexcel.read_excel(tmp_path / "summary.xlsx").sheet_names
    assert sheets == ["kinetics", "provenance"]


def test_numbers_read_back_equal_from_every_format(tmp_path: Path) -> None:
    write_document(document(), tmp_path, ["csv", "xlsx", "json"])
    with (tmp_path / "kinetics.csv").open(encoding="utf-8", newline="") as file:
        from_csv = [float(row["value"]) if row["value"] else None for row in csv.DictReader(file)]
    rows = json.loads((tmp_path / "summary.json").read_text())["tables"][0]["rows"]
    sheet = fastexcel.read_excel(tmp_path / "summary.xlsx").load_sheet(0, header_row=2)
    from_xlsx = sheet.to_polars().get_column("Peak (copies/ug)").to_list()[:4]
    assert from_csv == ROWS["value"]
    assert [row["value"] for row in rows] == ROWS["value"]
    assert from_xlsx == ROWS["value"]


def test_no_text_is_a_live_formula(tmp_path: Path) -> None:
    write_document(document(), tmp_path, ["csv", "xlsx"])
    with (tmp_path / "kinetics.csv").open(encoding="utf-8", newline="") as file:
        patients = [row["usubjid"] for row in csv.DictReader(file)]
    assert patients == ["'=cmd|' /C calc'!A0", "'@SUM(1)", "'-P3", "004"]
    import zipfile

    with zipfile.ZipFile(tmp_path / "summary.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet


@given(st.text(max_size=20))
def test_no_text_at_all_starts_like_a_formula(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_all_its_digits(value: float) -> None:
    assert float(cell(value)) == value


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="known are csv, xlsx, json"):
        write_document(document(), tmp_path / "out", ["csv", "docx"])
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written"):
        write_document(document(), tmp_path / "file", ["csv"])
