"""What a refused row says: its place and text always, and what to do where the rule alone does not
tell."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from etl import jobs
from etl.contracts import CONTRACTS
from etl.contracts.advice import advice, nearest
from etl.contracts.contract import Contract
from etl.synthetic import STUDYID, write_trial
from models.queries import read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

LAB = CONTRACTS["laboratory_result"]


def checked(folder: Path, profile: str | None = None, **files: str) -> jobs.LoadResult:
    """The dry run of some CSV files, and the profile they are read by."""
    paths = []
    for name, text in files.items():
        path = folder / f"{name}.csv"
        path.write_text(text)
        paths.append(path)
    if profile is not None:
        (folder / "p.yaml").write_text(profile)
    given = None if profile is None else str(folder / "p.yaml")
    return jobs.load(None, paths, "ST", profile=given, dry_run=True)


def only(result: jobs.LoadResult, rule: str) -> dict[str, Any]:
    found = [row for row in result.refused if row["rule"] == rule]
    assert found, result.refused
    return dict(found[0])


# Where it stands


PLACE = ("file", "sheet", "row", "column", "rule")


def test_every_planted_refusal_of_the_synthetic_trial_has_its_place(tmp_path: Path) -> None:
    truth = write_trial(tmp_path, seed=4)
    result = jobs.load(None, [tmp_path], STUDYID, profile="synthetic", dry_run=True)
    planted = [one for one in truth.problems if one.outcome == "refused"]
    assert len(planted) >= 8
    for row in result.refused:
        assert all(row[name] for name in PLACE), row
        assert isinstance(row["raw"], str)
    found = {(row["file"].removeprefix(f"{tmp_path}/"), row["row"], row["rule"])
             for row in result.refused}  # fmt: skip
    for one in planted:
        assert (one.file, one.row, one.rule) in found, one


@pytest.mark.parametrize(
    ("line", "column", "rule", "raw"),
    [
        ("S-1,CRS,1,ASTCT 2019,1890-01-01,,", "dtm", "too_low", "1890-01-01"),
        ("S-1,CRS,1,ASTCT 2019,2024-01-05,2024-01-02,", "end_dtm", "not_before_start",
         "2024-01-02"),
        ("S-1,CRS,1,,2024-01-05,,", "scale", "given_with_grade", ""),
        ("S-1,CRS,1,ASTCT 2019,2024-01-05,,maybe", "serious", "not_a_flag", "maybe"),
    ],
)  # fmt: skip
def test_a_value_that_was_computed_points_at_the_cell_it_was_made_from(
    tmp_path: Path, line: str, column: str, rule: str, raw: str
) -> None:
    """`rel_day` of 1890 was delivered by nobody: the date was."""
    result = checked(
        tmp_path,
        infusion="usubjid,dtm,dose_cells\nS-1,2024-01-01,1e8\n",
        adverse_event=f"usubjid,term,grade,scale,dtm,end_dtm,serious\n{line}\n",
    )
    row = only(result, rule)
    assert (row["sheet"], row["row"], row["column"], row["raw"]) == (
        "adverse_event", 2, column, raw,
    )  # fmt: skip


# What to do


@pytest.mark.parametrize(
    ("unit", "code", "words"),
    [
        ("mg/Ll", "CRP", "nearest for CRP: mg/L"),
        ("stones", "CRP", "expected for CRP: mg/L, pg/mL"),
        ("pg/mLl", "INTLK6", "nearest for INTLK6: pg/mL"),
    ],
)
def test_an_unknown_unit_names_the_nearest_and_the_list(unit: str, code: str, words: str) -> None:
    said = advice("unit_unknown", "unit", unit, code, LAB, "iso")
    assert said.startswith(words)
    assert said.endswith("all units: docs/reference/units.md")


def test_an_unknown_unit_of_a_dose_and_of_an_activity(tmp_path: Path) -> None:
    result = checked(
        tmp_path,
        infusion="usubjid,rel_day,dose_cells,dose_unit\nS-1,0,120,10^6 cel\n",
        tracer_administration="usubjid,rel_day,tracer_id,activity,activity_unit\n"
        "S-1,7,f18_fhbg,300,MBqq\n",
    )
    said = {row["column"]: row["message"] for row in result.refused}
    assert "nearest: 10^6 cells" in said["dose_unit"]
    assert "nearest: MBq" in said["activity_unit"]


@pytest.mark.parametrize("text", ["18F-FHBG", "f18_fhgb", "F18 FHBG"])
def test_an_unknown_tracer_names_the_nearest_ids_and_the_list(tmp_path: Path, text: str) -> None:
    result = checked(tmp_path, scan=f"usubjid,scan_code,rel_day,tracer_id\nS-1,A,7,{text}\n")
    row = only(result, "tracer_unknown")
    assert re.search(
        r"nearest ids: [a-z0-9_, ]*f18_fhbg.*docs/reference/tracers\.md", row["message"]
    )
    assert "nearest ids" in result.summary()


def test_a_word_that_is_not_allowed_comes_with_those_that_are(tmp_path: Path) -> None:
    result = checked(tmp_path, scan="usubjid,scan_code,rel_day,decay_state\nS-1,A,7,HALF\n")
    assert "accepted: none, scan_start, tracer_injection" in only(result, "not_allowed")["message"]


PROFILE = """
name: dates
dates: "%d/%m/%Y"
tables:
  - contract: scan
    columns: {usubjid: usubjid, scan_code: scan_code, dtm: dtm}
