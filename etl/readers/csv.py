"""Delimited text (CSV, TSV, semicolon exports): every cell as text, every byte accounted for.

polars reads the file in parallel; the result is kept only when a count of bytes, delimiters,
line ends and quotes proves that no character was lost or moved. Whatever fails that proof (ragged
rows, CR-only lines, NUL, stray quotes) is read again by the exact, slower standard library.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import polars as pl

from analysis.errors import UserError
from analysis.number_words import count
from etl.delimiter import SAMPLE_CHARACTERS, detect_delimiter
from etl.encoding import detect_encoding
from etl.last_line import LINE_ENDS, last_line_finding, require_whole_letters
from etl.sheets.sheet import Sheet
from etl.source import Finding, Source

NAME = "csv"
MALFORMED = "malformed_quotes"
CHUNK_ROWS = 50_000
MAX_FIELD_CHARACTERS = 16 * 1024**2
MAX_COLUMNS = 20_000
FOREIGN_TEXT = re.compile(
    rb"\s*(HEADER RECORD\*{7}|.{0,80}ASCII SPSS PORT FILE|ID;P|\{\\rtf|%PDF"
    rb"|%!PS|\$FL[23]@|<stata_dta>"
    rb'|<\?xml|<!|<html|<table|<odm|\{\s*["}]|\[\s*[\[{"\]]|#!)',
    re.IGNORECASE,
)
DOCUMENT_SUFFIXES = frozenset(
    {".md", ".rst", ".html", ".htm", ".xml", ".json", ".ndjson", ".yaml", ".yml", ".py", ".r"}
    | {".sas", ".sql", ".log", ".rtf", ".tex", ".svg", ".pdf", ".dcm", ".rds"}
)
DOCUMENT_NAMES = frozenset(
    {"license", "licence", "copying", "copyright", "notice", "readme", "changelog", "authors"}
)
"""What a file beside the data is called, whatever its ending: LICENSE.txt, README."""
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?(\r\n|\n|\r|$)', re.IGNORECASE)


class _Grid(NamedTuple):
    cells: pl.DataFrame
    row_numbers: pl.Series | None
    field_counts: pl.Series | None
    findings: tuple[Finding, ...]


def sniff(source: Source) -> bool:
    """Text that no other format's signature claims."""
    head = source.head()
    if _is_document(source) or FOREIGN_TEXT.match(head):
        return False
    return detect_encoding(head) is not None


def _is_document(source: Source) -> bool:
    name = source.name.replace("\\", "/").rpartition("!")[2].rpartition("/")[2].lower()
    prose = source.suffix in {"", ".txt"} or not source.suffix[1:].isalpha()
    return source.suffix in DOCUMENT_SUFFIXES or (
        prose and name.partition(".")[0] in DOCUMENT_NAMES
    )


def read(source: Source) -> tuple[Sheet, ...]:
    """One sheet named "". Raises UserError for a file that ends inside a field or a record."""
    data, findings = _as_utf8(source)
    ends_open = not data.endswith(LINE_ENDS)
    data = data.rstrip(b"\r\n")
    sample = data[: 4 * SAMPLE_CHARACTERS].decode("utf-8", "ignore")[:SAMPLE_CHARACTERS]
    first_row = 1
    declared = SEPARATOR_LINE.match(sample)
    if declared:
        data = data[len(declared.group(0).encode()) :]
        first_row = 2
        delimiter = declared.group(1)
    else:
        delimiter = detect_delimiter(sample)
    grid = _read_fast(data, delimiter) or _read_exact(source.name, data, delimiter)
    row_numbers = grid.row_numbers
    if row_numbers is not None and first_row > 1:
        row_numbers = row_numbers + (first_row - 1)
    sheet = Sheet(
        source.name,
        "",
        grid.cells,
        first_row=first_row,
        findings=(*findings, *_ragged_finding(grid, first_row), *grid.findings),
        row_numbers=row_numbers,
        field_counts=grid.field_counts,
        delimiter=delimiter,
    )
    closed = data.endswith(b'"') and not any(one.code == MALFORMED for one in grid.findings)
    if ends_open and not closed and sheet.cells.height:
        last = int(sheet.source_rows()[-1])
        found = last_line_finding(source.name, sheet.cells, sheet.field_counts, last)
        sheet = replace(sheet, findings=(*sheet.findings, found))
    return (sheet,)


