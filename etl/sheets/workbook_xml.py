"""What calamine does not tell about an .xlsx: date system, errors, formulas without value, merges.

The sheets' XML is scanned block by block with a few patterns; it is never held as a tree. The
small parts go through expat, which bounds entity expansion, in the limited child of `etl.guard`.
"""

import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from etl.sheets.sheet import CellRange

BLOCK_BYTE = 4 * 1024**2
PREFIX = re.compile(rb"<(/?)\w+:")
ERROR_TYPE = re.compile(rb' t="e"')
EMPTY_FORMULA = re.compile(
    rb"<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:</c>|<v\s*/>|<v(?: [^>]*)?>\s*</v>)"
)
VALUE = re.compile(rb"<v[^>]*>([^<]*)</v>")
REFERENCE = re.compile(rb'\br="\$?([A-Z]{1,3})\$?(\d+)"')
WIDE_REFERENCE = re.compile(rb' r="([A-Z]{2,3})\d')
MERGE = re.compile(rb'<mergeCell\s[^>]*ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
DIMENSION = re.compile(rb'<dimension\s[^>]*ref="([A-Z]+)(\d+)(?::([A-Z]+)(\d+))?"')
ROW = re.compile(rb"<row\s([^>]*)>")
HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
ROW_NUMBER = re.compile(rb'\br="(\d+)"')
QUOTED_FORMAT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
ELAPSED_FORMAT = re.compile(r"\[[hms]+\]", re.IGNORECASE)
BUILT_IN_FORMATS = {
    **dict.fromkeys((18, 19, 20, 21, 45, 47, 32, 33, 34, 35, 55, 56), "time"),
    22: "datetime",
    46: "elapsed",
}


@dataclass(slots=True)
class SheetFacts:
    """Facts of one worksheet; rows counted from 1, columns from 0."""

    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    """Column -> row -> error text as stored (#DIV/0!)."""
    formulas_without_value: list[tuple[int, int]] = field(default_factory=list)
    kinds: dict[int, dict[int, str]] = field(default_factory=dict)
    """Column -> row -> time, datetime or elapsed, for cells whose number format shows a time."""
    merged: list[CellRange] = field(default_factory=list)
    hidden_rows: int = 0
    used_rows: int = 0
    used_columns: int = 0


@dataclass(frozen=True, slots=True)
class Workbook:
    """Date system and the member that holds each sheet, by the sheet's name."""

    date1904: bool
    members: dict[str, str]
    kinds: dict[int, str]
    """Style index -> time, datetime or elapsed, for the styles that show a time."""


def column_position(letters: bytes | str) -> int:
    """A is 0, AA is 26."""
    text = letters.decode() if isinstance(letters, bytes) else letters
    position = 0
    for letter in text:
        position = position * 26 + ord(letter) - 64
    return position - 1


def read_workbook(archive: zipfile.ZipFile) -> Workbook:
    """Raises KeyError, ET.ParseError for a package that is not a workbook."""
    names = {name.lower().lstrip("/"): name for name in archive.namelist()}
    book = names.get("xl/workbook.xml")
    if book is None:
        book = next(name for lower, name in names.items() if lower.endswith("workbook.xml"))
    folder = book.rpartition("/")[0]
    root = ET.fromstring(archive.read(book))  # noqa: S314
    date1904 = any(
        element.get("date1904", "0").lower() in ("1", "true", "on")
        for element in root.iter()
        if _local(element.tag) == "workbookPr"
    )
    relations = f"{folder}/_rels/{book.rpartition('/')[2]}.rels".lstrip("/")
    targets = _targets(archive, names.get(relations.lower()), folder)
    members = {}
    for element in root.iter():
        if _local(element.tag) == "sheet":
            identifier = next((v for k, v in element.items() if _local(k) == "id"), "")
            target = targets.get(identifier, "")
            if target.lower() in names:
                members[element.get("name", "")] = names[target.lower()]
    styles = names.get(f"{folder}/styles.xml".lstrip("/").lower())
    return Workbook(date1904, members, _style_kinds(archive, styles))


def _targets(archive: zipfile.ZipFile, member: str | None, folder: str) -> dict[str, str]:
    if member is None:
        return {}
    targets = {}
    for element in ET.fromstring(archive.read(member)):  # noqa: S314
        target = element.get("Target", "")
        absolute = target.startswith("/")
        path = target.lstrip("/") if absolute else f"{folder}/{target}".lstrip("/")
        targets[element.get("Id", "")] = path
    return targets


def _style_kinds(archive: zipfile.ZipFile, member: str | None) -> dict[int, str]:
    if member is None:
        return {}
    root = ET.fromstring(archive.read(member))  # noqa: S314
    own: dict[int, str] = {}
    kinds: dict[int, str] = {}
    for element in root.iter():
        if _local(element.tag) == "numFmt":
            own[int(element.get("numFmtId", "0"))] = format_kind(element.get("formatCode", ""))
    for element in root.iter():
        if _local(element.tag) == "cellXfs":
            for index, style in enumerate(element):
                code = int(style.get("numFmtId", "0"))
                kind = own.get(code, BUILT_IN_FORMATS.get(code, ""))
                if kind:
                    kinds[index] = kind
    return kinds


def format_kind(code: str) -> str:
    """Whether a number format shows a time of day, a date with time or an elapsed time."""
    if ELAPSED_FORMAT.search(code):
        return "elapsed"
    bare = QUOTED_FORMAT.sub("", code).lower().replace("general", "")
    if not ("h" in bare or "s" in bare):
        return ""
    return "datetime" if "y" in bare or "d" in bare else "time"


def scan_sheet(archive: zipfile.ZipFile, member: str, kinds: dict[int, str]) -> SheetFacts:
    """One pass over a worksheet's XML."""
    facts = SheetFacts()
    styles = b"|".join(b"%d" % index for index in kinds)
    styled = re.compile(rb' s="(%s)"' % styles) if kinds else None
    with archive.open(member) as stream:
        for block in _blocks(stream):
            _scan_used_range(block, facts)
            _scan_cells(block, styled, kinds, facts)
            for match in MERGE.finditer(block):
                left, top, right, bottom = match.groups()
                facts.merged.append(
                    CellRange(int(top), column_position(left), int(bottom), column_position(right))
                )
    facts.used_columns = facts.used_columns or 26  # no dimension given and none beyond Z
    return facts


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The XML cut after complete rows, tags without a namespace prefix."""
    rest, end, prefixed = b"", b"</row>", None
    while part := stream.read(BLOCK_BYTE):
        rest += part
        if prefixed is None:
            prefixed = b":worksheet" in rest[:4096]
            end = b":row>" if prefixed else end
        cut = rest.rfind(end) + len(end)
        if cut >= len(end):
            yield PREFIX.sub(rb"<\1", rest[:cut]) if prefixed else rest[:cut]
            rest = rest[cut:]
    if rest:
        yield PREFIX.sub(rb"<\1", rest) if prefixed else rest


def _scan_used_range(block: bytes, facts: SheetFacts) -> None:
    """Last row and column, by what the sheet says and by what it holds; hidden rows."""
    for match in DIMENSION.finditer(block):
        last_column, last_row = match.group(3) or match.group(1), match.group(4) or match.group(2)
        facts.used_columns = max(facts.used_columns, column_position(last_column) + 1)
        facts.used_rows = max(facts.used_rows, int(last_row))
    letters = set(WIDE_REFERENCE.findall(block))
    facts.used_columns = max([facts.used_columns, *(column_position(x) + 1 for x in letters)])
    for match in ROW.finditer(block):
        facts.hidden_rows += HIDDEN.search(match.group(1)) is not None
        number = ROW_NUMBER.search(match.group(1))
        if number:
            facts.used_rows = max(facts.used_rows, int(number.group(1)))


def _scan_cells(
    block: bytes, styled: re.Pattern[bytes] | None, kinds: dict[int, str], facts: SheetFacts
) -> None:
    for match in ERROR_TYPE.finditer(block):
        tag = _cell_tag(block, match.start())
        position = _position(tag)
        if position:
            end = block.find(b"</c>", match.end())
            value = VALUE.search(block, match.end(), max(end, match.end()))
            text = value.group(1).decode("utf-8", "replace") if value else "#"
            facts.errors.setdefault(position[1], {})[position[0]] = text
    for match in EMPTY_FORMULA.finditer(block):
        tag = _cell_tag(block, match.start() - 1)
        position = _position(tag)
        if position and not (b't="str"' in tag and b"<v" in match.group(0)):
            facts.formulas_without_value.append(position)
    for match in styled.finditer(block) if styled else ():
        position = _position(_cell_tag(block, match.start()))
        if position:
            facts.kinds.setdefault(position[1], {})[position[0]] = kinds[int(match.group(1))]


def _cell_tag(block: bytes, within: int) -> bytes:
    """The opening tag `<c ...>` around or before a place; empty when it is another tag."""
    start = block.rfind(b"<", 0, within)
    tag = block[start : block.find(b">", start) + 1]
    return tag if tag.startswith(b"<c ") else b""


def _position(tag: bytes) -> tuple[int, int] | None:
    match = REFERENCE.search(tag)
    return (int(match.group(2)), column_position(match.group(1))) if match else None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
