import io
import zipfile
from pathlib import Path

import pytest

from analysis.errors import UserError
from etl.readers import READERS, read_source, reader_for
from etl.source import source_from_bytes
from etl.source_files import open_sources


def test_every_reader_keeps_the_contract() -> None:
    names = [reader.NAME for reader in READERS]
    assert len(set(names)) == len(names)
    for reader in READERS:
        assert callable(reader.sniff)
        assert callable(reader.read)


@pytest.mark.parametrize(
    "pattern", ["cdisc_datasetjson/sdtm/*.*", "cdisc_onco/sdtm/*", "car22_nci_ball/*.[cx]*"]
)
def test_exactly_one_reader_claims_a_real_file(shared_data: Path, pattern: str) -> None:
    paths = [path for path in shared_data.glob(pattern) if path.suffix != ".xml"]
    assert paths
    for source in open_sources(paths):
        claims = [reader.NAME for reader in READERS if reader.sniff(source)]
        assert len(claims) == 1, (source.name, claims)


def _office(member: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", b"")
        archive.writestr(member, b"")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", r"the file is empty \(0 bytes\)"),
        ("a.pdf", b"%PDF-1.7 ...", "a PDF"),
        ("a.docx", _office("word/document.xml"), "an unknown kind of office file"),
        ("a.json", b'{"a": 1}', "JSON that is not Dataset-JSON"),
        ("a.xml", b"<?xml version='1.0'?>", "XML or HTML"),
        ("a.dcm", bytes(128) + b"DICM" + bytes(50), "a DICOM file"),
        ("a.sav", b"$FL2@(#) SPSS DATA FILE" + bytes(200), "an SPSS data file"),
        ("a.bin", bytes(range(256)), "not a text table"),
    ],
)
def test_an_unknown_format_is_named_in_one_line(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        reader_for(source_from_bytes(name, content))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")


def test_content_decides_not_the_suffix() -> None:
    reader, (sheet,) = read_source(source_from_bytes("export.xls", b"a\tb\n1\t2\n"))
    assert reader == "csv"
    assert sheet.cells.rows() == [("a", "b"), ("1", "2")]
