"""Archives that are broken, hostile or packed in a way that is not unpacked here."""

import io
import random
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from etl.source import Source
from etl.source_files import open_sources

TABLE = "usubjid,value\n" + "".join(f"P{row},{row}\n" for row in range(40))


def packed(method: int = zipfile.ZIP_DEFLATED, content: str | bytes = TABLE) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, content)
    return buffer.getvalue()


def sources_of(folder: Path, content: bytes) -> list[Source]:
    path = folder / "x.zip"
    path.write_bytes(content)
    return list(open_sources([path]))


def test_a_member_without_a_name_refuses_the_archive(tmp_path: Path) -> None:
    """The name ends at the first NUL, so of this one nothing is left."""
    (source,) = sources_of(tmp_path, packed().replace(b"a.csv", b"\0.csv"))
    assert source.refusal == (
        f"{tmp_path / 'x.zip'}: the zip archive holds a file without a name; pack it again"
    )


@pytest.mark.parametrize(
    ("method", "name"),
    [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA"), (97, "method 97")],
)
def test_only_stored_and_deflated_members_are_unpacked(
    tmp_path: Path, method: int, name: str
) -> None:
    """Of bzip2 and LZMA the archive decides how much memory one step of unpacking takes."""
    known = method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    raw = packed(method if known else zipfile.ZIP_STORED)
    if not known:
        raw = raw.replace(b"PK\x01\x02\x14\x03\x14\0\0\0\0\0", b"PK\x01\x02\x14\x03\x14\0\0\0a\0")
    first, second = sources_of(tmp_path, raw)
    assert first.refusal == (
        f"{tmp_path / 'x.zip'}!a.csv: packed by {name}, which is not unpacked here; pack the "
        "archive again with the usual method (Deflate)"
    )
    assert second.refusal is not None


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stored_and_deflated_members_are_read(tmp_path: Path, method: int) -> None:
    found = sources_of(tmp_path, packed(method))
    assert [source.read_bytes().decode() for source in found] == [TABLE, TABLE]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_member_that_lies_about_its_size_takes_no_memory(tmp_path: Path, method: int) -> None:
    size = 32 * 1024**2
    raw = packed(method, bytes(size))
    raw = raw.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    tracemalloc.start()
    try:
        found = sources_of(tmp_path, raw)
        peak = tracemalloc.get_traced_memory()[1] - len(raw)
    finally:
        tracemalloc.stop()
    assert all(source.refusal for source in found)
    assert peak < size / 8


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_changed_bytes_end_in_a_refusal_or_a_table_and_never_in_a_bug(
    tmp_path: Path, method: int
) -> None:
    random_bytes, raw = random.Random(20_261_128 + method), packed(method)
    refused = 0
    for _ in range(150):
        changed = bytearray(raw)
        for _ in range(random_bytes.choice((1, 1, 2, 4))):
            place = random_bytes.randrange(4, len(changed))
            changed[place] = random_bytes.choice((0, 255, random_bytes.randrange(256)))
        found = sources_of(tmp_path, bytes(changed))
        assert found
        refusals = [source.refusal for source in found if source.refusal]
        assert all("\n" not in refusal for refusal in refusals)
        refused += bool(refusals)
    assert refused > 0
