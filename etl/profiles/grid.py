"""A sheet seen through a table's header rows: column paths, data rows, and what was read of it."""

from dataclasses import dataclass, field

import polars as pl

from analysis.errors import UserError
from analysis.number_words import count
from etl.contracts.identifying import is_identifying
from etl.profiles.cells import clean
from etl.profiles.headers import (
    at_position,
    header_paths,
    leaf,
    matching,
    missing_message,
    only_column,
    squash,
)
from etl.profiles.schema import Table
from etl.sheets.sheet import Sheet

HIDDEN = "\x00"
"""Stands for the path of an identifying column: nothing a profile writes can match it."""


@dataclass
class Usage:
    """Which columns and rows of one sheet some table has read, over all its tables."""

    columns: set[int] = field(default_factory=set)
    paths: tuple[str, ...] = ()
    identifying: frozenset[int] = frozenset()
    data: pl.DataFrame | None = None
    rows_read: pl.Series | None = None
    rows_total: int = 0
    ended: set[int] = field(default_factory=set)
    """Rows behind the `stop` of some table."""
    id_only: set[int] = field(default_factory=set)
    """Rows that hold an id alone and of which constants would have made a record."""
    height: int = 0
    """Data rows with the empty ones; `rows_total` counts those that hold text."""


@dataclass
class Grid:
    """The data rows of a sheet under one table of a profile.

    `rows`: one frame row per data row, text columns c0.. and `_row`, the row in the file.
    """

    paths: tuple[str, ...]
    units: tuple[str, ...]
    rows: pl.DataFrame
    where: str
    usage: Usage
    sheet: Sheet

    def find(self, names: tuple[str, ...], position: str | None, optional: bool) -> int | None:
        """The index of the one column that is meant, marked as read.

        Raises:
            UserError: It is not there (unless optional), is ambiguous, or identifies a person.
        """
        if position is not None:
            index = at_position(position, self.paths, self.where)
            if index in self.usage.identifying:
                raise UserError(f"{self.where}: column {position} identifies persons; not read")
        elif optional and not any(matching(name, self.paths) for name in names):
            return None
        else:
            self._refuse_identifying(names)
            index = only_column(names, self.paths, self.where)
        self.usage.columns.add(index)
        return index

    def _refuse_identifying(self, names: tuple[str, ...]) -> None:
        shown = [self.usage.paths[index] for index in self.usage.identifying]
        hit = [name for name in names if matching(name, shown)]
        if hit and not any(matching(name, self.paths) for name in names):
            raise UserError(
                f"{self.where}: column {hit[0]!r} looks like one that identifies persons and is "
                "never read; map a pseudonym instead"
            )

    def text_at(self, address: str, optional: bool) -> str | None:
        """The text of one cell of the sheet, by its spreadsheet address (D1): what a title says of
        every row. None when it is empty and may be.

        Raises:
            UserError: The sheet has no such cell, or it is empty and not optional.
        """
        letters = address.rstrip("0123456789")
        row = _row_index(self.sheet, int(address.removeprefix(letters)))
        cells = self.sheet.cells
        inside = not self.sheet.header and 0 <= row < cells.height
        text = cells.row(row)[at_position(letters, self.paths, self.where)] if inside else None
        if text is not None and squash(text):
            return squash(text)
        if optional:
            return None
        raise UserError(
            f"{self.where}: cell {address!r} is empty or not in the sheet; correct `cell` in the "
            "profile, or mark it `optional: true`"
        )

    def find_many(self, patterns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
        """All columns that fit any of the patterns, in sheet order, with their captures."""
        found: dict[int, dict[str, str]] = {}
        for text in patterns:
            for index, captured in matching(text, self.paths):
                found.setdefault(index, dict(captured))
        if not found:
            raise UserError(missing_message(patterns, self.paths, self.where))
        self.usage.columns.update(found)
        return sorted(found.items())


def _row_index(sheet: Sheet, row: int) -> int:
    """The index in `cells` of a row number as a person counts it."""
    return row - sheet.first_row


def open_grid(sheet: Sheet, table: Table, where: str, usage: Usage) -> Grid:
    """The sheet under the table's header rows, blank rows left out.

    Raises:
        UserError: The sheet ends before its header rows.
    """
    cells = sheet.cells.with_columns(sheet.source_rows().alias("_row"))
    names = [name for name in cells.columns if name != "_row"]
    if sheet.header:
        raw_paths = tuple(column.name for column in sheet.columns)
        first = 0
    else:
        indexes = [_row_index(sheet, row) for row in table.header]
        if indexes and (min(indexes) < 0 or max(indexes) >= cells.height):
            raise UserError(
                f"{where}: header row {max(table.header)} is not in the sheet, it has "
                f"{count(cells.height, 'row')}; correct `header` in the profile"
            )
        raw_paths = header_paths([cells.select(names).row(index) for index in indexes])
        first = _row_index(sheet, table.data) if table.data else max(indexes, default=-1) + 1
    identifying = frozenset(i for i, path in enumerate(raw_paths) if is_identifying(leaf(path)))
    paths = tuple(HIDDEN if i in identifying else path for i, path in enumerate(raw_paths))
    units = _units_row(sheet, table, names)
    rows = cells.slice(first)
    if table.skip:
        rows = rows.filter(~pl.col("_row").is_in(list(table.skip)))
    height = rows.height
    if names:
        rows = rows.filter(~pl.all_horizontal(_blank(name) for name in names))
    usage.paths, usage.identifying = raw_paths, identifying
    usage.data = rows
    if usage.rows_read is None:
        usage.rows_total, usage.height = rows.height, height
        usage.rows_read = pl.Series("_row", [], dtype=rows["_row"].dtype)
    return Grid(paths, units, rows, where, usage, sheet)


def _blank(name: str) -> pl.Expr:
    return pl.col(name).is_null() | (pl.col(name).str.len_bytes() == 0)


def _units_row(sheet: Sheet, table: Table, names: list[str]) -> tuple[str, ...]:
    if table.units_row is None or sheet.header:
        return ("",) * len(names)
    row = sheet.cells.row(_row_index(sheet, table.units_row))
    return tuple((cell or "").strip() for cell in row)


def count_cells(rows: pl.DataFrame, index: int) -> int:
    """How many cells of a column hold text."""
    name = f"c{index}"
    if name not in rows.columns:
        return 0
    return int(rows.select(clean(pl.col(name)).is_not_null().sum()).item())
