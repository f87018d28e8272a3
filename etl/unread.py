"""Files that could not be read: one that was named ends the load, one of a folder is passed over.

What is passed over is never silent: a foreign file (a licence, a define.xml) is a warning, a
damaged data file is an error finding and takes the exit code of refused rows.
"""

from collections.abc import Sequence

from analysis.errors import UserError
from analysis.number_words import count
from etl.guard import ReadResult
from etl.profiles.schema import Profile
from etl.source import Finding

NO_READER = "-"
"""Stands as the reader of a file that was not read."""
NOT_READ, DAMAGED = "file_not_read", "file_damaged"
DATA_SUFFIXES = frozenset(
    {".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".xpt", ".ndjson", ".dsjc"}
)
"""A file of these names that no reader knows is damaged, not foreign."""


def require_readable(results: Sequence[ReadResult]) -> None:
    """Raises UserError when a file that was named cannot be read, or none of all can."""
    for result in results:
        if result.refusal is not None and result.source.named:
            raise UserError(_reason(result))
    if not results:
        raise UserError("no file to load; give the path of an export file, folder or zip")
    if all(result.refusal is not None for result in results):
        raise UserError(
            f"none of {count(len(results), 'file')} can be read; the first: {_reason(results[0])}"
        )


def is_damaged(result: ReadResult) -> bool:
    """Whether a file that could not be read probably holds data."""
    foreign = result.foreign and result.source.suffix not in DATA_SUFFIXES
    return result.refusal is not None and not foreign


def unread_finding(result: ReadResult, profile: Profile) -> Finding:
    """What to know about a file of a folder or zip that was passed over.

    Raises:
        UserError: A full delivery holds a damaged file: what it held would count as vanished.
    """
    if not is_damaged(result):
        return Finding(NOT_READ, f"not read: {_own_reason(result)}")
    if profile.delivery == "full":
        raise UserError(
            f"{_reason(result)} (profile {profile.name!r} takes the delivery as complete, so "
            "every data file of it must be readable)"
        )
    return Finding(DAMAGED, f"not read: {_own_reason(result)}", "error")


def _reason(result: ReadResult) -> str:
    return (result.refusal or "").removeprefix("refused: ")


def _own_reason(result: ReadResult) -> str:
    """Without the path, which a finding has beside it."""
    return _reason(result).removeprefix(f"{result.source.name}: ")
