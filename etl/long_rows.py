"""Rows of a text file with more fields than their header.

A number with an unquoted comma (12,400) or text with one ends in two fields, and everything behind
it stands in the next column: no field of such a row can be trusted, so all its records are refused.
Empty fields at the end are no more than a program's habit; a row may also lack fields at its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from etl.profiles.cells import clean
from etl.profiles.grid import Grid
from etl.profiles.schema import Table
from etl.sheets.sheet import Sheet

RULE = "too_many_fields"
RAW_CHARACTERS = 500
"""Characters of a row that are kept."""


@dataclass(frozen=True)
class LongRows:
    """Such rows of one sheet: number in the file -> text, "" where a column identifies persons.

    `place`: the first field that the header does not name, as a refusal calls it.
    """

    place: str = ""
    texts: Mapping[int, str] = field(default_factory=dict)


def long_rows(grid: Grid, table: Table, rows: pl.DataFrame) -> LongRows:
    """Those of the data rows that hold text behind the last field of the table's header."""
    sheet = grid.sheet
    if sheet.field_counts is None or not table.header:  # without header no column can be named
        return LongRows()
    fields = pl.DataFrame({"_row": sheet.source_rows(), "_fields": sheet.field_counts})
    data = rows.join(fields, on="_row", how="left", maintain_order="left")
    expected, named = _header_fields(sheet, sheet.field_counts, table)
    behind = [clean(pl.col(name)).is_not_null() for name in sheet.cells.columns[named:]]
    if not behind:
        return LongRows()
    found = data.filter((pl.col("_fields") > expected) & pl.any_horizontal(behind))
    text = pl.lit("") if grid.usage.identifying else _text(sheet)
    texts = dict(found.select("_row", text.alias("text")).iter_rows())
    return LongRows(f"field {named + 1}", texts)


def refuse_long(records: pl.DataFrame, found: LongRows) -> pl.DataFrame:
    """Typed records with all of such rows refused, whatever else is wrong with them.

    Empty cells of a wide row stay empty, but each row keeps at least one refused record.
    """
    if not found.texts:
        return records
    first = pl.col("_row").is_first_distinct()
    held = ~pl.col("_empty") | clean(pl.col("_raw")).is_not_null()
    hit = pl.col("_row").is_in(list(found.texts)) & (first | held)
    return records.with_columns(
        (pl.col("_empty") & ~hit).alias("_empty"),
        pl.when(hit).then(pl.lit(RULE)).otherwise(pl.col("_rule")).alias("_rule"),
        pl.when(hit).then(pl.lit(found.place)).otherwise(pl.col("_bad")).alias("_bad"),
    )


def _header_fields(sheet: Sheet, counts: pl.Series, table: Table) -> tuple[int, int]:
    """Fields of the header with its empty ones at the end, and without them."""
    indexes = [row - sheet.first_row for row in table.header]
    cells = [sheet.cells.row(index) for index in indexes]
    named = [i + 1 for row in cells for i, cell in enumerate(row) if cell and cell.strip()]
    return max(int(counts[index]) for index in indexes), max(named, default=0)


def _text(sheet: Sheet) -> pl.Expr:
    """The row as delivered: fields that hold the delimiter in quotes."""
    mark = sheet.delimiter
    cells = [
        pl.when(pl.col(name).str.contains(mark, literal=True))
        .then('"' + pl.col(name) + '"')
        .otherwise(pl.col(name))
        for name in sheet.cells.columns
    ]
    return pl.concat_str(cells, separator=mark, ignore_nulls=True).str.head(RAW_CHARACTERS)
