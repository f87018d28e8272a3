"""What was superseded does not become current again without a word, whoever sends it again."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from analysis.errors import UserError
from etl import jobs
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

HEAD = "usubjid,analyte,assay,value,unit,rel_day\n"
V1 = HEAD + "S1,CARTG,qPCR,100,copies/ug,1\nS1,CARTG,qPCR,6,copies/ug,2\n"
V2 = HEAD + "S1,CARTG,qPCR,111,copies/ug,1\nS1,CARTG,qPCR,6,copies/ug,2\n"
OTHER = HEAD + "S2,CARTG,qPCR,7,copies/ug,1\n"
FULL = """
name: whole
delivery: full
tables:
  - contract: kinetics_sample
    columns: {usubjid: usubjid, analyte: analyte, assay: assay, value: value, unit: unit,
              rel_day: rel_day}
"""


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / f"kinetics_sample_{name}.csv"
    path.write_text(text)
    return path


def values(engine: Engine) -> dict[tuple[str, float], float]:
    frame = read_trial(engine, "ST").kinetics
    return {(subject, day): value for subject, day, value in
            frame.select("usubjid", "rel_day", "value").rows()}  # fmt: skip


def test_the_records_of_many_files_are_asked_for_at_once(engine: Engine, tmp_path: Path) -> None:
    """A table of records is read once for a delivery, not once for each of its files."""
    files = [file(tmp_path, f"p{n}", OTHER.replace("S2", f"P{n}")) for n in range(5)]
    jobs.load(engine, files, "ST")
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    jobs.load(engine, [*files, file(tmp_path, "other", OTHER)], "ST", dry_run=True)
    of_files = re.compile(r"FROM kinetics_sample\b.*\bsource_file_id", re.DOTALL)
    assert len([one for one in asked if of_files.search(one)]) == 1


NEW = {("S1", 1.0): 111.0, ("S1", 2.0): 6.0}


def test_an_old_file_beside_a_new_one_is_set_aside_and_said(engine: Engine, tmp_path: Path) -> None:
    old, new = file(tmp_path, "v1", V1), file(tmp_path, "v2", V2)
    jobs.load(engine, [old], "ST", name="one")
    jobs.load(engine, [new], "ST", name="two")
    other = file(tmp_path, "other", OTHER)
    for dry_run in (True, False):
        result = jobs.load(engine, [old, other], "ST", dry_run=dry_run)
        (said,) = [one for one in result.findings if one["code"] == "older_file"]
        assert said["severity"] == "warning"
        assert said["message"].startswith(
            "kinetics_sample_v1.csv came first in load 1 and later loads superseded records of it "
            "(1 by load 2 (data cut 'two')); it was not loaded again"
        )
        assert "export it again" in said["message"]
        assert said["message"] in result.summary()
        counts = {Path(one.path).name: (one.loaded, one.duplicates) for one in result.files}
        assert counts == {"kinetics_sample_other.csv": (1, 0), "kinetics_sample_v1.csv": (0, 2)}
    assert values(engine) == NEW | {("S2", 1.0): 7.0}
    assert "older_file" in read_trial(engine, "ST").findings["code"].to_list()


def test_the_old_file_stays_old_however_often_it_is_sent(engine: Engine, tmp_path: Path) -> None:
    """It is as old as the load that brought it first, whatever came beside it later."""
    old, new = file(tmp_path, "v1", V1), file(tmp_path, "v2", V2)
    jobs.load(engine, [old], "ST")
    jobs.load(engine, [new], "ST")
    for day in range(3):
        beside = file(tmp_path, "other", OTHER.replace("ug,1", f"ug,{day}"))
        jobs.load(engine, [old, beside], "ST")
        assert NEW.items() <= values(engine).items()
    again = jobs.load(engine, [old], "ST")
    assert (again.changed, values(engine)[("S1", 1.0)]) == (False, 111.0)


def test_an_old_file_with_a_refusal_that_healed_brings_no_old_value_back(
    engine: Engine, tmp_path: Path
) -> None:
    """S9 was unknown when v1 came; that it is known now makes v1 no newer."""
    subjects = tmp_path / "subject.csv"
    subjects.write_text("usubjid\nS1\nS2\n")
    old = file(tmp_path, "v1", V1 + "S9,CARTG,qPCR,5,copies/ug,1\n")
    jobs.load(engine, [subjects], "ST")
    assert jobs.load(engine, [old], "ST").files[0].refused == 1
    jobs.load(engine, [file(tmp_path, "v2", V2)], "ST")
    subjects.write_text("usubjid\nS1\nS2\nS9\n")
    jobs.load(engine, [subjects], "ST")
    result = jobs.load(engine, [old], "ST")
    assert values(engine) == NEW
    assert "older_file" in {one["code"] for one in result.findings}


def test_a_full_delivery_with_an_old_file_is_refused_whole(engine: Engine, tmp_path: Path) -> None:
    profile = tmp_path / "whole.yaml"
    profile.write_text(FULL)
    old, new = file(tmp_path, "v1", V1), file(tmp_path, "v2", V2)
    jobs.load(engine, [old], "ST", profile=str(profile))
    jobs.load(engine, [new], "ST", profile=str(profile))
    other = file(tmp_path, "other", OTHER)
    words = r"kinetics_sample_v1\.csv came first in load 1 .*; leave it out of this full delivery"
    for dry_run in (True, False):
        with pytest.raises(UserError, match=words):
            jobs.load(engine, [old, other], "ST", profile=str(profile), dry_run=dry_run)
    assert values(engine) == NEW
    jobs.load(engine, [new, other], "ST", profile=str(profile))
    assert values(engine) == NEW | {("S2", 1.0): 7.0}


def test_a_correction_taken_back_in_a_new_export_is_loaded_and_said(
    engine: Engine, tmp_path: Path
) -> None:
    jobs.load(engine, [file(tmp_path, "v1", V1)], "ST")
    jobs.load(engine, [file(tmp_path, "v2", V2)], "ST")
    result = jobs.load(engine, [file(tmp_path, "v3", V1 + "S1,CARTG,qPCR,8,copies/ug,3\n")], "ST")
    (said,) = [one for one in result.findings if one["code"] == "older_content"]
    assert said["message"].startswith(
        "Cellular kinetics: 1 correction back to a content that an earlier load had superseded"
    )
    assert (said["count"], said["severity"]) == (1, "warning")
    assert values(engine) == {("S1", 1.0): 100.0, ("S1", 2.0): 6.0, ("S1", 3.0): 8.0}


def test_a_repaired_profile_reads_the_same_file_anew(engine: Engine, tmp_path: Path) -> None:
    """The values were wrong by the profile, not by the file: it is not old."""
    profile = tmp_path / "p.yaml"
    path = file(tmp_path, "v1", V1)
    profile.write_text(FULL.replace("full", "partial").replace("unit: unit", "visit: unit")
                       + "    constants: {unit: copies/ng}\n")  # fmt: skip
    jobs.load(engine, [path], "ST", profile=str(profile))
    profile.write_text(FULL.replace("full", "partial"))
    result = jobs.load(engine, [path], "ST", profile=str(profile))
    assert (result.changed, result.superseded) == (True, 2)
    assert values(engine) == {("S1", 1.0): 100.0, ("S1", 2.0): 6.0}


def test_a_profile_may_be_repaired_more_than_once(engine: Engine, tmp_path: Path) -> None:
    """A full delivery takes its own earlier records back; that makes its file no older."""
    profile = tmp_path / "whole.yaml"
    path = file(tmp_path, "v1", V1)
    wrong = FULL.replace("rel_day: rel_day", "rel_day: value")
    for text, days in ((wrong, {6.0, 100.0}), (FULL, {1.0, 2.0}), (wrong + "# again\n", {6, 100})):
        profile.write_text(text)
        assert jobs.load(engine, [path], "ST", profile=str(profile)).changed
        assert {day for _, day in values(engine)} == days
