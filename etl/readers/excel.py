"""Excel and OpenDocument workbooks (xlsx, xlsm, xlsb, xls, ods): every cell as exact text.

calamine reads the cells, but its text form is not exact: it keeps nine decimals (1e-12 becomes
"0"), gives times of day a date and misses `date1904="1"`. So each sheet is read three times (text,
number, serial date) and the text is put right; errors and formulas without value come from the XML.
"""

import zipfile
import zlib
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import polars as pl

from analysis.errors import UserError
from analysis.number_words import count
from etl.sheets.sheet import Sheet
from etl.sheets.workbook_text import exact_text
from etl.sheets.workbook_xml import SheetFacts, Workbook, read_workbook, scan_sheet
from etl.source import Finding, Source

if TYPE_CHECKING:
    from fastexcel import ExcelReader

NAME = "excel"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BIFF_MAGIC = (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00")
MAX_CELLS = 20_000_000


def sniff(source: Source) -> bool:
    """A zip with workbook parts, or an OLE or BIFF file that is an old workbook."""
    head = source.head()
    if head.startswith(b"PK"):
        return _package_kind(source) is not None
    if head.startswith(OLE_MAGIC):
        return source.suffix in (".xls", ".xlt", ".xla", ".xlsx", ".xlsm", ".xlsb")
    return head.startswith(BIFF_MAGIC) and source.suffix == ".xls"


def read(source: Source) -> tuple[Sheet, ...]:
    """Every worksheet, hidden ones flagged. Raises UserError for a workbook that cannot be read."""
    import fastexcel

    content = source.read_bytes()
    if _is_encrypted(content):
        raise UserError(
            f"{source.name}: the workbook is protected by a password; "
            "save it without one and load that"
        )
    workbook, facts = _facts(source, content)
    for name, sheet_facts in facts.items():
        cells = sheet_facts.used_rows * sheet_facts.used_columns
        if cells > MAX_CELLS:
            raise UserError(
                f"{source.name}: sheet '{name}' claims {cells} cells, more than {MAX_CELLS}; "
                "delete the empty rows and columns, or export the sheet as CSV"
            )
    try:
        reader = fastexcel.read_excel(content)
        return tuple(
            _read_sheet(source, reader, name, workbook, facts.get(name))
            for name in reader.sheet_names
        )
    except fastexcel.FastExcelError as error:
        raise UserError(f"{source.name}: {_plain(error)}") from error


def _plain(error: Exception) -> str:
    text = " ".join(str(error).split("Context:")[0].split())[:160]
    if "password" in text.lower():
        return "the workbook is protected by a password; save it without one and load that"
    return f"not a readable workbook ({text}); open it, save it again as .xlsx and load that"


def _is_encrypted(content: bytes) -> bool:
    """A protected .xlsx is an OLE file with an encrypted package; a protected .ods says so."""
    if content.startswith(OLE_MAGIC):
        return "EncryptedPackage".encode("utf-16-le") in content
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return b"encryption-data" in archive.read("META-INF/manifest.xml")
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, RuntimeError, NotImplementedError):
        return False


def _package_kind(source: Source) -> str | None:
    """xlsx, xlsb or ods when the zip holds the parts of a workbook."""
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            names = {name.lower().lstrip("/") for name in archive.namelist()}
            if any(name.endswith("workbook.xml") for name in names):
                return "xlsx"
            if any(name.endswith("workbook.bin") for name in names):
                return "xlsb"
            mimetype = archive.read("mimetype")[:200] if "mimetype" in names else b""
            spreadsheet = b"opendocument.spreadsheet" in mimetype or source.suffix == ".ods"
            return "ods" if "content.xml" in names and spreadsheet else None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, KeyError):
        return {".xlsx": "xlsx", ".xlsm": "xlsx", ".xlsb": "xlsb", ".ods": "ods"}.get(source.suffix)


