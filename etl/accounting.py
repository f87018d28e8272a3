"""Every record of every file with its verdict: counts that must add up, and what was refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from etl.contracts.contract import RECORD
from etl.contracts.rules import RULES
from etl.delivery import Delivery
from etl.plan import Plan
from etl.profiles.house import file_name
from etl.unread import NO_READER
from etl.verdicts import DUPLICATE, EMPTY, LOADED, OTHER, REFUSED

RAW_LIMIT = 500
"""Characters of a refused text that are kept."""

REFUSED_SCHEMA = {
    "file": pl.Int64,
    "sheet": pl.String,
    "row": pl.Int64,
    "column_name": pl.String,
    "rule": pl.String,
    "raw": pl.String,
    "message": pl.String,
}
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


def refused_rows(delivery: Delivery) -> pl.DataFrame:
    """One row per refused record: file number, sheet, row, column, rule, raw text, message."""
    frames = [
        _refused_of(delivery, part_number, rows)
        for frame in delivery.records.values()
        for (part_number,), rows in _with_others(
            delivery, frame.filter(pl.col("_verdict") == REFUSED), frame
        ).group_by("_part", maintain_order=True)
    ]
    if not frames:
        return pl.DataFrame(schema=REFUSED_SCHEMA)
    return pl.concat(frames).sort("file", "sheet", "row", maintain_order=True)


def _with_others(delivery: Delivery, refused: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """The refused records with the place of the record that each is in conflict with."""
    if OTHER not in refused.columns or refused[OTHER].null_count() == refused.height:
        return refused.with_columns(pl.lit(None, pl.String).alias("_place"))
    wanted = refused[OTHER].drop_nulls().unique().implode()
    others = frame.filter(pl.col(RECORD).is_in(wanted)).select(RECORD, "_part", "_row")
    places = [
        f"{file_name(delivery.files[delivery.parts[part].file].source.name)} row {row}"
        for part, row in others.select("_part", "_row").iter_rows()
    ]
    named = others.select(pl.col(RECORD).alias(OTHER), pl.Series("_place", places, pl.String))
    return refused.join(named, on=OTHER, how="left", maintain_order="left")


def _refused_of(delivery: Delivery, part_number: object, rows: pl.DataFrame) -> pl.DataFrame:
    part = delivery.parts[part_number]  # type: ignore[call-overload]
    text = part.incoming.frame
    headers = dict(part.incoming.headers)
    content = text["_column"].to_list() if text.height else []
    out = []
    chosen = rows.select("_index", "_row", "_rule", "_bad", "_place")
    for index, row, rule, bad, place in chosen.iter_rows():
        is_content = bad in {"value", part.table.wide[0].into if part.table.wide else ""}
        column = headers.get(bad) or (content[index] if is_content else None) or bad
        if is_content and content[index]:
            column = content[index]
        raw = text[bad][index] if bad in text.columns else None
        if is_content and raw is None:
            raw = text["_raw"][index]
        words = RULES.get(rule)
        message = f"{words}; the other is {place}" if place else words
        out.append((part.file, part.sheet, row, column, rule, raw and raw[:RAW_LIMIT], message))
    return pl.DataFrame(out, schema=REFUSED_SCHEMA, orient="row")


def finding_rows(delivery: Delivery) -> pl.DataFrame:
    """One row per finding with the number of its file."""
    rows = [
        (file, one.severity, one.code, one.column_name, one.count, one.message)
        for file, one in delivery.findings
    ]
    return pl.DataFrame(rows, schema=FINDING_SCHEMA, orient="row")


def refused_json(rows: pl.DataFrame, paths: Sequence[str]) -> list[dict[str, Any]]:
    """The refused rows of the command contract, with the message of each."""
    return [
        {
            "file": paths[row["file"]],
            "sheet": row["sheet"],
            "row": row["row"],
            "column": row["column_name"],
            "rule": row["rule"],
            "raw": row["raw"],
            "message": row["message"],
        }
        for row in rows.iter_rows(named=True)
    ]
