"""A file that was cut: refused whole, or said; never a wrong value that is current in silence."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from analysis.errors import UserError
from etl import jobs
from etl.last_line import is_short_end
from models.connect import create_engine_for
from models.queries import list_cuts, read_trial

pytestmark = pytest.mark.usefixtures("reads_here")

HEAD = "usubjid,unit,rel_day,value\n"
PROFILE = """
name: {delivery}
delivery: {delivery}
tables:
  - contract: kinetics_sample
    columns: {{usubjid: usubjid, value: value, unit: unit, rel_day: rel_day}}
    constants: {{analyte: CARTG, assay: qPCR}}
"""
ROWS = [f"S{n},copies/ug,7,{12300 + n}\n" for n in range(1, 41)]


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    opened = create_engine_for(sqlite_url)
    yield opened
    opened.dispose()


def profile(folder: Path, delivery: str) -> str:
    path = folder / f"{delivery}.yaml"
    path.write_text(PROFILE.format(delivery=delivery))
    return str(path)


def file(folder: Path, content: bytes, name: str = "samples.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def values(engine: Engine, study: str = "ST") -> dict[str, float]:
    frame = read_trial(engine, study).kinetics
    return dict(frame.select("usubjid", "value").iter_rows())


WHOLE = (HEAD + "".join(ROWS)).encode()


@pytest.mark.parametrize("delivery", ["full", "partial"])
def test_a_half_row_is_refused_with_the_whole_file(
    engine: Engine, tmp_path: Path, delivery: str
) -> None:
    """The last row lacks its last fields: a cut file, also where nothing was loaded before."""
    cut = WHOLE[: WHOLE.index(b",7,12330") + 2]
    path = file(tmp_path, cut)
    words = r"samples\.csv: .*row 31.*3 of 4 fields.*cut.*export it again"
    for dry_run in (True, False):
        with pytest.raises(UserError, match=words) as caught:
            jobs.load(engine, [path], "ST", profile=profile(tmp_path, delivery), dry_run=dry_run)
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)
    jobs.load(engine, [file(tmp_path, WHOLE)], "ST", profile=profile(tmp_path, delivery))
    with pytest.raises(UserError, match=words):
        jobs.load(engine, [file(tmp_path, cut)], "ST", profile=profile(tmp_path, delivery))
    assert len(values(engine)) == 40


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        ("full", "10 stored records .* would be retired"),
        ("partial", "would change 1 stored record"),
    ],
)
def test_a_cut_value_does_not_replace_the_stored_one(
    engine: Engine, tmp_path: Path, delivery: str, words: str
) -> None:
    """The reviewer's case: `...,7,12330` becomes `...,7,12` with all its fields there, in a column
    that holds a shorter value, so that only what is stored can tell."""
    whole = WHOLE.replace(b",7,12301", b",7,9")
    jobs.load(engine, [file(tmp_path, whole)], "ST", profile=profile(tmp_path, delivery))
    before = values(engine)
    cut = file(tmp_path, whole[: whole.index(b",7,12330") + 5])
    for dry_run in (True, False):
        with pytest.raises(UserError, match=rf"samples\.csv: no line end .*row 31.*{words}"):
            jobs.load(engine, [cut], "ST", profile=profile(tmp_path, delivery), dry_run=dry_run)
    assert values(engine) == before
    assert list_cuts(engine, "ST").height == 1


def test_a_first_file_without_a_last_line_end_is_loaded_with_a_warning(
    engine: Engine, tmp_path: Path
) -> None:
    """Honest tools write no last line end: the file loads, and the doubt is said."""
    path = file(tmp_path, WHOLE.removesuffix(b"\n"))
    result = jobs.load(engine, [path], "ST", profile=profile(tmp_path, "full"))
    (found,) = [one for one in result.findings if one["code"] == "no_line_end"]
    assert (found["severity"], found["file"]) == ("warning", str(path))
    assert found["message"] == "no line end after the last row (row 41): the file may be cut there"
    assert found["message"] in result.summary()
    assert (result.exit_code, result.files[0].loaded) == (0, 40)
    assert found["message"] in read_trial(engine, "ST").findings["message"].to_list()
    again = jobs.load(engine, [file(tmp_path, WHOLE)], "ST", profile=profile(tmp_path, "full"))
    assert (again.files[0].duplicates, again.exit_code) == (40, 0)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [0, 1, 2, 4])
def test_a_first_file_cut_inside_its_last_field_is_refused_whole(
    engine: Engine, tmp_path: Path, size: int, line_end: bytes
) -> None:
    """Nothing is stored to compare with; every other value of the column has five digits."""
    end = WHOLE.index(b",7,12330") + 3 + size
    cut = file(tmp_path, WHOLE[:end].replace(b"\n", line_end))
    words = r"samples\.csv: the last row \(row 31\) has no line end and its last field is shorter"
    for dry_run in (True, False):
        with pytest.raises(UserError, match=words) as caught:
            jobs.load(engine, [cut], "ST", profile=profile(tmp_path, "partial"), dry_run=dry_run)
        assert caught.value.exit_code == 2
        assert "end the line if the row is complete" in str(caught.value)
    cut.write_bytes(cut.read_bytes() + line_end)
    result = jobs.load(engine, [cut], "ST", profile=profile(tmp_path, "partial"))
    assert result.files[0].rows_in == 30
    assert "no_line_end" not in {one["code"] for one in result.findings}


def test_what_a_short_end_is() -> None:
    """Five fields of a column are enough to judge the last of them, four are not."""

    def short(*texts: str) -> bool:
        return is_short_end(pl.DataFrame({"c0": list(texts)}))

    assert short("value", "12301", "12302", "12303", "12")
    assert not short("value", "12301", "12302", "12")
    assert not short("value", "12301", "12302", "12303", "12304")
    assert not short("value", "7", "12302", "12303", "12")
    assert short("value", "7", "12302", "12303", "")
    assert not short("value", "7", "", "12303", "")
    assert not short("value", "", "", "12303", "12")


def test_a_last_field_in_closed_quotes_is_whole(tmp_path: Path) -> None:
    path = file(tmp_path, WHOLE.removesuffix(b"12340\n") + b'"7"')
    result = jobs.load(None, [path], "ST", profile=profile(tmp_path, "partial"), dry_run=True)
    assert "no_line_end" not in {one["code"] for one in result.findings}
    assert result.files[0].loaded == 40


def test_a_doubtful_end_and_the_exit_code_are_in_the_json(tmp_path: Path) -> None:
    path = file(tmp_path, WHOLE.removesuffix(b"\n"))
    told = jobs.load(None, [path], "ST", profile=profile(tmp_path, "full"), dry_run=True).to_dict()
    assert told["exit_code"] == 0
    (found,) = [one for one in told["findings"] if one["code"] == "no_line_end"]
    assert (found["severity"], found["file"]) == ("warning", str(path))


def test_a_new_last_row_without_a_line_end_may_follow_what_is_stored(
    engine: Engine, tmp_path: Path
) -> None:
    """Nothing stored changes and nothing vanishes: the file is taken as it is, with the warning."""
    jobs.load(engine, [file(tmp_path, WHOLE)], "ST", profile=profile(tmp_path, "full"))
    longer = file(tmp_path, WHOLE + b"S41,copies/ug,7,54321")
    result = jobs.load(engine, [longer], "ST", profile=profile(tmp_path, "full"))
    assert (result.files[0].loaded, result.files[0].duplicates, result.exit_code) == (1, 40, 0)
    assert "no_line_end" in {one["code"] for one in result.findings}


@pytest.mark.parametrize("delivery", ["full", "partial"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_cut_anywhere_never_lies(
    sqlite_engine: Engine, tmp_path: Path, delivery: str, line_end: str
) -> None:
    """Cut at every byte of the last three rows: no value that was never sent becomes current."""
    rows = [*ROWS[:9], "S10,copies/µg,7,12310\n", "S11,copies/µg,7,0.0125\n", ROWS[11]]
    whole = (HEAD + "".join(rows)).replace("\n", line_end).encode()
    used = profile(tmp_path, delivery)
    count, ends = 0, {"refused": 0, "said": 0}
    jobs.load(sqlite_engine, [file(tmp_path, whole)], f"ST{count}", profile=used)
    right = values(sqlite_engine, f"ST{count}")
    assert len(right) == 12
    for size in range(whole.index(b"S10"), len(whole)):
        path = file(tmp_path, whole[:size])
        try:
            result = jobs.load(sqlite_engine, [path], f"ST{count}", profile=used)
        except UserError as error:
            result = None
            words = str(error)
        if result is None:
            assert words.startswith(f"{path}: ")
            assert "\n" not in words
            assert values(sqlite_engine, f"ST{count}") == right
            ends["refused"] += 1
            continue
        now = values(sqlite_engine, f"ST{count}")
        assert all(right[subject] == value for subject, value in now.items()), whole[:size][-20:]
        said = {one["code"] for one in result.findings} & {"no_line_end", "records_retired"}
        assert said or result.exit_code or now == right, whole[:size][-20:]
        ends["said"] += 1
        if now != right:  # full, and cut at a line end: the rest is retired, and said
            count += 1
            jobs.load(sqlite_engine, [file(tmp_path, whole)], f"ST{count}", profile=used)
    assert ends["refused"] >= 60
    assert ends["said"] > 2


@pytest.mark.parametrize("delivery", ["full", "partial"])
def test_a_new_file_cut_anywhere_is_refused_or_said(tmp_path: Path, delivery: str) -> None:
    """Nothing to compare with: a cut in the last field, which looks whole, is said."""
    whole = (HEAD + "".join(ROWS[:5])).encode()
    for size in range(whole.index(b"S3"), len(whole)):
        path = file(tmp_path, whole[:size])
        try:
            result = jobs.load(
                None, [path], "ST", profile=profile(tmp_path, delivery), dry_run=True
            )
        except UserError:
            continue
        told = "no_line_end" in {one["code"] for one in result.findings}
        assert told == (not whole[:size].endswith(b"\n"))


def test_a_cut_inside_a_letter_is_not_another_encoding(tmp_path: Path) -> None:
    """Half of a UTF-8 letter at the end must not turn the other rows into Windows-1252."""
    whole = "usubjid,rel_day,value,unit\nS1,1,5,copies/µg\nS2,1,5,copies/µg".encode()
    path = file(tmp_path, whole[: whole.rindex("µ".encode()) + 1])
    with pytest.raises(UserError, match=r"samples\.csv: ends inside a letter .*cut"):
        jobs.load(None, [path], "ST", profile=profile(tmp_path, "full"), dry_run=True)


def test_a_half_file_of_a_folder_is_an_error_finding(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    file(folder, WHOLE, "a.csv")
    file(folder, WHOLE[:-8], "b.csv")
    result = jobs.load(None, [folder], "ST", profile=profile(tmp_path, "partial"), dry_run=True)
    assert result.exit_code == 1
    (found,) = [one for one in result.findings if one["code"] == "file_damaged"]
    assert "3 of 4 fields" in found["message"]
    with pytest.raises(UserError, match="takes the delivery as complete"):
        jobs.load(None, [folder], "ST", profile=profile(tmp_path, "full"), dry_run=True)
