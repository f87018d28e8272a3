"""Files that the study has seen: the same file under the same profile is nothing new.

What such a file brought may have been corrected or retired by a later load. It stays so, whoever
sends the old file again, and that is said: by the newest load that took records from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from sqlalchemy import Connection

from etl.accounting import FileAccount
from etl.contracts import CONTRACT_VERSION
from etl.contracts.rules import HEALABLE
from etl.guard import ReadResult
from etl.profiles import SavedProfile
from etl.refusals import refused_json
from etl.unread import is_damaged
from models import held


@dataclass(frozen=True)
class Earlier:
    """The outcome of files loaded earlier: `overtaken` holds one row per later load that
    superseded records of theirs, with load_id, cut and count."""

    accounts: tuple[FileAccount, ...]
    refused: tuple[dict[str, Any], ...]
    cut: str
    overtaken: tuple[dict[str, Any], ...]

    def message(self) -> str:
        """That nothing changed, and what of these files is no longer current."""
        words = unchanged(self.cut)
        for row in self.overtaken:
            words += (
                f"; {row['count']} of their records superseded by load {row['load_id']} "
                f"(data cut {row['cut']!r}) and not current"
            )
        return words


def unchanged(cut: str) -> str:
    """The message of a load that changes nothing."""
    return f"nothing changed: these files are in the study already (data cut {cut!r})"


def all_known(
    connection: Connection,
    results: Sequence[ReadResult],
    saved: SavedProfile,
    study_id: int | None,
) -> bool:
    """Whether every file of the delivery was loaded before under this profile."""
    if study_id is None:
        return False
    seen = held.files_loaded(connection, study_id, saved.hash, CONTRACT_VERSION)
    return {one.source.sha256 for one in results} <= set(seen["sha256"])


def loaded_before(
    connection: Connection,
    results: Sequence[ReadResult],
    saved: SavedProfile,
    study_id: int | None,
) -> Earlier | None:
    """The earlier outcome when every file is known and no refusal could be healed by now."""
    if study_id is None or not all_known(connection, results, saved, study_id):
        return None
    if any(is_damaged(one) for one in results):
        return None
    seen = held.files_loaded(connection, study_id, saved.hash, CONTRACT_VERSION)
    last = {row["sha256"]: row for row in seen.iter_rows(named=True)}
    rows = [last[one.source.sha256] for one in results]
    refused = held.refused_of(connection, [row["id"] for row in rows])
    if refused["rule"].is_in(list(HEALABLE)).any():
        return None
    names = {row["id"]: one.source.name for row, one in zip(rows, results, strict=True)}
    accounts = tuple(held_account(row, names[row["id"]]) for row in rows)
    numbers = {row["id"]: number for number, row in enumerate(rows)}
    file = pl.col("source_file_id").replace_strict(numbers, return_dtype=pl.Int64)
    shown = refused_json(refused.with_columns(file.alias("file")), [one.path for one in accounts])
    cuts = held.cut_names(connection, study_id)
    sent = {one.source.sha256 for one in results}
    files = seen.filter(pl.col("sha256").is_in(list(sent))).with_columns(content=pl.lit("all"))
    overtaken = held.overtaken(connection, study_id, files).drop("content")
    return Earlier(accounts, tuple(shown), cuts[-1], tuple(overtaken.to_dicts()))


def held_account(row: dict[str, Any], path: str) -> FileAccount:
    """The counts of a file loaded earlier: what it brought is held already."""
    names = [name for name in FileAccount.__dataclass_fields__ if name in row]
    earlier = FileAccount(**{name: row[name] for name in names})
    held_already = earlier.loaded + earlier.duplicates
    return replace(earlier, path=path, loaded=0, duplicates=held_already, superseded=0)
