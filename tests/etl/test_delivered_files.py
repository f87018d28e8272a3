"""What is said of the files of a delivery: their names, their rows, what lay beside them."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from analysis.errors import UserError
from etl import jobs
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

KINETICS = "usubjid,analyte,assay,value,unit,rel_day\n\nS1,CARTG,qPCR,5,copies/ug,1\n"


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("hostname", "trial-server\n", r"file 'hostname', text of one column"),
        ("two.csv", "a,b\n1,2\n", r"file 'two\.csv'"),
    ],
)
@pytest.mark.parametrize("profile", [None, "sdtm"])
def test_a_text_that_is_no_table_is_named(
    tmp_path: Path, name: str, text: str, title: str, profile: str | None
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserError, match=title) as caught:
        jobs.load(None, [path], "ST", profile=profile, dry_run=True)
    assert "''" not in str(caught.value)


def test_rows_of_a_file_are_its_data_rows_in_every_format(tmp_path: Path, shared: Path) -> None:
    """Header lines are no rows, empty lines are; the count of the text and of the JSON agree."""
    path = tmp_path / "kinetics_sample.csv"
    path.write_text(KINETICS)
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n3,4\n")
    result = jobs.load(None, [tmp_path], "ST", dry_run=True)
    rows = {Path(one.path).name: one.file_rows for one in result.files}
    assert rows == {"kinetics_sample.csv": 2, "notes.csv": 2}
    assert "notes.csv: 2 rows, not read" in result.summary()

    pilot = shared / "data" / "cdisc_datasetjson" / "sdtm"
    files = [pilot / f"dm.{kind}" for kind in ("xpt", "json")]
    counts = {
        one.file_rows
        for file in files
        for one in jobs.load(None, [file], "ST", profile="sdtm", dry_run=True).files
    }
    assert counts == {18}
    workbook = shared / "data" / "car22_nci_ball" / "clinical_data_05-12-20_v1.xlsx"
    (one,) = jobs.load(None, [workbook], "ST", profile="car22", dry_run=True).files
    assert (one.file_rows, one.rows_read) == (59, 59)


def test_a_hidden_file_belongs_to_no_other_file(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "kinetics_sample.csv").write_text(KINETICS)
    (folder / ".answers.json").write_text("{}")
    result = jobs.load(engine, [folder], "ST")
    (found,) = [one for one in result.findings if one["code"] == "file_skipped"]
    assert found["file"] is None
    assert "  .answers.json: hidden or lock file, not read" in result.summary().splitlines()
    assert ".answers.json" in " ".join(read_trial(engine, "ST").findings["message"])
