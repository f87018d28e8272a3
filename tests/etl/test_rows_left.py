"""Rows and sheets that no table reads are counted for what they are."""

from pathlib import Path

import pytest

from analysis.errors import UserError
from etl import jobs

pytestmark = pytest.mark.usefixtures("reads_here")

TABLE = """
name: t
tables:
  - contract: subject
    file: "s.csv"
    columns: {usubjid: Patient, sex: Sex}
"""


def test_rows_behind_a_stop_are_no_matter_of_filters(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("Patient,Sex\nP-1,M\nP-2,F\nn = 2,\nnote,\n")
    profile = tmp_path / "t.yaml"
    profile.write_text(TABLE + '    stop: {column: Patient, like: "n =*"}\n')
    result = jobs.load(None, [tmp_path / "s.csv"], "ST", profile=str(profile), dry_run=True)
    counts = {one["code"]: one["count"] for one in result.findings}
    assert counts["rows_after_stop"] == 2
    assert "rows_not_selected" not in counts
    assert "2 of 4 rows -> 2 records" in result.summary()


def test_a_sheet_of_one_line_is_one_row_and_nothing_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("Patient,Sex\nP-1,M\n")
    (tmp_path / "n.csv").write_text("Export of 2026,locked\n")
    profile = tmp_path / "t.yaml"
    profile.write_text(TABLE)
    paths = [tmp_path / "s.csv", tmp_path / "n.csv"]
    result = jobs.load(None, paths, "ST", profile=str(profile), dry_run=True)
    (one,) = [row for row in result.findings if row["code"] == "sheet_not_read"]
    assert (one["count"], one["severity"]) == (1, "info")
    assert one["message"].startswith("1 row not read")


def test_a_dose_per_kg_says_where_it_is_stored(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("Patient,Dose (10^6 cells/kg)\nP-1,2\n")
    profile = tmp_path / "t.yaml"
    profile.write_text(
        "name: t\ntables:\n  - contract: infusion\n"
        '    columns: {usubjid: Patient, dose_cells_per_kg: "Dose (10^6 cells/kg)"}\n'
    )
    with pytest.raises(UserError, match="stored as dose_cells_per_kg"):
        jobs.load(None, [tmp_path / "i.csv"], "ST", profile=str(profile), dry_run=True)
