"""Excel: a sheet per table and one for the provenance. No cell is a formula."""

import math
from pathlib import Path
from typing import Any

import xlsxwriter

from export.document import Document, Table

MAX_SHEET_NAME = 31


class ExactFloat(float):
    """A float that formats with all its digits: the library asks for 16, a double needs 17."""

    def __format__(self, _: str) -> str:
        return repr(float(self))


WIDEST = 60


def write_xlsx(document: Document, folder: Path) -> list[Path]:
    """Write `summary.xlsx`; returns its path in a list."""
    path = folder / "summary.xlsx"
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties({"title": document.title})
        heading = workbook.add_format({"bold": True, "text_wrap": True, "bottom": 1})
        for table in document.tables:
            write_table(workbook, table, heading)
        write_provenance(workbook, document, heading)
    return [path]


def write_table(workbook: Any, table: Table, heading: Any) -> None:
    """Title, headings, rows, notes; headings stay in sight."""
    sheet = workbook.add_worksheet(table.name[:MAX_SHEET_NAME])
    sheet.write_string(0, 0, table.title)
    for place, column in enumerate(table.columns):
        sheet.write_string(2, place, column.heading, heading)
        sheet.set_column(place, place, width(table, column.name, column.heading))
    for line, row in enumerate(table.rows().rows(), start=3):
        for place, value in enumerate(row):
            write_cell(sheet, line, place, value)
    sheet.freeze_panes(3, 1)
    for line, note in enumerate(table.notes, start=4 + table.frame.height):
        sheet.write_string(line, 0, note)


def write_cell(sheet: Any, line: int, place: int, value: Any) -> None:
    """A number as a number, a truth value as one, all else as text; nothing for missing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value)
    elif isinstance(value, int | float):
        sheet.write_number(line, place, ExactFloat(value))
    else:
        sheet.write_string(line, place, str(value))


def width(table: Table, name: str, heading: str) -> int:
    """Characters that the column needs."""
    longest = max((len(str(value)) for value in table.frame.get_column(name) if value), default=0)
    return min(WIDEST, max(10, longest if longest < WIDEST else WIDEST, len(heading) // 2) + 2)


def write_provenance(workbook: Any, document: Document, heading: Any) -> None:
    """Where the numbers came from, one line each."""
    sheet = workbook.add_worksheet("provenance")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, document.title, heading)
    for line, (name, value) in enumerate(document.provenance.lines(), start=2):
        sheet.write_string(line, 0, name)
        sheet.write_string(line, 1, value)