def _facts(source: Source, content: bytes) -> tuple[Workbook | None, dict[str, SheetFacts]]:
    """What the XML of an .xlsx tells; nothing for the other workbook formats."""
    if not content.startswith(b"PK"):
        return None, {}
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            expanded = sum(info.file_size for info in archive.infolist())
            if expanded > max(64 * 1024**2, 300 * len(content)) or expanded > 4 * 1024**3:
                raise UserError(
                    f"{source.name}: expands to {expanded} bytes, far more than its size; "
                    "it looks like a zip bomb and is not read"
                )
            if _package_kind(source) != "xlsx":
                return None, {}
            workbook = read_workbook(archive)
            facts = {
                name: scan_sheet(archive, member, workbook.kinds)
                for name, member in workbook.members.items()
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise UserError(
            f"{source.name}: not a complete workbook ({error}); it may be half written, "
            "save it again"
        ) from error
    except (KeyError, ParseError, StopIteration, ValueError, RuntimeError) as error:
        # Without the workbook's own date system its dates could be four years off.
        raise UserError(
            f"{source.name}: an unusual or damaged workbook ({type(error).__name__}); "
            "open it in Excel, save it again as .xlsx and load that"
        ) from error
    return workbook, facts


def _read_sheet(
    source: Source,
    reader: "ExcelReader",
    name: str,
    workbook: Workbook | None,
    facts: SheetFacts | None,
) -> Sheet:
    import fastexcel

    try:
        text, offset, hidden = _load(reader, name, "string")
        number, *_ = _load(reader, name, "float")
        serial, *_ = _load(reader, name, "duration")
    except fastexcel.FastExcelError as error:
        if "not a valid worksheet" not in str(error):
            raise
        message = f"'{name}' is a chart or dialog sheet, not read"
        finding = Finding("not_a_worksheet", message, "info")
        return Sheet(source.name, name, pl.DataFrame(), findings=(finding,))
    columns = [pl.Series([None] * text.height, dtype=pl.String) for _ in range(offset)]
    for position in range(text.width):
        column = pl.DataFrame(
            {
                "string": text.to_series(position),
                "float": number.to_series(position),
                "duration": serial.to_series(position),
            }
        )
        columns.append(exact_text(column, workbook, facts, offset + position))
    cells = pl.DataFrame([column.alias(f"c{i}") for i, column in enumerate(columns)])
    return Sheet(
        source.name,
        name,
        _without_empty_tail(cells),
        hidden=hidden,
        merged=tuple(facts.merged) if facts else (),
        findings=_findings(name, hidden, facts),
    )


def _load(reader: "ExcelReader", name: str, kind: str) -> tuple[pl.DataFrame, int, bool]:
    """One reading of a sheet, the position of its first column, and whether it is hidden."""
    sheet = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes=kind)
    hidden = sheet.visible != "visible"
    if sheet.width == 0:
        return pl.DataFrame(), 0, hidden
    return sheet.to_polars(), sheet.available_columns()[0].absolute_index, hidden


def _without_empty_tail(cells: pl.DataFrame) -> pl.DataFrame:
    """Rows and columns after the last cell with content are formatting, not data."""
    if cells.height == 0:
        return cells
    filled = cells.select(pl.any_horizontal(pl.all().is_not_null()).alias("any"))["any"].arg_true()
    height = int(filled[-1]) + 1 if filled.len() else 0
    width = max((i + 1 for i, c in enumerate(cells) if c.null_count() < c.len()), default=0)
    return cells[:height, :width] if width else pl.DataFrame()


def _findings(name: str, hidden: bool, facts: SheetFacts | None) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if hidden:
        found.append(
            Finding("hidden_sheet", f"sheet '{name}' is hidden in the workbook", "warning")
        )
    if facts is None:
        message = f"sheet '{name}': in this format error cells cannot be told from empty ones"
        return (*found, Finding("errors_unknown", message, "info"))
    if facts.errors:
        rows = [row for column in facts.errors.values() for row in column]
        message = f"sheet '{name}': {count(len(rows), 'error cell')}, the first in row {min(rows)}"
        found.append(Finding("error_cells", message, count=len(rows)))
    if facts.formulas_without_value:
        n, (row, _) = len(facts.formulas_without_value), min(facts.formulas_without_value)
        message = (
            f"sheet '{name}': {count(n, 'formula')} without a stored value, "
            f"the first in row {row}; "
            "open the workbook in Excel, save and load it again"
        )
        found.append(Finding("formula_without_value", message, count=n))
    if facts.hidden_rows:
        message = f"sheet '{name}': {count(facts.hidden_rows, 'hidden row')}, read like the others"
        found.append(Finding("hidden_rows", message, "info", count=facts.hidden_rows))
    return tuple(found)
