"""The last line of a delimited text file, where a half written or half sent file shows.

Every record of such a file ends with a line end; a file that was cut lacks the last one, except
when it was cut exactly between two rows. Some honest programs leave the last line end out too, so
that its absence is no proof. The rule:

- The last record has no line end and fewer fields than its table: half a record, the file is
  refused whole. A row that is meant to be short is told by the line end behind it.
- It has no line end, and its last field is in quotes that close: whole.
- It has no line end, all its fields, and a last field shorter than any other of its column (of four
  or more): cut inside that field (12373 that reads 12), the file is refused whole.
- It has no line end and all its fields, the last of a usual length: it may still have lost its
  end, and nothing in the file can tell. Many honest programs end so: the file is taken with the
  finding `no_line_end`; `etl.half_file` compares the row with what is stored and refuses the file
  where it would change or the delivery retire anything.
- The text ends inside a letter of UTF-8: cut, refused, and not read in another encoding.
"""

from collections import Counter

import polars as pl

from analysis.errors import UserError
from etl.sheets.sheet import Sheet
from etl.source import Finding

NO_LINE_END = "no_line_end"
LINE_ENDS = (b"\n", b"\r")
LEAST_OTHERS = 4
"""Filled fields of a column, its header with them, that say how long a field is."""


def last_line_finding(
    name: str, cells: pl.DataFrame, field_counts: pl.Series | None, row: int
) -> Finding:
    """The finding about a last record without line end, which stands in row `row` of the file.

    `field_counts`: fields in each record, None when all have the same number.

    Raises:
        UserError: The record has fewer fields than the records before it, or a last field that is
            shorter than all before it.
    """
    found = cells.width if field_counts is None else int(field_counts[-1])
    expected = found if field_counts is None else _expected(field_counts[:-1].to_list())
    if found < expected and not _is_blank(cells):
        raise UserError(
            f"{name}: the last row (row {row}) has {found} of {expected} fields and no line end, "
            "so the file was cut there; export it again, or end the line if the row is complete"
        )
    message = f"no line end after the last row (row {row}): the file may be cut there"
    if is_short_end(cells):
        raise UserError(
            f"{name}: the last row (row {row}) has no line end and its last field is shorter than "
            "any other of its column, so the file was cut there; export it again, or end the line "
            "if the row is complete"
        )
    return Finding(NO_LINE_END, message)


def is_short_end(cells: pl.DataFrame) -> bool:
    """Whether the last field of the last record is shorter than every other filled one of its
    column; an empty one, when no other is empty."""
    column = cells[cells.columns[-1]].fill_null("").str.strip_chars()
    lengths = column.str.len_chars().to_list()
    last, others = lengths[-1], lengths[:-1]
    if last == 0:
        return len(others) >= LEAST_OTHERS and 0 not in others
    filled = [length for length in others if length > 0]
    return len(filled) >= LEAST_OTHERS and last < min(filled)


def _expected(counts: list[int]) -> int:
    """Fields of a whole record: the usual number, or that of the record before when it is more."""
    filled = [count for count in counts if count > 0]
    if not filled:
        return 0
    usual = Counter(filled)
    most = max(usual.values())
    return max(filled[-1], *(count for count, times in usual.items() if times == most))


def _is_blank(cells: pl.DataFrame) -> bool:
    return all(cell is None or not cell.strip() for cell in cells.row(-1))


def require_whole_letters(name: str, data: bytes) -> None:
    """Raises UserError when text that is UTF-8 elsewhere ends inside a letter."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        is_end = error.reason == "unexpected end of data" and error.end == len(data)
        if is_end and not data[: error.start].isascii():
            raise UserError(
                f"{name}: ends inside a letter of its UTF-8 text, so the file was cut there; "
                "export it again"
            ) from error


def open_row(sheets: tuple[Sheet, ...]) -> int | None:
    """The row of the file that has no line end behind it, None when every row has one."""
    for sheet in sheets:
        if any(one.code == NO_LINE_END for one in sheet.findings):
            return int(sheet.source_rows()[-1])
    return None
