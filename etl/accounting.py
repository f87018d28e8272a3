"""Every record of every file with its verdict: counts that must add up, and what was found."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from etl.delivery import Delivery
from etl.plan import Plan
from etl.unread import NO_READER
from etl.verdicts import DUPLICATE, EMPTY, LOADED, REFUSED

FINDING_SCHEMA = {
    "file": pl.Int64,
    "severity": pl.String,
    "code": pl.String,
    "column_name": pl.String,
    "count": pl.Int64,
    "message": pl.String,
}


@dataclass
class FileAccount:
    """The counts of one file: rows_in = loaded + refused + duplicates + empty.

    `file_rows`: its data rows in every format, without header lines and with empty rows;
    `file_cells`: the cells of all its lines.
    """

    path: str
    sha256: str
    size_byte: int
    reader: str
    file_rows: int
    file_cells: int
    rows_in: int = 0
    loaded: int = 0
    refused: int = 0
    duplicates: int = 0
    empty: int = 0
    superseded: int = 0
    rows_read: int = 0
    """Data rows that some table reads; a row may give several records. Not stored."""

    def row(self) -> dict[str, Any]:
        """The row of the table source_file, without its ids."""
        return {name: value for name, value in vars(self).items() if name != "rows_read"}

    def to_dict(self) -> dict[str, Any]:
        """The entry of the command contract."""
        names = ("path", "sha256", "reader", "file_rows", "rows_in", "loaded", "refused")
        return {name: getattr(self, name) for name in (*names, "duplicates", "empty")}


def account(delivery: Delivery, plan: Plan) -> list[FileAccount]:
    """One account per file, asserted to add up."""
    accounts = [
        FileAccount(
            path=result.source.name,
            sha256=result.source.sha256,
            size_byte=result.source.size_byte,
            reader=result.reader or NO_READER,
            file_rows=delivery.file_rows.get(number, 0),
            file_cells=sum(sheet.cells.height * sheet.cells.width for sheet in result.sheets),
            rows_read=delivery.rows_read.get(number, 0),
        )
        for number, result in enumerate(delivery.files)
    ]
    counted = {LOADED: "loaded", REFUSED: "refused", DUPLICATE: "duplicates", EMPTY: "empty"}
    for frame in delivery.records.values():
        counts = frame.group_by("_part", "_verdict").len()
        for part, verdict, count in counts.iter_rows():
            one = accounts[delivery.parts[part].file]
            setattr(one, counted[verdict], getattr(one, counted[verdict]) + count)
            one.rows_in += count
    for table in plan.tables.values():
        for part in table.corrected["_part"] if "_part" in table.corrected.columns else ():
            accounts[delivery.parts[part].file].superseded += 1
    for one in accounts:
        assert one.rows_in == one.loaded + one.refused + one.duplicates + one.empty
    made = sum(part.records.height for part in delivery.parts)
    assert made == sum(one.rows_in for one in accounts), "a record has no verdict"
    return accounts


def finding_rows(delivery: Delivery) -> pl.DataFrame:
    """One row per finding with the number of its file."""
    rows = [
        (file, one.severity, one.code, one.column_name, one.count, one.message)
        for file, one in delivery.findings
    ]
    return pl.DataFrame(rows, schema=FINDING_SCHEMA, orient="row")