def _as_utf8(source: Source) -> tuple[bytes, list[Finding]]:
    """The text as UTF-8 without its byte order mark."""
    data = source.unpacked()
    encoding = detect_encoding(data)
    if encoding is None:
        raise UserError(
            f"{source.name}: holds bytes that are not text; export the table as CSV in UTF-8"
        )
    findings = []
    if encoding.name in ("cp1252", "latin-1"):
        require_whole_letters(source.name, data)
    if encoding.name != "utf-8":
        try:
            data = data.decode(encoding.name).encode("utf-8")
        except UnicodeError as error:
            raise UserError(
                f"{source.name}: {encoding.evidence}, but it is not valid {encoding.name} "
                f"({error.__class__.__name__}); the file may be cut, export it again as UTF-8"
            ) from error
        guessed = encoding.name in ("cp1252", "latin-1")
        message = f"read as {encoding.name}: {encoding.evidence}"
        findings.append(Finding("encoding", message, "warning" if guessed else "info"))
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise UserError(f"{source.name}: holds no text, only white space; export it again")
    return data, findings


def _read_fast(data: bytes, delimiter: str) -> _Grid | None:
    """polars' reading, or None when it fails or cannot be proved to be exact."""
    if b"\0" in data or data.count(b"\r") != data.count(b"\r\n"):
        return None
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            separator=delimiter,
            infer_schema=False,
            empty_string_is_null=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    frame.columns = [f"c{i}" for i in range(frame.width)]
    newlines_within = _conserved(data, frame, delimiter)
    if newlines_within is None:
        return None
    return _Grid(frame, _row_numbers(frame) if newlines_within else None, None, ())


def _conserved(data: bytes, frame: pl.DataFrame, delimiter: str) -> int | None:
    """Line ends inside cells when every byte of the file is accounted for, else None."""
    counts = dict.fromkeys((delimiter, "\n", "\r", '"'), 0)
    if b'"' in data:
        for mark in counts:
            counts[mark] = sum(
                frame.select(pl.all().str.count_matches(mark, literal=True).sum()).row(0)
            )
    outside = {mark: data.count(mark.encode()) - inside for mark, inside in counts.items()}
    in_cells = sum(frame.select(pl.all().str.len_bytes().cast(pl.UInt64).sum()).row(0))
    exact = (
        outside[delimiter] == frame.height * (frame.width - 1)
        and outside["\n"] == frame.height - 1
        and outside["\r"] in (0, outside["\n"])
        and in_cells + sum(outside.values()) == len(data)
    )
    return counts["\n"] if exact and _regular(data, frame.width, delimiter) else None


def _regular(data: bytes, width: int, delimiter: str) -> bool:
    """Whether every record has `width` fields: a short row and a long one conserve every sum."""
    import numpy as np

    text = np.frombuffer(data, dtype=np.uint8)
    ends, delimiters, quotes = (
        np.flatnonzero(text == ord(mark)) for mark in ("\n", delimiter, '"')
    )
    if len(quotes):
        ends, delimiters = (
            places[np.searchsorted(quotes, places) % 2 == 0] for places in (ends, delimiters)
        )
    before = np.searchsorted(delimiters, np.append(ends, len(text)))
    return bool((np.diff(before, prepend=0) == width - 1).all())


