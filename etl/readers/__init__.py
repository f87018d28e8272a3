"""The formats that can be read; adding one is a module beside this file and a line below."""

from types import ModuleType

from analysis.errors import UserError
from etl.readers import csv, datasetjson, excel, xpt
from etl.sheets.sheet import Sheet
from etl.source import Source

READERS: tuple[ModuleType, ...] = (xpt, datasetjson, excel, csv)
"""Each has NAME, sniff(source) -> bool by content, read(source) -> tuple[Sheet, ...]."""


class UnknownFormatError(UserError):
    """No reader claims the file: it is no table of an export that this program knows."""


def reader_for(source: Source) -> ModuleType:
    """The one reader that claims the source. Raises UserError when it is empty or unknown."""
    if source.size_byte == 0:
        raise UserError(f"{source.name}: the file is empty (0 bytes); export it again")
    for reader in READERS:
        if reader.sniff(source):
            return reader
    names = ", ".join(reader.NAME for reader in READERS)
    raise UnknownFormatError(
        f"{source.name}: unknown format ({_describe(source.head())}); "
        f"expected one of: {names}; export it as one of these"
    )


def read_source(source: Source) -> tuple[str, tuple[Sheet, ...]]:
    """The name of the reader and every sheet of the source. Raises UserError."""
    reader = reader_for(source)
    return reader.NAME, reader.read(source)


def _describe(head: bytes) -> str:
    """What the file seems to be, in words."""
    signatures = (
        (b"%PDF", "a PDF"),
        (b"PK", "a zip archive or an unknown kind of office file"),
        (b"\xd0\xcf\x11\xe0", "an old Office file without a workbook"),
        (b"$FL2", "an SPSS data file"),
        (b"$FL3", "an SPSS data file"),
        (b"<stata_dta>", "a Stata data file"),
        (b"\0" * 12 + b"\xc2\xea\x81\x60", "a SAS data file (sas7bdat) or catalog"),
        (b"BZh", "bzip2 data: unpack it"),
        (b"\xfd7zXZ", "xz data: unpack it"),
        (b"\x28\xb5\x2f\xfd", "zstandard data: unpack it"),
        (b"\x89PNG", "an image"),
        (b"PAR1", "a parquet file"),
        (b"ARROW1", "an Arrow file"),
    )
    for magic, words in signatures:
        if head.startswith(magic):
            return words
    if head[128:132] == b"DICM":
        return "a DICOM file"
    if head.lstrip()[:1] in (b"{", b"["):
        return "JSON that is not Dataset-JSON 1.1"
    if head.lstrip()[:1] == b"<":
        return "XML or HTML"
    return "not a text table"
