"""Content that was superseded does not become current again without a word.

A file that the study has seen is as old as the newest load that read it. What a later load
corrected or retired of it stays so when the file is sent again, by itself or beside new files: the
file is set aside whole, and that is said. A full delivery states all there is, so it must not hold
such a file. A new file that repeats an old content may be a correction that was taken back: it is
loaded, and that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from analysis.errors import UserError
from analysis.number_words import count
from etl.accounting import FileAccount
from etl.contracts import CONTRACTS
from etl.guard import ReadResult
from etl.loaded_before import held_account
from etl.plan import Plan
from etl.profiles import SavedProfile
from etl.profiles.house import file_name
from etl.source import Finding
from models import held

OLDER_FILE, OLDER_CONTENT = "older_file", "older_content"


@dataclass(frozen=True)
class SetAside:
    """A file of the delivery that is not loaded again: its earlier counts, and why."""

    account: FileAccount
    finding: Finding


def set_aside_older(
    connection: Connection,
    results: Sequence[ReadResult],
    saved: SavedProfile,
    study_id: int | None,
) -> tuple[tuple[ReadResult, ...], tuple[SetAside, ...]]:
    """The files to load, and those that later loads have overtaken.

    Raises:
        UserError: A full delivery holds an overtaken file.
    """
    if study_id is None:
        return tuple(results), ()
    sent = [one.source.sha256 for one in results]
    seen = held.files_seen(connection, study_id).filter(pl.col("sha256").is_in(sent))
    if seen.is_empty():
        return tuple(results), ()
    later_loads = _later_loads(connection, study_id, seen)
    kept, aside = [], []
    for one in results:
        own = seen.filter(pl.col("sha256") == one.source.sha256)
        later = later_loads.filter(pl.col("content") == one.source.sha256)
        if later.is_empty():
            kept.append(one)
            continue
        message = _words(one.source.name, own, later)
        if saved.profile.delivery == "full":
            raise UserError(f"{message}; leave it out of this full delivery, or export it again")
        advice = "it was not loaded again; if its content is right after all, export it again"
        account = held_account(own.row(-1, named=True), one.source.name)
        finding = Finding(
            OLDER_FILE, f"{message}; {advice}", "warning", None, int(later["count"].sum())
        )
        aside.append(SetAside(account, finding))
    return tuple(kept), tuple(aside)


def _later_loads(connection: Connection, study_id: int, seen: pl.DataFrame) -> pl.DataFrame:
    """Per content the loads behind its newest that superseded records of it. What it took back
    itself, read anew by a repaired profile, makes it no older."""
    files = seen.select("id", "load_id", content="sha256")
    newest = files.group_by("content").agg(pl.col("load_id").max().alias("newest"))
    found = held.overtaken(connection, study_id, files).join(newest, on="content")
    return found.filter(pl.col("load_id") > pl.col("newest"))


def _words(name: str, own: pl.DataFrame, later: pl.DataFrame) -> str:
    loads = ", ".join(
        f"{row['count']} by load {row['load_id']} (data cut {row['cut']!r})"
        for row in later.iter_rows(named=True)
    )
    first = int(own["load_id"][0])  # oldest first
    return (
        f"{file_name(name)} came first in load {first} and later loads superseded "
        f"records of it ({loads})"
    )


def older_content_findings(plan: Plan) -> list[Finding]:
    """One finding per table some of whose records return to a superseded content."""
    return [
        Finding(
            OLDER_CONTENT,
            f"{CONTRACTS[name].title}: {count(table.returning, 'correction')} back to a content "
            "that an earlier load had superseded; if this is an older export, send the newer one "
            "in a new export",
            "warning",
            None,
            table.returning,
        )
        for name, table in plan.tables.items()
        if table.returning
    ]