"""


def test_a_date_in_another_format_says_value_format_and_way_out(tmp_path: Path) -> None:
    text = "usubjid,scan_code,dtm\nS-1,A,2026-03-31\nS-1,B,14/01/2026\n"
    result = checked(tmp_path, PROFILE, scan=text)
    row = only(result, "date_format")
    assert (row["row"], row["column"], row["raw"]) == (2, "dtm", "2026-03-31")
    for words in ("'2026-03-31'", 'the profile says `dates: "%d/%m/%Y"`, as in 31/03/2026',
                  "its own `dates` (iso for 2026-03-31)"):  # fmt: skip
        assert words in result.summary()
    own = PROFILE.replace("    columns", "    dates: iso\n    columns")
    mended = checked(tmp_path, own, scan="usubjid,scan_code,dtm\nS-1,A,2026-03-31\n")
    assert mended.refused == ()


def test_a_date_without_a_profile_says_what_is_expected(tmp_path: Path) -> None:
    result = checked(tmp_path, scan="usubjid,scan_code,dtm\nS-1,A,2026-03-31\nS-1,B,31.3.26\n")
    assert "expected ISO 8601, as 2026-03-31" in only(result, "date_format")["message"]


# Subjects


def test_records_of_a_refused_subject_name_its_row(tmp_path: Path) -> None:
    result = checked(
        tmp_path,
        subject="usubjid,age_year\nS-1,61\nS-2,old\n",
        infusion="usubjid,rel_day,dose_cells\nS-1,0,1e8\nS-2,0,1e8\nS-3,0,1e8\n",
    )
    said = {
        row["raw"]: row["message"] for row in result.refused if row["rule"] == "subject_unknown"
    }
    assert set(said) == {"S-2", "S-3"}
    place = "subject.csv row 3 (the text is not a number, age_year)"
    assert f"own row was refused in this load: {place}" in said["S-2"]
    assert "own row" not in said["S-3"]
    assert "subject.csv row 3" in result.summary()


def test_a_list_whose_every_subject_is_refused_is_still_a_list(tmp_path: Path) -> None:
    """The records must not make the subject that the list got wrong."""
    result = checked(
        tmp_path,
        subject="usubjid,age_year\nS-2,old\n",
        infusion="usubjid,rel_day,dose_cells\nS-2,0,1e8\n",
    )
    assert sorted(row["rule"] for row in result.refused) == ["not_a_number", "subject_unknown"]
    assert not [one for one in result.findings if one["code"] == "subject_implied"]


def test_two_rows_of_one_subject_in_conflict_load_neither(engine: Engine, tmp_path: Path) -> None:
    """In one delivery nobody can say which is newer; the version that is stored stays."""
    (tmp_path / "subject.csv").write_text("usubjid,sex,cohort\nS-1,F,A\nS-2,M,A\n")
    jobs.load(engine, [tmp_path / "subject.csv"], "ST")
    one, two = tmp_path / "subject_site1.csv", tmp_path / "subject_site2.csv"
    one.write_text("usubjid,sex,cohort\nS-1,F,B\nS-3,F,B\n")
    two.write_text("usubjid,sex,cohort\nS-1,F,C\nS-3,M,B\n")
    result = jobs.load(engine, [one, two], "ST")
    assert [(row["rule"], row["column"], row["raw"]) for row in result.refused] == [
        ("conflict", "cohort", "B"), ("conflict", "sex", "F"),
        ("conflict", "cohort", "C"), ("conflict", "sex", "M"),
    ]  # fmt: skip
    message = result.refused[0]["message"]
    assert (
        "the other is subject_site2.csv row 2; they differ in cohort; neither is loaded" in message
    )
    assert "send the newer file by itself after the older" in message
    stored = read_trial(engine, "ST").subjects.sort("usubjid")
    assert stored.select("usubjid", "cohort").rows() == [("S-1", "A"), ("S-2", "A")]
    assert jobs.load(engine, [two], "ST").superseded == 1
    stored = read_trial(engine, "ST").subjects.sort("usubjid")
    assert stored.select("usubjid", "cohort").rows() == [("S-1", "C"), ("S-2", "A"), ("S-3", "B")]


def test_the_nearest_names_are_accepted_names() -> None:
    assert nearest("copies / ug", ["copies/mL", "copies/ug", "g"])[0] == "copies/ug"
    assert nearest("zzz", ["copies/mL", "g"]) == []


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_advice_is_one_line(contract: Contract) -> None:
    for rule in ("unit_unknown", "unit_missing", "tracer_unknown", "date_format", "not_allowed"):
        assert "\n" not in advice(rule, "unit", "x", None, contract, "%d/%m/%Y")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("0,8", "decimal: comma"),
        ("<0,5", "decimal: comma"),
        ("0,850", "decimal: comma"),
        ("12,400", 'thousands: ","'),
        ("BLQ", "lloq"),
        ("ND", "limits: {ND: below}"),
        ("ND", "missing: [ND]"),
        ("see report", "`missing`, `limits`"),
    ],
)
def test_a_value_that_is_no_number_says_how_a_profile_reads_it(
    tmp_path: Path, reads_here: None, text: str, remedy: str
) -> None:
    """On the terminal as on the page of the refused rows, in the same words."""
    path = tmp_path / "laboratory_result.csv"
    path.write_text(f'usubjid,rel_day,testcd,value,unit\nS1,1,CRP,"{text}",mg/L\n')
    result = jobs.load(None, [path], "ST", dry_run=True)
    (row,) = result.refused
    assert remedy in row["message"]
    assert row["message"].partition("; ")[2] in result.summary()
