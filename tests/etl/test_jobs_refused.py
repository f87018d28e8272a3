"""What a load refuses as a whole, in one clear line, with nothing written."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from analysis.errors import UserError
from etl import jobs
from models.connect import create_engine_for
from models.errors import DatabaseError, StudyKindError
from models.queries import read_trial
from tests.etl.test_jobs import list_cuts_or_none, values, write

pytestmark = pytest.mark.usefixtures("reads_here")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "no such file"),
        ("notes.pdf", b"%PDF-1.7 nothing", "unknown format"),
        ("kinetics_sample.xlsx", b"PK\x03\x04 half a workbook", "kinetics_sample.xlsx"),
        ("results.csv", b"a,b\n1,2\n", "no profile was given"),
        ("kinetics_sample.csv.gz", b"\x1f\x8b\x08\x00half", "kinetics_sample.csv.gz"),
    ],
)
def test_a_bad_file_is_one_clear_line_and_nothing_is_written(
    engine: Engine, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    good = write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        jobs.load(engine, [good, tmp_path / name] if "profile" not in words else [tmp_path / name],
                  "ST")  # fmt: skip
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert list_cuts_or_none(engine) == 0


def test_a_name_that_is_taken(engine: Engine, tmp_path: Path) -> None:
    jobs.load(engine, [write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1")], "ST", name="lock")
    with pytest.raises(UserError, match="'lock' exists already"):
        jobs.load(engine, [write(tmp_path, "S1,CARTG,qPCR,6,copies/ug,1")], "ST", name="lock")
    assert values(engine) == [("S1", 1.0, 5.0)]


@pytest.mark.parametrize("dry_run", [False, True])
def test_real_files_do_not_enter_a_synthetic_study(
    engine: Engine, tmp_path: Path, *, dry_run: bool
) -> None:
    jobs.load(engine, [write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1")], "ST", synthetic=True)
    real = write(tmp_path, "R1,CARTG,qPCR,9,copies/ug,1", name="kinetics_sample_real.csv")
    with pytest.raises(StudyKindError, match=r"'ST' holds invented patients.*another study"):
        jobs.load(engine, [real], "ST", dry_run=dry_run)
    assert values(engine) == [("S1", 1.0, 5.0)]
    assert read_trial(engine, "ST").study["is_synthetic"] is True


def test_a_real_study_never_becomes_synthetic(engine: Engine, tmp_path: Path) -> None:
    path = write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1")
    jobs.load(engine, [path], "ST")
    with pytest.raises(StudyKindError, match="'ST' is not synthetic"):
        jobs.load(engine, [path], "ST", synthetic=True)
    assert read_trial(engine, "ST").study["is_synthetic"] is False


def test_a_locked_database_is_a_clear_error(sqlite_url: str, tmp_path: Path) -> None:
    path = write(tmp_path, "S1,CARTG,qPCR,5,copies/ug,1")
    blocker = create_engine_for(sqlite_url)
    with blocker.connect() as connection, connection.begin():
        loader = create_engine_for(sqlite_url, busy_timeout_second=0.2)
        with pytest.raises(DatabaseError) as caught:
            jobs.load(loader, [path], "ST")
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 3
    assert jobs.load(loader, [path], "ST").files[0].loaded == 1


def test_a_wrong_address_is_a_clear_error() -> None:
    with pytest.raises(DatabaseError, match="expected sqlite:///FILE or postgresql://"):
        create_engine_for("mysql://somewhere/else")
