"""Character results of SDTM (LBSTRESC without LBSTRESN) are counted and named, not refused."""

from pathlib import Path

import pytest

from etl import jobs

pytestmark = pytest.mark.usefixtures("reads_here")

HEAD = "STUDYID,DOMAIN,USUBJID,LBSEQ,LBTESTCD,LBSTRESC,LBSTRESN,LBSTRESU,LBDTC\n"


def check(folder: Path, results: list[tuple[str, str]], head: str = HEAD) -> jobs.LoadResult:
    path = folder / "lb.csv"
    rows = [
        ",".join(["T", "LB", "S1", str(day), "CRP", text, *([number] if "RESN" in head else []),
                  "mg/L", f"2024-01-{day:02}"])
        for day, (text, number) in enumerate(results, start=1)
    ]  # fmt: skip
    path.write_text(head + "".join(f"{row}\n" for row in rows))
    return jobs.load(None, [path], "ST", profile="sdtm", dry_run=True)


def test_words_without_a_number_are_left_out_and_counted(tmp_path: Path) -> None:
    words = ["NORMAL", "N", "POSITIVE", "TRACE", "++", "1+", "not seen"]
    result = check(tmp_path, [("5", "5"), ("<3", ""), *((word, "") for word in words)])
    (file,) = result.files
    assert (file.rows_in, file.loaded, file.refused, file.empty) == (9, 2, 0, 7)
    (found,) = [one for one in result.findings if one["code"] == "character_results"]
    assert (found["count"], found["column_name"], found["severity"]) == (7, "LBSTRESC", "warning")
    assert "7 character results in LBSTRESC" in found["message"]
    assert found["message"] in result.summary()
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("text", "number", "rule"),
    [
        ("NORMAL", "5", "not_a_number"),  # the sender has a number for it
        ("12O", "", "not_a_number"),  # a digit may be a number that was lost
        ("5-10", "", "not_a_number"),
        ("---", "", "not_a_number"),
        ("ND", "", "ambiguous_nd"),
        ("BLQ", "", "limit_missing"),
    ],
)
def test_what_may_hide_a_number_stays_refused(
    tmp_path: Path, text: str, number: str, rule: str
) -> None:
    result = check(tmp_path, [("5", "5"), (text, number)])
    assert [one["rule"] for one in result.refused] == [rule]
    assert (result.files[0].empty, result.exit_code) == (0, 1)


def test_without_the_column_of_numbers_the_words_decide(tmp_path: Path) -> None:
    result = check(tmp_path, [("5", ""), ("NORMAL", ""), ("12O", "")],
                   HEAD.replace("LBSTRESN,", ""))  # fmt: skip
    (file,) = result.files
    assert (file.loaded, file.refused, file.empty) == (1, 1, 1)


def test_other_tables_refuse_words_as_before(tmp_path: Path) -> None:
    path = tmp_path / "laboratory_result.csv"
    path.write_text("usubjid,testcd,value,unit,rel_day\nS1,CRP,NORMAL,mg/L,1\n")
    result = jobs.load(None, [path], "ST", dry_run=True)
    assert (result.files[0].refused, result.files[0].empty) == (1, 0)
