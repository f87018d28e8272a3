"""Header rows to column paths, and the patterns by which a profile names columns.

The path of a column joins its header cells from top to bottom with " | "; merged cells are filled
to the right until a cell of the same row, or of a row above, starts something new. An empty
lowest cell reads "(empty)". Matching ignores case, Unicode form and repeated spaces.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from analysis.errors import UserError
from analysis.number_words import count

EMPTY = "(empty)"
JOIN = " | "
NEAREST = 4
CAPTURE = re.compile(r"\{(\w+)(:number)?\}|\*")


def squash(text: str) -> str:
    """The text in Unicode form NFKC with single spaces and none at the ends; the case stays."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _fill_right(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Repeat a header cell over the empty cells right of it, within the group of the rows above."""
    filled: list[list[str]] = []
    for row in rows:
        above = list(zip(*filled, strict=True)) if filled else [()] * len(row)
        current: list[str] = []
        for index, cell in enumerate(row):
            same_group = index > 0 and above[index] == above[index - 1]
            current.append(cell or (current[index - 1] if same_group else ""))
        filled.append(current)
    return filled


def header_paths(rows: Sequence[Sequence[str | None]]) -> tuple[str, ...]:
    """One path per column from 1..n header rows; only the lowest row is never filled."""
    if not rows:
        return ()
    clean = [[squash(cell or "") for cell in row] for row in rows]
    levels = [*_fill_right(clean[:-1]), clean[-1]]
    paths = []
    for column in zip(*levels, strict=True):
        upper = [cell for cell in column[:-1] if cell]
        paths.append(JOIN.join([*upper, column[-1] or EMPTY]))
    return tuple(paths)


def leaf(path: str) -> str:
    """The lowest header cell of a path."""
    return path.rsplit(JOIN, 1)[-1]


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """The regular expression of a header pattern: `*` any text, `{name}` and `{name:number}`."""
    text = re.sub(r"\s*\|\s*", JOIN, squash(text))
    parts, last = [], 0
    for match in CAPTURE.finditer(text):
        parts.append(re.escape(text[last : match.start()]))
        name, number = match.groups()
        if name is None:
            parts.append(".*")
        else:
            parts.append(f"(?P<{name}>" + (r"-?\d+(?:\.\d+)?" if number else ".+?") + ")")
        last = match.end()
    return re.compile("".join([*parts, re.escape(text[last:])]) + r"\Z", re.IGNORECASE)


def _exact(text: str, paths: Sequence[str]) -> list[int]:
    wanted = re.sub(r"\s*\|\s*", JOIN, squash(text)).casefold()
    whole = [index for index, path in enumerate(paths) if path.casefold() == wanted]
    if whole or "|" in text:
        return whole
    return [index for index, path in enumerate(paths) if leaf(path).casefold() == wanted]


def matching(text: str, paths: Sequence[str]) -> list[tuple[int, Mapping[str, str]]]:
    """Columns that fit the header name or pattern, with what its captures hold."""
    exact = _exact(text, paths)
    found: list[tuple[int, Mapping[str, str]]] = [(index, {}) for index in exact]
    if exact or not CAPTURE.search(text):
        return found
    regex = pattern(text)
    for index, path in enumerate(paths):
        match = regex.match(path if "|" in text else leaf(path))
        if match:
            found.append((index, match.groupdict()))
    return found


def at_position(position: str, paths: Sequence[str], where: str) -> int:
    """The index of a column given as a number from 1 or as spreadsheet letters.

    Raises:
        UserError: The sheet has no such column.
    """
    if position.isdigit():
        index = int(position) - 1
    else:
        index = 0
        for letter in position.upper():
            index = index * 26 + ord(letter) - ord("A") + 1
        index -= 1
    if 0 <= index < len(paths):
        return index
    raise UserError(
        f"{where}: no column at position {position!r}, "
        f"the sheet has {count(len(paths), 'column')}; "
        "correct the position in the profile"
    )


def only_column(names: Sequence[str], paths: Sequence[str], where: str) -> int:
    """The one column that the first fitting alias names.

    Raises:
        UserError: No alias fits, or one fits several columns.
    """
    for name in names:
        found = matching(name, paths)
        if len(found) == 1:
            return found[0][0]
        if found:
            places = ", ".join(str(index + 1) for index, _ in found[:NEAREST])
            raise UserError(
                f"{where}: {name!r} fits {len(found)} columns (positions {places}); "
                "rename one of them, or name it by its full path or position in a profile"
            )
    raise UserError(missing_message(names, paths, where))


def missing_message(names: Sequence[str], paths: Sequence[str], where: str) -> str:
    """One line that names what was looked for and the headers that come nearest."""
    folded: dict[str, str] = {}
    for path in paths:
        folded.setdefault(path.casefold(), path)
        folded.setdefault(leaf(path).casefold(), path)
    near: list[str] = []
    for name in names:
        for hit in get_close_matches(squash(name).casefold(), folded, n=NEAREST, cutoff=0.3):
            if folded[hit] not in near:
                near.append(folded[hit])
    if not near:
        near = [path for path in paths if path != EMPTY][:NEAREST]
    wanted = " or ".join(repr(name) for name in names)
    shown = ", ".join(repr(name) for name in near[:NEAREST]) or "none"
    return f"{where}: no column {wanted}; nearest headers: {shown}; correct the name in the profile"
