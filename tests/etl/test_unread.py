"""One file that cannot be read does not cost the folder; a file that was named ends the load."""

import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Engine

from analysis.errors import UserError
from etl import jobs
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

KINETICS = "usubjid,analyte,assay,value,unit,rel_day\nS1,CARTG,qPCR,5,copies/ug,1\n"
FULL = """
name: whole
delivery: full
tables:
  - contract: kinetics_sample
    file: "kinetics*"
    columns: {usubjid: usubjid, analyte: analyte, assay: assay, value: value, unit: unit,
              rel_day: rel_day}
"""


def export(folder: Path) -> Path:
    """A good table, prose beside it, and a define.xml."""
    folder.mkdir()
    (folder / "kinetics_sample.csv").write_text(KINETICS)
    (folder / "PROVENANCE.md").write_text("Where the data, such as they are, come from.\n")
    (folder / "LICENSE.GPL-3.txt").write_text("GNU GENERAL PUBLIC LICENSE\n\nVersion 3, 2007\n")
    (folder / "define.xml").write_text("<?xml version='1.0'?><ODM/>")
    return folder


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_foreign_files_are_listed_as_not_read(engine: Engine, tmp_path: Path, kind: str) -> None:
    given = export(tmp_path / "export")
    given = zipped(given) if kind == "zip" else given
    result = jobs.load(engine, [given], "ST")
    read = {Path(one.path.replace("!", "/")).name: (one.reader, one.rows_in, one.loaded)
            for one in result.files}  # fmt: skip
    assert read == {
        "LICENSE.GPL-3.txt": ("-", 0, 0),
        "PROVENANCE.md": ("-", 0, 0),
        "define.xml": ("-", 0, 0),
        "kinetics_sample.csv": ("csv", 1, 1),
    }
    assert (result.exit_code, result.cut is not None) == (0, True)
    found = [one for one in result.findings if one["code"] == "file_not_read"]
    assert len(found) == 3
    assert all(one["message"].startswith("not read: unknown format") for one in found)
    assert all("unknown format" in one["message"] for one in found)
    trial = read_trial(engine, "ST")
    assert trial.findings["code"].to_list().count("file_not_read") == 3
    again = jobs.load(engine, [given], "ST")
    assert (again.changed, again.exit_code, again.cut) == (False, 0, result.cut)


def test_a_foreign_file_that_is_named_ends_the_load(engine: Engine, tmp_path: Path) -> None:
    folder = export(tmp_path / "export")
    with pytest.raises(UserError, match=r"define\.xml: unknown format \(XML or HTML\)"):
        jobs.load(engine, [folder, folder / "define.xml"], "ST")
    for name in ("kinetics_sample.csv", "LICENSE.GPL-3.txt"):
        (folder / name).unlink()
    with pytest.raises(UserError, match="none of 2 files can be read; the first: "):
        jobs.load(engine, [folder], "ST")


def test_a_damaged_data_file_is_an_error_finding_every_time(engine: Engine, tmp_path: Path) -> None:
    folder = export(tmp_path / "export")
    (folder / "labs.xpt").write_bytes(bytes(range(200)))
    first = jobs.load(engine, [folder], "ST")
    again = jobs.load(engine, [folder], "ST")
    for result in (first, again):
        (found,) = [one for one in result.findings if one["code"] == "file_damaged"]
        assert found["severity"] == "error"
        assert found["file"].endswith("labs.xpt")
        assert result.exit_code == 1
    assert again.changed is False


def test_a_complete_delivery_takes_no_damaged_file(engine: Engine, tmp_path: Path) -> None:
    """What the damaged file held would count as vanished."""
    folder = export(tmp_path / "export")
    profile = tmp_path / "whole.yaml"
    profile.write_text(FULL)
    assert jobs.load(engine, [folder], "ST", profile=str(profile)).exit_code == 0
    (folder / "kinetics_2.csv").write_bytes(b"")
    with pytest.raises(UserError, match=r"kinetics_2\.csv: the file is empty .* as complete"):
        jobs.load(engine, [folder], "ST", profile=str(profile))


def test_the_folder_of_the_worked_example_loads(shared_data: Path) -> None:
    folder = shared_data / "car22_nci_ball"
    result = jobs.load(None, [folder], "CAR22", profile="car22", dry_run=True)
    loaded = {Path(one.path).name: one.loaded for one in result.files if one.loaded}
    assert loaded == {"clinical_data_05-12-20_v1.xlsx": 17401}
    unread = sorted(Path(one.path).name for one in result.files if one.reader == "-")
    assert unread == ["LICENSE.GPL-3.txt", "PROVENANCE.md"]
    assert result.exit_code == 0


@pytest.mark.slow
def test_one_dataset_in_four_formats_is_loaded_once(shared_data: Path) -> None:
    """The first format loads, the other three are duplicates, record by record."""
    result = jobs.load(None, [shared_data / "cdisc_datasetjson" / "sdtm"], "PILOT", dry_run=True)
    files = {Path(one.path).name: one for one in result.files}
    assert files["define.xml"].reader == "-"
    for name, loaded in {"ae": 74, "dm": 89, "ex": 1583, "lb": 3435, "rs": 375}.items():
        assert (files[f"{name}.dsjc"].loaded, files[f"{name}.dsjc"].duplicates) == (loaded, 0)
        for ending in ("json", "ndjson", "xpt"):
            one = files[f"{name}.{ending}"]
            assert (one.loaded, one.duplicates) == (0, loaded), one.path
            assert one.refused == files[f"{name}.dsjc"].refused
