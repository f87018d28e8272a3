"""Writing export files so that the same seed gives the same bytes, on any day."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import polars as pl

from etl.synthetic.files.export_file import ExportFile

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

CREATED = dt.datetime(2026, 6, 30, 12, 0, 0)
XPT_STAMP = re.compile(rb"\d\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d")
XPT_LABELS = {
    "DM": "Demographics", "AE": "Adverse Events", "TR": "Tumor/Lesion Results",
    "LB": "Laboratory Test Results",
}  # fmt: skip


def write_file(directory: Path, file: ExportFile) -> Path:
    """Write one file below the directory, in its format; returns the path."""
    path = directory / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_WRITERS[file.format](file))
    return path


def _csv(file: ExportFile) -> bytes:
    text = file.frame.write_csv(separator=file.separator, line_terminator="\r\n")
    above = "".join(f"{file.separator.join(row)}\r\n" for row in file.above)
    below = "".join(f"{file.separator.join(row)}\r\n" for row in file.below)
    return (above + text + below).encode("utf-8-sig" if file.byte_order_mark else "utf-8")


def _xlsx(file: ExportFile) -> bytes:
    """A workbook; numbers as numbers, the laboratory's words as text, a fixed creation date."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": False})
    book.set_properties({"created": CREATED, "author": "Synthetic central laboratory"})
    units = [file.units] if file.units else []
    rows = [*file.above, tuple(file.frame.columns), *units, *file.frame.rows(), *file.below]
    codes = {i for i, name in enumerate(file.frame.columns) if name in ("Subject", "Site")}
    _fill(book.add_worksheet(file.sheet), rows, codes)
    if file.hidden_sheet is not None:
        hidden = book.add_worksheet(file.hidden_sheet)
        _fill(hidden, rows[:20], codes)
        hidden.hide()
    book.close()
    return _repacked(buffer.getvalue())


def _fill(sheet: Worksheet, rows: Sequence[Sequence[str | None]], codes: set[int]) -> None:
    """Cells of a sheet; columns in `codes` keep their leading zeros."""
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell is None or cell == "":
                continue
            number = None if c in codes else _plain_number(cell)
            if number is None:
                sheet.write_string(r, c, cell)
            else:
                sheet.write_number(r, c, number)


def _plain_number(cell: str) -> float | None:
    return float(cell) if re.fullmatch(r"-?\d+(\.\d+)?", cell) else None


def _repacked(content: bytes) -> bytes:
    """The same archive with every member dated alike."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            info = zipfile.ZipInfo(name, date_time=CREATED.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(name))
    return buffer.getvalue()


def _xpt(file: ExportFile) -> bytes:
    """SAS transport version 5; the two time stamps of its header are fixed."""
    import tempfile

    import pyreadstat

    domain = Path(file.path).stem.upper()
    frame = file.frame.with_columns(pl.all().fill_null(""))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset.xpt"
        pyreadstat.write_xport(
            frame,
            str(path),
            file_label=XPT_LABELS[domain],
            table_name=domain,
            file_format_version=5,
        )
        content = path.read_bytes()
    stamp = CREATED.strftime("%d%b%y:%H:%M:%S").upper().encode("ascii")
    head, rest = content[:800], content[800:]
    return XPT_STAMP.sub(stamp, head) + rest


def _json(file: ExportFile) -> bytes:
    """Dataset-JSON 1.1; every column a string, as this sender does it."""
    domain = Path(file.path).stem.upper()
    columns = [
        {"itemOID": f"IT.{domain}.{name}", "name": name, "label": name, "dataType": "string"}
        for name in file.frame.columns
    ]
    document = {
        "datasetJSONCreationDateTime": CREATED.isoformat(),
        "datasetJSONVersion": "1.1.0",
        "fileOID": f"synthetic.{domain}",
        "originator": "Synthetic trial",
        "studyOID": "SYN-CART-01",
        "metaDataVersionOID": "MDV.1",
        "itemGroupOID": f"IG.{domain}",
        "records": file.frame.height,
        "name": domain,
        "label": XPT_LABELS[domain],
        "columns": columns,
        "rows": [list(row) for row in file.frame.rows()],
    }
    return orjson.dumps(document)


_WRITERS: dict[str, Callable[[ExportFile], bytes]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "xpt": _xpt,
    "json": _json,
}
