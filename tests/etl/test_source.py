import gzip
import hashlib
import io
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from analysis.errors import UserError
from etl.encoding import detect_encoding
from etl.source import source_from_bytes
from etl.source_files import open_sources


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_file_keeps_the_name_that_was_given_and_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "dm.csv"
    path.write_bytes(b"a,b\n1,2\n")
    (source,) = open_sources([str(path)])
    assert source.name == str(path)
    assert source.sha256 == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert source.size_byte == 8
    assert source.read_bytes() == b"a,b\n1,2\n"
    assert source.suffix == ".csv"


def test_a_missing_path_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing.csv: no such file or folder; give the path"):
        list(open_sources([tmp_path / "nothing.csv"]))


def test_a_folder_is_read_in_order_and_hidden_files_are_named(tmp_path: Path) -> None:
    for name in ("b/2.csv", "a.csv", ".DS_Store", "b/~$book.xlsx", ".git/config", "b/1.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    sources = list(open_sources([tmp_path]))
    assert [Path(source.name).name for source in sources] == ["a.csv", "1.csv", "2.csv"]
    messages = [finding.message for finding in sources[0].findings]
    assert messages == [
        ".DS_Store: hidden or lock file, not read",
        ".git/config: hidden or lock file, not read",
        "b/~$book.xlsx: hidden or lock file, not read",
    ]
    assert sources[1].findings == ()


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_bytes(b"x")
    with pytest.raises(UserError, match="holds no file to read"):
        list(open_sources([tmp_path]))


def test_zip_members_are_sources_with_a_name_of_their_own(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "e.zip", {"b.csv": b"2", "a/x.csv": b"1", "__MACOSX/a": b"3"})
    sources = list(open_sources([path]))
    assert [source.name for source in sources] == [f"{path}!a/x.csv", f"{path}!b.csv"]
    assert [source.read_bytes() for source in sources] == [b"1", b"2"]
    assert sources[0].sha256 == hashlib.sha256(b"1").hexdigest()
    assert [f.code for f in sources[0].findings] == ["file_skipped"]


def test_a_workbook_is_not_opened_as_an_archive(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "book.xlsx", {"[Content_Types].xml": b"", "xl/workbook.xml": b""})
    (source,) = open_sources([path])
    assert source.name == str(path)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"../evil.csv": b"x"}, "absolute path or one with"),
        ({"a/../../evil.csv": b"x"}, "absolute path or one with"),
        ({"/etc/passwd": b"x"}, "absolute path or one with"),
        ({"C:\\evil.csv": b"x"}, "absolute path or one with"),
        ({"..\\evil.csv": b"x"}, "absolute path or one with"),
        ({"bomb.csv": bytes(40 * 1024**2)}, "expands .* times, more than 500"),
        ({}, "holds no file"),
    ],
)
def test_an_unsafe_archive_is_refused_whole(
    tmp_path: Path, members: dict[str, bytes], reason: str
) -> None:
    path = write_zip(tmp_path / "evil.zip", members)
    (source,) = open_sources([path])
    with pytest.raises(UserError, match=reason):
        source.read_bytes()


def test_an_archive_in_an_archive_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.zip", {"a.csv": b"1"}).read_bytes()
    path = write_zip(tmp_path / "outer.zip", {"inner.zip": inner, "ok.csv": b"1"})
    refused, fine = open_sources([path])
    assert refused.refusal is not None
    assert "unpack the outer one first" in refused.refusal
    assert fine.read_bytes() == b"1"


def test_a_half_written_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": b"1,2\n" * 1000})
    path.write_bytes(path.read_bytes()[:60])
    (source,) = open_sources([path])
    assert source.refusal is not None
    assert "half written" in source.refusal


def test_a_broken_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": b"1,2\n" * 5000})
    content = bytearray(path.read_bytes())
    content[45:60] = bytes(byte ^ 0xFF for byte in content[45:60])
    path.write_bytes(content)
    (source,) = open_sources([path])
    assert source.refusal is not None
    assert "a.csv: broken in the archive" in source.refusal


