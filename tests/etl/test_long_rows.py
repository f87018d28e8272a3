"""A row with more fields than its header is refused whole: no field of it can be trusted."""

from pathlib import Path

import pytest

from etl import jobs

pytestmark = pytest.mark.usefixtures("reads_here")

HEAD = "usubjid,analyte,assay,matrix,rel_day,unit,value"
GOOD = "P1,CARTG,qPCR,BLOOD,14,copies/ug,300"
SPLIT = "P1,CARTG,qPCR,BLOOD,7,copies/ug,12,400"


def checked(folder: Path, text: str, profile: str | None = None) -> jobs.LoadResult:
    path = folder / "kinetics_sample.csv"
    path.write_text(text)
    given = None
    if profile is not None:
        given = str(folder / "p.yaml")
        Path(given).write_text(profile)
    return jobs.load(None, [path], "ST", profile=given, dry_run=True)


def counts(result: jobs.LoadResult) -> tuple[int, int, int]:
    (one,) = result.files
    return one.loaded, one.refused, one.empty


@pytest.mark.parametrize("others", [[GOOD], [], [SPLIT.replace(",7,", ",28,")]])
def test_a_number_split_at_its_comma_is_refused_and_not_cut(
    tmp_path: Path, others: list[str]
) -> None:
    """However many rows are as long: the header says how many fields a row has."""
    result = checked(tmp_path, "\n".join([HEAD, SPLIT, *others]) + "\n")
    refused = [row for row in result.refused if row["row"] == 2]
    assert counts(result)[0] == others.count(GOOD)
    (row,) = refused
    assert (row["rule"], row["column"], row["raw"]) == ("too_many_fields", "field 8", SPLIT)
    assert row["file"].endswith("kinetics_sample.csv")
    for words in ("more fields than the header", '"12,400"', "`decimal`", "another delimiter"):
        assert words in row["message"]
    assert result.exit_code == 1
    assert "the row has more fields than the header in field 8" in result.summary()


def test_empty_fields_at_the_end_may_be_more_or_fewer(tmp_path: Path) -> None:
    head = f"{HEAD},lloq"
    rows = [f"{GOOD},50,,  ,", SPLIT.removesuffix(",400")]
    result = checked(tmp_path, "\n".join([head, *rows]) + "\n")
    assert counts(result) == (2, 0, 0)
    assert [one["code"] for one in result.findings].count("ragged_rows") == 1


def test_a_header_that_ends_in_a_delimiter_has_no_room_for_a_second_half(tmp_path: Path) -> None:
    result = checked(tmp_path, f"{HEAD},\n{GOOD},\n{SPLIT},\n")
    assert counts(result) == (1, 1, 0)
    assert result.refused[0]["raw"] == f"{SPLIT},"


def test_a_row_whose_value_moved_away_is_refused_and_not_empty(tmp_path: Path) -> None:
    result = checked(tmp_path, f"{HEAD}\n{GOOD}\nP1,CARTG,qPCR,BLOOD,7,copies/ug,,12\n")
    assert counts(result) == (1, 1, 0)


def test_a_semicolon_file_and_a_field_in_quotes_keep_their_text(tmp_path: Path) -> None:
    line = 'P1;CARTG;qPCR;"BLOOD;late";7;copies/ug;12;400'
    text = "\n".join([HEAD, GOOD]).replace(",", ";") + f"\n{line}\n"
    result = checked(tmp_path, text)
    assert [row["raw"] for row in result.refused] == [line]


WIDE = """
name: w
tables:
  - contract: laboratory_result
    header: [2]
    columns: {usubjid: Patient}
    constants: {unit: pg/mL, category: cytokine, matrix: SERUM, testcd: INTLK6}
    wide:
      - header: "Day {rel_day:number}"
"""


def test_every_value_of_a_wide_row_is_refused_and_lines_above_the_header_do_not_count(
    tmp_path: Path,
) -> None:
    text = "made,by,a,lab,in,2026\nPatient,Day 1,Day 7,Day 14\nP1,1,2,3\nP2,1,,400,5\n"
    result = checked(tmp_path, text, WIDE)
    assert counts(result) == (3, 2, 1)
    assert {row["raw"] for row in result.refused} == {"P2,1,,400,5"}


def test_the_text_of_a_row_beside_a_column_of_names_is_not_kept(tmp_path: Path) -> None:
    """A name with a comma is what splits such rows, and then stands in another column."""
    line = SPLIT.replace("P1,", "P1,Doe,").removesuffix(",400")
    result = checked(tmp_path, f"{HEAD.replace('id,', 'id,surname,')}\n{line}, Jane\n")
    assert [row["raw"] for row in result.refused] == [""]
    assert "Doe" not in str(result.refused) + str(result.findings)
