"""The text of a load for the person at the terminal: why rows were refused, what was not read."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl import jobs

HEAD = "usubjid,testcd,value,unit,rel_day,lab_note\n"

pytestmark = pytest.mark.usefixtures("reads_here")


def check(*paths: Path, profile: str | None = None) -> list[str]:
    result = jobs.load(None, paths, "ST", profile=profile, dry_run=True)
    assert {"files", "refused", "cut"} <= set(result.to_dict())
    keys = {"file", "sheet", "row", "column", "rule", "raw"}
    assert all(set(row) == keys for row in result.to_dict()["refused"])
    return result.summary().splitlines()


def test_refusals_are_grouped_with_the_reason_and_an_example(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    rows = ["S1,CRP,NORMAL,mg/L,1,", "S1,CRP,NORMAL,mg/L,2,", "S1,CRP,x,mg/L,3,",
            "S1,CRP,5,mg/L,4,seen", "S1,CRP,6,mg/L,4,", "S1,CRP,7,stones,5,"]  # fmt: skip
    (folder / "laboratory_result.csv").write_text(HEAD + "\n".join(rows) + "\n")
    (folder / "notes.csv").write_text("a,b\n1,2\n3,4\n")
    assert check(folder) == [
        "laboratory_result.csv: 6 records = 0 loaded + 6 refused + 0 duplicates + 0 empty",
        "  3 refused: not a number in value ('NORMAL' and another text, first at row 2): "
        "declare the word in a profile (`missing`, `limits`); a unit stands in its own field",
        "  2 refused: two records have the same key and different content in value "
        "('5' and another text, first at row 5): the other is laboratory_result.csv row 6; they "
        "differ in value; neither is loaded: keep the right one in this delivery, or send the "
        "newer file by itself after the older",
        "  1 refused: the unit is not known in unit ('stones', first at row 7): expected for CRP: "
        "mg/L, pg/mL, ng/L, fg/mL, ng/mL, ug/L ...; all units: docs/reference/units.md",
        "notes.csv: 2 rows, not read: no table for notes.csv",
        "Noticed:",
        "  laboratory_result.csv: 1 subject named by records only; deliver a list of subjects",
        "  1 column read by no table: laboratory_result.csv: lab_note",
        "Every refused row: the same command with --json.",
        "dry run: nothing was written",
    ]


def test_never_more_than_five_reasons_and_no_text_of_subject_ids(tmp_path: Path) -> None:
    subjects = tmp_path / "subject.csv"
    subjects.write_text("usubjid,sex,age_year\nS1,F,40\n")
    path = tmp_path / "adverse_event.csv"
    path.write_text(
        "usubjid,term,grade,scale,serious,rel_day,category,end_rel_day,aeseq\n"
        "SECRET,CRS,1,ASTCT,,1,CRS,,1\n"
        "S1,CRS,x,ASTCT,,1,CRS,,2\n"
        "S1,CRS,9,ASTCT,,1,CRS,,3\n"
        "S1,CRS,1,,,1,CRS,,4\n"
        "S1,CRS,1,ASTCT,perhaps,1,CRS,,5\n"
        "S1,CRS,1,ASTCT,,early,CRS,,6\n"
        "S1,CRS,1,ASTCT,,1,COLD,,7\n"
    )
    lines = check(subjects, path)
    refused = [line for line in lines if " refused" in line and line.startswith("  ")]
    assert len(refused) == 6
    assert refused[0].startswith("  1 refused: the subject is not among the subjects of the study")
    assert refused[-1] == "  2 refused for 2 more reasons"
    assert "SECRET" not in "\n".join(lines)


def test_a_new_study_is_said_once(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "laboratory_result.csv"
    path.write_text(HEAD + "S1,CRP,5,mg/L,1,\n")
    dry = jobs.load(engine, [path], "ST", dry_run=True)
    assert dry.message == "dry run: nothing was written; 'ST' would be a new study"
    assert jobs.load(engine, [path], "ST", name="a").message == (
        "new study 'ST'; loaded into data cut 'a'"
    )
    path.write_text(HEAD + "S1,CRP,6,mg/L,1,\n")
    assert jobs.load(engine, [path], "ST", name="b").message == "loaded into data cut 'b'"


@pytest.mark.slow
def test_what_a_folder_of_datasets_says(shared_data: Path) -> None:
    lines = check(shared_data / "cdisc_onco" / "sdtm")
    counts = "1,530 records = 1,478 loaded + 0 refused + 0 duplicates + 52 empty"
    assert f"dm.csv: 306 rows -> {counts}" in lines
    assert "ds.csv: 850 rows, not read: no table for DS" in lines
    assert not any("not a number in LBSTRESC" in line for line in lines)
    assert any("874 character results in LBSTRESC" in line for line in lines)
    tumors = lines.index(
        "tu_onco_recist.csv: 75 records = 0 loaded + 51 refused + 24 duplicates + 0 empty"
    )
    assert lines[tumors + 1] == (
        "  51 refused: two records have the same key and different content in TULOC "
        "('BONE' and 8 other texts, first at row 5): the other is tu_onco.csv row 5; they differ "
        "in location; neither is loaded: keep the right one in this delivery, or send the newer "
        "file by itself after the older"
    )


def test_one_of_a_kind_is_singular(tmp_path: Path) -> None:
    """One row, one duplicate, one odd row, one column and one sheet that nothing reads."""
    (tmp_path / "kinetics_sample.csv").write_text(
        "usubjid,analyte,assay,rel_day,value,unit,extra\n"
        "S-1,CARTG,qPCR,7,31400,copies/ug,x\nS-1,CARTG,qPCR,7,31400,copies/ug,\n"
    )
    (tmp_path / "quantification.csv").write_text(
        "usubjid,scan_code,region_code,metric,value,unit\nS-1,A,LIVER,suv_mean,x,g/mL\n"
    )
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    said = jobs.load(None, [tmp_path], "ST", dry_run=True).summary()
    wrong = re.findall(r"\b1 (?:rows|records|columns|duplicates|cells|subjects|files)\b", said)
    assert wrong == [], said
    counts = "2 records = 1 loaded + 0 refused + 1 duplicate + 0 empty"
    for words in (counts, "1 row, not read", "1 subject named by records only"):
        assert words in said
