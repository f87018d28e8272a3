"""The result of a load in words for a terminal: what was taken, what was refused and why.

It shows the text of refused cells to the person whose files they are; it never goes into a log.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.number_words import count
from etl.accounting import FileAccount
from etl.contracts.contract import SUBJECT
from etl.contracts.identifying import is_identifying
from etl.contracts.rules import RULES
from etl.profiles.headers import leaf
from etl.profiles.house import file_name
from etl.unread import DAMAGED, NO_READER, NOT_READ

MAX_REASONS = 5
MAX_MESSAGES = 3
MAX_COLUMNS = 12
MAX_TEXT = 40

SHEET_NOT_READ, UNREAD, IGNORED = "sheet_not_read", "unread_column", "ignored_column"
SHOWN_WITH_FILE = frozenset({NOT_READ, DAMAGED})
SEVERITIES = ("error", "warning", "info")
SUBJECT_FIELDS = frozenset(one.name for one in SUBJECT) | {"usubjid", "subjid"}

Row = Mapping[str, Any]


def load_text(
    files: Sequence[FileAccount],
    refused: Sequence[Row],
    findings: Sequence[Row],
    given: Iterable[str | Path],
    all_refused: str,
) -> list[str]:
    """Lines: each file with the reasons of its refusals, then the findings, then where to look.

    `all_refused`: where a person sees every refused row.
    """
    short = short_names([one.path for one in files], given)
    lines: list[str] = []
    for one in files:
        own = [row for row in findings if row["file"] == one.path]
        lines.append(f"{short[one.path]}: {_file_line(one, own)}")
        lines += _reasons([row for row in refused if row["file"] == one.path])
    unread = {one.path for one in files if one.rows_in == 0}
    lines += _findings(findings, short, unread)
    if refused:
        lines.append(f"Every refused row: {all_refused}.")
    return lines


def changed_text(superseded: int, retired: int) -> list[str]:
    """One line about stored records that a load replaced or retired; none when it touched none."""
    if superseded == 0 and retired == 0:
        return []
    return [f"{count(superseded, 'record')} superseded, {retired} retired"]


def short_names(paths: Sequence[str], given: Iterable[str | Path]) -> dict[str, str]:
    """Paths below a named folder without it, and named files without theirs, while they differ."""
    folders = [f"{str(one).rstrip('/')}/" for one in given if Path(one).is_dir()]
    short: dict[str, str] = {}
    for path in paths:
        folder = next((one for one in folders if path.startswith(one)), None)
        if folder is not None:
            short[path] = path.removeprefix(folder)
        else:
            archive, mark, member = path.partition("!")
            short[path] = PurePosixPath(archive).name + mark + member
    used = Counter(short.values())
    return {path: name if used[name] == 1 else path for path, name in short.items()}


def _file_line(one: FileAccount, findings: Sequence[Row]) -> str:
    if one.reader == NO_READER:
        reasons = [row["message"] for row in findings if row["code"] in SHOWN_WITH_FILE]
        return reasons[0] if reasons else "not read: unknown format"
    left = [row for row in findings if row["code"] == SHEET_NOT_READ]
    if one.rows_in == 0 and left:
        words = "; ".join(row["message"].partition(": ")[2] for row in left[:MAX_MESSAGES])
        return f"{count(sum(row['count'] for row in left), 'row')}, not read: {words}"
    of = f"{one.rows_read:,} of " if one.rows_read < one.file_rows else ""
    rows = f"{of}{count(one.file_rows, 'row')} -> "
    became = rows if one.rows_read and (of or one.rows_read != one.rows_in) else ""
    return (
        f"{became}{count(one.rows_in, 'record')} = {one.loaded:,} loaded + {one.refused:,} refused "
        f"+ {count(one.duplicates, 'duplicate')} + {one.empty:,} empty"
    )


def _reasons(refused: Sequence[Row]) -> list[str]:
    """One line per rule and column, the most frequent first."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in refused:
        groups.setdefault((row["rule"], row["column"] or ""), []).append(row)
    ranked = sorted(groups.items(), key=lambda group: -len(group[1]))
    lines = [_reason(rule, column, rows) for (rule, column), rows in ranked[:MAX_REASONS]]
    if rest := ranked[MAX_REASONS:]:
        n = sum(len(rows) for _, rows in rest)
        lines.append(f"  {n} refused for {count(len(rest), 'more reason')}")
    return lines


def _reason(rule: str, column: str, rows: Sequence[Row]) -> str:
    words = RULES.get(rule, rule).partition(";")[0].removeprefix("the text is ")
    place = f" in {' '.join(column.split())}" if column else ""
    first = rows[0]
    examples = []
    if not _names_a_person(column):
        texts = Counter(row["raw"] for row in rows if row["raw"])
        if texts:
            text, _ = texts.most_common(1)[0]
            first = next(row for row in rows if row["raw"] == text)
            others = "another text" if len(texts) == 2 else f"{len(texts) - 1} other texts"
            more = f" and {others}" if len(texts) > 1 else ""
            examples.append(repr(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}...") + more)
    own = PurePosixPath(file_name(first["file"])).stem  # a text file is its own sheet
    sheet = f" of sheet {first['sheet']!r}" if first["sheet"] not in (None, "", own) else ""
    examples.append(f"first at row {first['row']}{sheet}")
    line = f"  {len(rows)} refused: {words}{place} ({', '.join(examples)})"
    more = (first.get("message") or "").partition("; ")[2]
    return f"{line}: {more}" if more else line


def _names_a_person(column: str) -> bool:
    return column.lower() in SUBJECT_FIELDS or is_identifying(leaf(column))


def _findings(findings: Sequence[Row], short: Mapping[str, str], unread: set[str]) -> list[str]:
    """Findings by code, errors first; what a file's own line says already is left out."""
    groups: dict[str, list[Row]] = {}
    for row in findings:
        said = row["code"] == SHEET_NOT_READ and row["file"] in unread
        if row["code"] not in SHOWN_WITH_FILE and not said:
            groups.setdefault(row["code"], []).append(row)
    ranked = sorted(groups.items(), key=lambda group: SEVERITIES.index(group[1][0]["severity"]))
    lines = []
    for code, rows in ranked:
        if code == IGNORED:
            lines.append(f"  {count(len(rows), 'column')} left out, as the profile says why")
        elif code == UNREAD:
            lines.append(_unread_columns(rows, short))
        else:
            lines += [f"  {_where(row, short)}{row['message']}" for row in rows[:MAX_MESSAGES]]
            if len(rows) > MAX_MESSAGES:
                lines.append(f"  ... and {len(rows) - MAX_MESSAGES} more of this kind")
    return ["Noticed:", *lines] if lines else []


def _where(row: Row, short: Mapping[str, str]) -> str:
    return f"{short.get(row['file'], row['file'])}: " if row["file"] else ""


def _unread_columns(rows: Sequence[Row], short: Mapping[str, str]) -> str:
    files: dict[str, list[str]] = {}
    for row in rows[:MAX_COLUMNS]:
        name = " ".join(leaf(row["column_name"] or "").split())
        files.setdefault(short.get(row["file"], row["file"]), []).append(name)
    shown = "; ".join(f"{file}: {', '.join(names)}" for file, names in files.items())
    more = f"; and {len(rows) - MAX_COLUMNS} more" if len(rows) > MAX_COLUMNS else ""
    return f"  {count(len(rows), 'column')} read by no table: {shown}{more}"