def _row_numbers(frame: pl.DataFrame) -> pl.Series:
    """Line on which each record starts: lines within earlier records push it down."""
    within = frame.select(
        pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True)).alias("n")
    )["n"]
    start = within.cum_sum() - within + pl.int_range(1, frame.height + 1, eager=True)
    return start.cast(pl.UInt32)


def _read_exact(name: str, data: bytes, delimiter: str) -> _Grid:
    text = data.decode("utf-8")
    findings: tuple[Finding, ...] = ()
    limit = csv.field_size_limit(MAX_FIELD_CHARACTERS)
    try:
        try:
            frame, numbers, counts = _parse(text, delimiter, strict=True)
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise UserError(
                    f"{name}: the file ends inside a quoted field; "
                    "it is half written or a quotation mark is missing, export it again"
                ) from error
            frame, numbers, counts = _parse(text, delimiter, strict=False)
            message = f"quotation marks inside a field are not doubled ({error}); kept as read"
            findings = (Finding(MALFORMED, message),)
    except csv.Error as error:
        raise UserError(f"{name}: not a delimited text table ({error}); export it again") from error
    finally:
        csv.field_size_limit(limit)
    if frame.width > MAX_COLUMNS:
        raise UserError(f"{name}: {frame.width} columns, more than {MAX_COLUMNS}; is it a table?")
    if "\r" in text and "\n" not in text:
        findings += (Finding("line_ends", "lines end with CR only (old Macintosh)", "info"),)
    if "\0" in text:
        message = "NUL characters in the text, kept as delivered"
        findings += (Finding("nul", message, count=text.count("\0")),)
    consecutive = numbers.len() == 0 or int(numbers[-1]) == numbers.len()
    ragged = counts.n_unique() > 1
    return _Grid(frame, None if consecutive else numbers, counts if ragged else None, findings)


def _parse(text: str, delimiter: str, *, strict: bool) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """Cells, first line of each record and fields in each record."""
    frames: list[pl.DataFrame] = []
    numbers: list[int] = []
    counts: list[int] = []
    for records, lines in _record_chunks(text, delimiter, strict=strict):
        counts.extend(len(record) for record in records)
        numbers.extend(lines)
        width = max(1, *(len(record) for record in records))
        columns: list[list[str | None]] = [[] for _ in range(width)]
        for record in records:
            for position, column in enumerate(columns):
                column.append(record[position] if position < len(record) else None)
        names = (f"c{i}" for i in range(width))
        frames.append(
            pl.DataFrame([pl.Series(n, c, pl.String) for n, c in zip(names, columns, strict=True)])
        )
    frame = pl.concat(frames, how="diagonal") if frames else pl.DataFrame({"c0": []})
    widest = sorted(frame.columns, key=lambda column: int(column[1:]))
    return (
        frame.select(widest),
        pl.Series("source_row", numbers, pl.UInt32),
        pl.Series("fields", counts, pl.UInt32),
    )


def _record_chunks(
    text: str, delimiter: str, *, strict: bool
) -> Iterator[tuple[list[list[str]], list[int]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    records: list[list[str]] = []
    lines: list[int] = []
    start = 1
    for record in reader:
        records.append(record)
        lines.append(start)
        start = reader.line_num + 1
        if len(records) == CHUNK_ROWS:
            yield records, lines
            records, lines = [], []
    if records:
        yield records, lines


def _ragged_finding(grid: _Grid, first_row: int) -> tuple[Finding, ...]:
    counts = grid.field_counts
    if counts is None:
        return ()
    usual = Counter(counts.to_list()).most_common(1)[0][0]
    odd = (counts != usual).arg_true()
    rows = grid.row_numbers if grid.row_numbers is not None else None
    first = int(rows[odd[0]]) if rows is not None else int(odd[0]) + 1
    message = (
        f"{count(odd.len(), 'row')} with more or fewer than the usual {count(usual, 'field')}, "
        f"the first is row {first + first_row - 1}"
    )
    return (Finding("ragged_rows", message, count=odd.len()),)
