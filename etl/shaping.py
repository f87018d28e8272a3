"""Sheets through a profile: which tables read which sheets, and what no table reads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

import polars as pl

from analysis.errors import UserError
from analysis.number_words import count
from etl.contracts import CONTRACTS
from etl.contracts.typed import typed
from etl.guard import ReadResult
from etl.id_rows import id_only_finding, without_id_only
from etl.long_rows import refuse_long
from etl.profiles.grid import Usage, count_cells
from etl.profiles.headers import matching
from etl.profiles.house import file_name
from etl.profiles.reshape import Incoming, reshape
from etl.profiles.row_filters import selects
from etl.profiles.schema import Profile, Table
from etl.sheets.sheet import Sheet
from etl.source import SKIPPED, Finding
from etl.unread import unread_finding


@dataclass(frozen=True)
class Part:
    """Records of one table of the profile from one sheet; `text` keeps them as delivered."""

    file: int
    sheet: str
    table: Table
    incoming: Incoming
    records: pl.DataFrame
    file_name: str
    dates: str
    """How the profile reads the dates of this table."""


@dataclass(frozen=True)
class Shaped:
    """All parts of a delivery, and findings with the file they belong to."""

    parts: tuple[Part, ...]
    findings: tuple[tuple[int | None, Finding], ...]
    rows: Mapping[int, int]
    """Per file the number of its data rows that some table reads."""
    file_rows: Mapping[int, int]
    """Per file its data rows: below the header lines, empty ones counted, read or not."""


def shape(results: Sequence[ReadResult], profile: Profile) -> Shaped:
    """Every sheet through every table of the profile that selects it.

    Raises:
        UserError: A column or header the profile names is not there, a table that the delivery
            must hold finds no sheet, or no table reads anything.
    """
    parts: list[Part] = []
    findings: list[tuple[int | None, Finding]] = []
    used: set[int] = set()
    rows: Counter[int] = Counter()
    file_rows: Counter[int] = Counter()
    for number, result in enumerate(results):
        for one in result.source.findings:  # a file beside it that was not read is no part of it
            findings.append((None if one.code == SKIPPED else number, one))
        if result.refusal is not None:
            findings.append((number, unread_finding(result, profile)))
        for position, sheet in enumerate(result.sheets):
            findings += [(number, one) for one in sheet.findings]
            usage = Usage()
            chosen = _tables_for(sheet, position, profile)
            for index in chosen:
                table = profile.tables[index]
                used.add(index)
                parts.append(_part(number, sheet, profile, table, usage, len(parts)))
                findings += [(number, one) for one in parts[-1].incoming.findings]
            file_rows[number] += usage.height if chosen else _height(sheet)
            rows[number] += 0 if usage.rows_read is None else len(usage.rows_read)
            findings += [(number, one) for one in _unread(sheet, profile, usage, bool(chosen))]
    _require_tables(profile, used, results)
    return Shaped(tuple(parts), tuple(findings), rows, file_rows)


def _tables_for(sheet: Sheet, position: int, profile: Profile) -> list[int]:
    name = file_name(sheet.source_name).lower()
    return [
        index
        for index, table in enumerate(profile.tables)
        if fnmatch(name, table.file.lower())
        and (fnmatch(sheet.name.lower(), table.sheet.lower()) or table.sheet == str(position + 1))
        and selects(table, sheet)
    ]


def _part(
    number: int, sheet: Sheet, profile: Profile, table: Table, usage: Usage, index: int
) -> Part:
    contract = CONTRACTS[table.contract]
    incoming = reshape(sheet, profile, table, contract, usage)
    records = typed(incoming.frame, contract, profile, table)
    if not incoming.id_only.is_empty():
        full = records.filter(~pl.col("_empty"))["_row"]
        usage.id_only |= set(incoming.id_only) & set(full)
        records = without_id_only(records, incoming.id_only)
    records = refuse_long(records, incoming.long_rows)
    records = records.with_columns(
        pl.lit(index, pl.UInt32).alias("_part"),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("_index"),
    )
    return Part(
        number,
        sheet.name,
        table,
        incoming,
        records,
        file_name(sheet.source_name),
        table.dates or profile.dates,
    )


def _require_tables(profile: Profile, used: set[int], results: Sequence[ReadResult]) -> None:
    titles = sorted({sheet.title for result in results for sheet in result.sheets})
    shown = "; ".join(titles[:6]) or "none"
    if not used:
        raise UserError(
            f"profile {profile.name!r} reads nothing of what was delivered ({shown}); "
            "choose another profile or correct `file`, `sheet` and `when` in it"
        )
    for index, table in enumerate(profile.tables):
        if index not in used and not table.optional and profile.delivery == "full":
            raise UserError(
                f"profile {profile.name!r}, table {table.title!r}: a full delivery lacks the sheet "
                f"{table.sheet!r} of file {table.file!r} (delivered: {shown}); deliver it or mark "
                "the table `optional: true`"
            )


def _content(sheet: Sheet) -> str:
    """What a sheet is called, for a person: its name, its SDTM domain, or that of its file."""
    if sheet.name:
        return sheet.name
    cells = sheet.cells.head(2)
    if cells.height == 2 and not sheet.header and "DOMAIN" in cells.row(0):
        domain = cells.row(1)[cells.row(0).index("DOMAIN")]
        if domain:
            return str(domain)
    return file_name(sheet.source_name)


def _height(sheet: Sheet) -> int:
    """Data rows of a sheet that no table reads: one header line where the format has none."""
    return max(0, sheet.cells.height - (not sheet.header))


def _unread(sheet: Sheet, profile: Profile, usage: Usage, chosen: bool) -> list[Finding]:
    """What stands in the sheet and is not used: sheets, identifying and unread columns, rows."""
    if not chosen:
        height = _height(sheet) or sheet.cells.height
        if height == 0:
            return []
        severity = "warning" if _height(sheet) else "info"  # one line alone holds no table
        message = f"{count(height, 'row')} not read: no table for {_content(sheet)}"
        return [Finding("sheet_not_read", message, severity, None, height)]
    rows = sheet.cells if usage.data is None else usage.data
    found = []
    ignored = {
        index: one.reason
        for one in profile.ignore
        for name in one.column
        for index, _ in matching(name, usage.paths)
    }
    for index, path in enumerate(usage.paths):
        if index in usage.columns:
            continue
        n = count_cells(rows, index)
        if index in usage.identifying:
            message = f"column {path!r} identifies persons: {count(n, 'cell')} not read"
            found.append(Finding("identifying_column", message, "warning", path, n))
        elif n > 0 and index in ignored:
            message = f"column {path!r}: {count(n, 'cell')} left out: {ignored[index]}"
            found.append(Finding("ignored_column", message, "info", path, n))
        elif n > 0:
            message = f"column {path!r}: {count(n, 'cell')} read by no table"
            found.append(Finding("unread_column", message, "info", path, n))
    if usage.id_only:
        place = f"sheet {sheet.name!r}" if sheet.name else file_name(sheet.source_name)
        found.append(id_only_finding(usage.id_only, place))
    return found + _rows_left(sheet, usage)


def _rows_left(sheet: Sheet, usage: Usage) -> list[Finding]:
    """Rows that no table reads: behind a `stop`, or kept by no filter."""
    if usage.rows_read is None:
        return []
    ended = len(usage.ended - set(usage.rows_read))
    left = usage.rows_total - len(usage.rows_read) - ended
    place = f"sheet {sheet.name!r}: " if sheet.name else ""
    found = []
    if ended:
        message = f"{place}{count(ended, 'row')} from `stop` on left out"
        found.append(Finding("rows_after_stop", message, "info", None, ended))
    if left > 0:
        message = f"{place}no table's filters take {count(left, 'row')}"
        found.append(Finding("rows_not_selected", message, "info", None, left))
    return found
