"""A row that holds an id and nothing else makes no record out of the profile's constants."""

from pathlib import Path

import pytest

from etl import jobs
from etl.load_result import LoadResult

pytestmark = pytest.mark.usefixtures("reads_here")

NOTE = "n = 4; LOD = 20 copies/ug DNA"
PROFILE = """
name: wide
tables:
  - contract: subject
    columns: {usubjid: Patient, sex: Sex}
    constants: {infused: "yes"}
  - contract: infusion
    columns: {usubjid: Patient}
    constants: {infusion_no: "1", product: CAR, rel_day: "0"}
  - contract: adverse_event
    columns: {usubjid: Patient, grade: CRS}
    constants: {term: Cytokine release syndrome, scale: ASTCT 2019, rel_day: "3"}
"""
ROWS = "Patient,Sex,CRS\nP-1,M,1\nP-2,F,2\nP-3,F,1\nP-4,M,1\n"


def checked(folder: Path, text: str, profile: str | None = PROFILE) -> LoadResult:
    path, saved = folder / "wide.csv", folder / "wide.yaml"
    path.write_text(text)
    if profile is not None:
        saved.write_text(profile)
    return jobs.load(None, [path], "ST", None if profile is None else str(saved), dry_run=True)


def findings(result: LoadResult, code: str) -> list[dict]:
    return [one for one in result.findings if one["code"] == code]


def test_a_footnote_in_the_id_column_is_no_infused_patient(tmp_path: Path) -> None:
    result = checked(tmp_path, f"{ROWS},,\n,,\n{NOTE},,\n")
    account = result.files[0]
    assert (account.rows_in, account.loaded, account.empty) == (15, 12, 3)
    (one,) = findings(result, "id_only_row")
    assert "row 8" in one["message"]
    assert "stop" in one["message"]
    assert NOTE not in one["message"]
    assert one["count"] == 1


def test_a_row_with_one_more_cell_makes_its_records(tmp_path: Path) -> None:
    result = checked(tmp_path, f"{ROWS}P-5,,3\n")
    assert result.files[0].loaded == 15
    assert findings(result, "id_only_row") == []


def test_a_list_of_ids_alone_is_taken_as_it_is(tmp_path: Path) -> None:
    """Nothing else could have been delivered: no row is less filled than the others."""
    profile = PROFILE.partition("  - contract: adverse_event")[0].replace(", sex: Sex", "")
    result = checked(tmp_path, "Patient\nP-1\nP-2\nP-3\n", profile)
    assert (result.files[0].loaded, result.files[0].empty) == (6, 0)


def test_a_subject_without_data_stays_where_no_constant_speaks_for_it(tmp_path: Path) -> None:
    """Demographics not entered yet: the id is of the usual shape and the list is not cut."""
    profile = PROFILE.partition("    constants")[0]
    result = checked(tmp_path, f"{ROWS}P-5,,\n", profile)
    assert (result.files[0].loaded, result.files[0].empty) == (5, 0)
    result = checked(tmp_path, f"{ROWS}{NOTE},,\n", profile)
    assert (result.files[0].loaded, result.files[0].empty) == (4, 1)


def test_an_id_of_another_shape_than_all_others_is_pointed_at(tmp_path: Path) -> None:
    result = checked(tmp_path, f"{ROWS}{NOTE},,see protocol 4.2\n".replace("P-4", "P-40"))
    (one,) = findings(result, "id_unlike_others")
    assert "wide.csv row 6" in one["message"]
    assert one["severity"] == "warning"
    assert NOTE not in one["message"]


@pytest.mark.parametrize("ids", [["Pat 1", "Pat 2", "Pat 3"], ["P-1", "P-20", "P-300"]])
def test_ids_that_are_all_alike_are_not_pointed_at(tmp_path: Path, ids: list[str]) -> None:
    text = "Patient,Sex,CRS\n" + "".join(f"{one},M,1\n" for one in ids)
    assert findings(checked(tmp_path, text), "id_unlike_others") == []
