"""What every reader returns: the cells of one sheet or dataset as text, exactly as delivered."""

from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from etl.source import Finding


class Column(NamedTuple):
    """A column that the format itself names (XPT, Dataset-JSON)."""

    name: str
    label: str
    type: str


class CellRange(NamedTuple):
    """A merged block: rows counted from 1 as in the file, columns counted from 0, both ends in."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """One grid of text cells; one frame row per row of the file, columns c0..cN, all String.

    No header is interpreted for untyped formats (`header=False`): the profile decides which rows
    are headers. Typed formats (`header=True`) carry their names in `columns`, in the order of cN.

    A null cell was not there (empty Excel cell, missing value, field that a short row lacks); ""
    was there and empty. Both mean "no value" to a contract, but they are not the same delivery.
    """

    source_name: str
    name: str
    cells: pl.DataFrame
    first_row: int = 1
    header: bool = False
    columns: tuple[Column, ...] = ()
    label: str = ""
    hidden: bool = False
    merged: tuple[CellRange, ...] = ()
    findings: tuple[Finding, ...] = ()
    row_numbers: pl.Series | None = None
    """Physical row of each frame row (UInt32), only when fields span lines."""
    field_counts: pl.Series | None = None
    """Number of fields in each row (UInt32), only when the rows are ragged."""
    delimiter: str = ","
    """Mark between the fields of a text file."""

    @property
    def title(self) -> str:
        """What a person calls it: the sheet by its name, a text file by that of the file."""
        if self.name:
            return f"sheet {self.name!r}"
        file = self.source_name.replace("\\", "/").rpartition("!")[2].rpartition("/")[2]
        is_text = not self.header and self.cells.width == 1
        return f"file {file!r}" + ", text of one column" * is_text

    def source_rows(self) -> pl.Series:
        """Row in the file, counted from 1 as a person sees it, for each row of `cells`."""
        if self.row_numbers is not None:
            return self.row_numbers.alias("source_row")
        last = self.first_row + self.cells.height
        return pl.int_range(self.first_row, last, dtype=pl.UInt32, eager=True).alias("source_row")


def column_letter(position: int) -> str:
    """The spreadsheet letter of a column counted from 0: 0 is A, 26 is AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
