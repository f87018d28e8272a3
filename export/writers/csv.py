"""CSV: one file per table and one for the provenance; UTF-8, comma, dot, ISO dates.

A text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV
injection). Numbers are written with all their digits, so that they read back equal.
"""

import csv
import math
from pathlib import Path
from typing import Any

from export.document import Document

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(document: Document, folder: Path) -> list[Path]:
    """Write `<table>.csv` for each table and `provenance.csv`; returns the paths."""
    written = []
    for table in document.tables:
        head = [column.name for column in table.columns]
        written.append(write_rows(folder / f"{table.name}.csv", head, table.rows().rows()))
    lines = document.provenance.lines()
    notes = [(f"Note: {table.name}", note) for table in document.tables for note in table.notes]
    names = [
        (f"Column: {table.name}.{column.name}", column.heading)
        for table in document.tables
        for column in table.columns
    ]
    path = folder / "provenance.csv"
    written.append(write_rows(path, ["item", "value"], [*lines, *notes, *names]))
    return written


def write_rows(path: Path, head: list[str], rows: list[tuple[Any, ...]]) -> Path:
    """Write one table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows([cell(value) for value in row] for row in rows)
    return path


def cell(value: Any) -> str:
    """A value as text: "" for missing, all digits of a number, text that no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)  # NaN is missing, too
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