def test_a_half_written_workbook_in_an_archive_is_not_called_an_archive(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "a.xlsx", {"xl/workbook.xml": b"<a/>" * 100}).read_bytes()
    path = write_zip(tmp_path / "outer.zip", {"a.xlsx": whole[:-40]})
    (source,) = open_sources([path])
    assert source.refusal is not None
    assert "a.xlsx: not a readable workbook" in source.refusal
    assert "half written" in source.refusal


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(b"a,b\n"), zlib.compress(b"a,b\n"), gzip.compress(b"a,")],
    ids=["gzip", "zlib", "half a line"],
)
def test_gzip_and_zlib_are_unpacked(packed: bytes) -> None:
    source = source_from_bytes("x.csv.gz", packed)
    assert source.unpacked() in (b"a,b\n", b"a,")
    assert source.head() == source.unpacked()
    assert source.suffix == ".csv"


def test_several_gzip_members_are_one_file() -> None:
    source = source_from_bytes("x.gz", gzip.compress(b"a\n") + gzip.compress(b"b\n"))
    assert source.unpacked() == b"a\nb\n"


def test_a_cut_gzip_and_a_gzip_bomb_are_refused() -> None:
    packed = gzip.compress(bytes(range(256)) * 100)
    with pytest.raises(UserError, match="end too early"):
        source_from_bytes("x.gz", packed[:-20]).unpacked()
    bomb = gzip.compress(bytes(64 * 1024**2))
    with pytest.raises(UserError, match="expands to more than"):
        source_from_bytes("x.gz", bomb).unpacked()


def test_text_that_looks_like_a_zlib_header_stays_text() -> None:
    assert source_from_bytes("x.csv", b"x^2,y\n1,2\n").unpacked() == b"x^2,y\n1,2\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"a,b\n", "utf-8"),
        ("µ,é\n".encode(), "utf-8"),
        (b"\xef\xbb\xbfa,b\n", "utf-8-sig"),
        ("a,b\nc,d\n".encode("utf-16"), "utf-16"),
        ("a,b\nc,d\n".encode("utf-16-le"), "utf-16-le"),
        ("a,b\nc,d\n".encode("utf-16-be"), "utf-16-be"),
        ("a,b\n".encode("utf-32"), "utf-32"),
        ("5 µg,café\n".encode("cp1252"), "cp1252"),
        (b"a\x81b,\xe9\n", "latin-1"),
    ],
)
def test_encodings_are_told_apart(content: bytes, name: str) -> None:
    found = detect_encoding(content)
    assert found is not None
    assert found.name == name
    assert found.evidence


@pytest.mark.parametrize("content", [bytes(range(32)) * 20, b"\x89PNG\r\n\x1a\n" + bytes(200)])
def test_bytes_that_are_not_text_have_no_encoding(content: bytes) -> None:
    assert detect_encoding(content) is None


def test_a_member_that_is_longer_than_announced_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.csv", b"1234567890")
    raw = buffer.getvalue().replace((10).to_bytes(4, "little") * 2, (4).to_bytes(4, "little") * 2)
    path = tmp_path / "lie.zip"
    path.write_bytes(raw)
    (source,) = open_sources([path])
    assert source.refusal is not None


def test_paths_are_checked_without_the_libraries_of_a_load() -> None:
    code = (
        "import sys, cli\n"
        "try: cli.require_paths(['nothing.csv'])\n"
        "except Exception as error: print(error.exit_code, error)\n"
        "print(sorted({'polars', 'sqlalchemy', 'dataframely'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert out.stdout.splitlines() == [
        "2 nothing.csv: no such file or folder; give the path of an export file, folder or zip",
        "[]",
    ]


def test_a_file_that_is_given_twice_comes_once(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"x")
    twice = [tmp_path, f"{tmp_path}/../{tmp_path.name}", tmp_path / "b.csv"]
    sources = list(open_sources(twice))
    assert [Path(source.name).name for source in sources] == ["a.csv", "b.csv"]
    assert [source.named for source in sources] == [False, True]
