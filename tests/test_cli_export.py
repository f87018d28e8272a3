"""The verb export: a selection that names nobody is refused, and nothing is written."""

import re
from pathlib import Path

import pytest

from tests.test_cli import run


def test_a_filter_that_is_none_is_refused(
    capsys: pytest.CaptureFixture[str], two_cohorts: str, tmp_path: Path
) -> None:
    folder = tmp_path / "summary"
    command = ("export", str(folder), "--study", "A", "--database", two_cohorts, "--filter")
    for text in ("xx=%%%&foo=bar", "cohrt=A", "cohort"):
        code, _, err = run(capsys, *command, text)
        assert code == 2
        assert "expected NAME=VALUE" in err
        assert "cohort" in err
    assert not folder.exists()


@pytest.fixture
def two_cohorts(tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The URL of a database with study A: a man in cohort C1, a woman in C2, both infused."""
    folder = tmp_path / "cohorts"
    folder.mkdir()
    (folder / "subject.csv").write_text(
        "usubjid,sex,cohort,siteid,infused,efficacy_set\nS-1,M,C1,01,Y,Y\nS-2,F,C2,02,Y,Y\n"
    )
    (folder / "kinetics_sample.csv").write_text(
        "usubjid,analyte,assay,rel_day,value,unit\nS-1,CARTG,qPCR,7,31400,copies/ug\n"
    )
    assert run(capsys, "load", str(folder), "--study", "A", "--database", sqlite_url)[0] == 0
    return sqlite_url


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("cohort=ZZ", "filter cohort=ZZ: no patient of study 'A' .* values of cohort: C1, C2;"),
        ("cohort=C1&cohort=ZZ", "filter cohort=ZZ: .* values of cohort: C1, C2;"),
        ("arm=X", "filter arm=X: .* the study has no arm"),
        (
            "criterion=RANO",
            "filter criterion=RANO: no response assessment .* the study has no criterion",
        ),
        ("cohort=C1&site=02", "no patient of study 'A' .* is left by .*cohort C1.*site 02.* of 2"),
        ("study=B", "filter study=B: the command asks for --study A"),
        ("cut=none", "'none'"),
    ],
)
def test_an_export_of_nobody_says_so_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], two_cohorts: str, tmp_path: Path, asked: str, words: str
) -> None:
    folder = tmp_path / "summary"
    command = ("export", str(folder), "--study", "A", "--database", two_cohorts)
    code, out, err = run(capsys, *command, "--filter", asked)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert re.search(words, err), err
    assert not folder.exists()


def test_an_export_of_a_study_without_patients_says_what_to_load(
    capsys: pytest.CaptureFixture[str], sqlite_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "subject.csv"
    path.write_text("usubjid,age_year\nS-1,old\n")
    assert run(capsys, "load", str(path), "--study", "A", "--database", sqlite_url)[0] == 1
    folder = tmp_path / "summary"
    code, _, err = run(capsys, "export", str(folder), "--study", "A", "--database", sqlite_url)
    assert code == 2
    assert "of 0 in the study; load its subjects; nothing was written" in err
    assert not folder.exists()


def test_an_export_of_one_cohort_is_written(
    capsys: pytest.CaptureFixture[str], two_cohorts: str, tmp_path: Path
) -> None:
    command = ("export", str(tmp_path / "summary"), "--study", "A", "--database", two_cohorts)
    assert run(capsys, *command, "--filter", "cohort=C1&study=A")[0] == 0
    assert (tmp_path / "summary" / "baseline.csv").is_file()
