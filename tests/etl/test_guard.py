import gzip
import io
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xlsxwriter

from etl.guard import Limits, read_guarded
from etl.readers import read_source
from etl.source import Source, source_from_bytes
from etl.source_files import open_sources


def wide_workbook() -> bytes:
    """6 kB that ask calamine for 19 million cells: without the memory it aborts its process."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_number("A1", 1)
        sheet.write_number("R1048576", 1)
    return out.getvalue()


def good(number: int) -> Source:
    return source_from_bytes(f"{number}.csv", f"a,b\n{number},x\n".encode())


def test_results_come_in_order_and_equal_those_of_this_process(tmp_path: Path) -> None:
    path = tmp_path / "on disk.csv"
    path.write_bytes(b'a,b\n"x\ny",1,2\n3,4\n')
    sources = [good(0), *open_sources([path]), source_from_bytes("bad.bin", bytes(range(256)))]
    first, second, third = read_guarded(sources)
    assert [first.reader, second.reader, third.reader] == ["csv", "csv", None]
    assert first.sheets[0].cells.rows() == [("a", "b"), ("0", "x")]
    (here,) = read_source(sources[1])[1]
    (there,) = second.sheets
    assert there.cells.equals(here.cells)
    assert there.findings == here.findings
    assert there.row_numbers is not None
    assert there.row_numbers.to_list() == [1, 2, 4]
    assert there.field_counts is not None
    assert there.field_counts.to_list() == [2, 3, 2]
    assert third.refusal is not None
    assert third.refusal.startswith("refused: bad.bin: unknown format")
    assert third.sheets == ()


def test_the_parser_of_untrusted_files_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    start = subprocess.Popen

    def watched(*arguments: object, env: dict[str, str], **options: object) -> object:
        given.append(env)
        return start(*arguments, env=env, **options)  # type: ignore[call-overload]

    for name in ("CARTOGRAPH_TOKEN", "CARTOGRAPH_DATABASE", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "the-secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr("etl.guard.subprocess.Popen", watched)
    (result,) = read_guarded([good(0)])
    assert result.reader == "csv"
    (environment,) = given
    assert "the-secret" not in environment.values()
    assert environment["LC_ALL"] == "C.UTF-8"
    assert environment["POLARS_MAX_THREADS"] == "1"


def test_a_file_that_kills_its_parser_is_refused_and_the_rest_goes_on() -> None:
    bomb = source_from_bytes("bomb.xlsx", wide_workbook())
    results = read_guarded([good(0), bomb, good(2)], Limits(memory_byte=1024**3))
    assert [result.reader for result in results] == ["csv", None, "csv"]
    assert results[1].refusal == (
        "refused: bomb.xlsx: needs more memory than is allowed for one file; "
        "is it a table? split it"
    )


def test_a_file_that_takes_too_long_is_refused_and_the_rest_goes_on() -> None:
    rows = b"ragged\n" + b"a,b,c,d,e,f,g,h\n" * 1_500_000
    slow = source_from_bytes("slow.csv", rows)
    results = read_guarded([good(0), slow, good(2)], Limits(seconds=1.0))
    assert [result.reader for result in results] == ["csv", None, "csv"]
    assert results[1].refusal == (
        "refused: slow.csv: takes longer than 1 s to read; split it or export it as CSV"
    )


def test_a_file_that_needs_too_much_memory_is_refused_and_the_rest_goes_on() -> None:
    packed = gzip.compress(b"a,b,c,d\n" * 60_000_000, compresslevel=1)
    results = read_guarded(
        [good(0), source_from_bytes("big.csv.gz", packed), good(2)],
        Limits(memory_byte=1024**3),
    )
    assert [result.reader for result in results] == ["csv", None, "csv"]
    assert results[1].refusal is not None
    assert "memory" in results[1].refusal


def test_size_limits_for_strangers_and_for_the_command_line() -> None:
    limits = Limits(file_byte=8, trusted_byte=4)
    source = source_from_bytes("x.csv", b"a,b\n1,2\n3,4\n")
    (refused,) = read_guarded([source], limits)
    assert refused.refusal == "refused: x.csv: 12 bytes, more than 8; split the file"
    (read,) = read_guarded([source], limits, trusted=True)
    assert read.sheets[0].cells.height == 3


def test_a_refused_source_stays_refused() -> None:
    (result,) = read_guarded([Source("e.zip!a", "0", 1, refusal="e.zip!a: encrypted")])
    assert result.refusal == "refused: e.zip!a: encrypted"


def test_the_child_imports_no_heavy_library() -> None:
    code = (
        "import sys, etl.guard_child, etl.readers, etl.sheets.sheet_file;"
        "heavy = {'pandas', 'numpy', 'statsmodels', 'dash', 'sqlalchemy', 'dataframely', 'scipy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


READ = {  # one file of csv_structure ends inside its last number, without a line end
    "csv_structure": 39, "xlsx_awkward": 135, "xlsx_dates1904": 42, "sas_spss_stata": 22,
    "dicom_awkward": 0, "naughty_strings": 2,
}  # fmt: skip
MOST_BYTE = 1536 * 1024**2
MOST_SECONDS = 20.0


def memory_of_children() -> int:
    """Bytes of the largest child so far; Linux counts in KiB, macOS in bytes, Windows not."""
    resource = pytest.importorskip("resource", reason="Windows does not measure a child's memory")
    largest: int = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def test_the_limits_are_those_that_are_promised() -> None:
    """One file gets 20 s and 1.5 GiB; both are enforced by the tests of bombs above."""
    assert Limits().seconds <= MOST_SECONDS
    assert Limits().memory_byte <= MOST_BYTE


def test_naughty_strings_are_read_exactly(shared_data: Path) -> None:
    """Tabs are taken to be its delimiter: cells joined by them are the lines, letter by letter."""
    path = shared_data / "awkward_files" / "naughty_strings" / "blns.base64.txt"
    (result,) = read_guarded(open_sources([path]))
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = result.sheets[0].cells.rows()
    joined = ["\t".join(cell for cell in row if cell is not None) for row in rows]
    assert [line for line in joined if line] == [line for line in lines if line]


@pytest.mark.parametrize(("folder", "read"), READ.items())
def test_every_awkward_file_is_read_or_refused_with_a_reason(
    shared_data: Path, folder: str, read: int
) -> None:
    path = shared_data / "awkward_files" / folder
    before = memory_of_children()
    begun = time.monotonic()
    results = read_guarded(open_sources([path]))
    assert time.monotonic() - begun <= 3 * MOST_SECONDS  # a whole folder, on a busy machine
    assert memory_of_children() <= max(before, MOST_BYTE)
    assert len(results) >= len([p for p in path.iterdir() if not p.name.startswith(".")])
    for result in results:
        if result.refusal is None:
            assert result.reader is not None
        else:
            assert result.refusal.startswith(f"refused: {result.source.name}: ")
            assert "\n" not in result.refusal
            assert "Traceback" not in result.refusal
    assert sum(result.refusal is None for result in results) == read
