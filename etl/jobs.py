"""The load: export files into the database in one transaction, all of it or nothing.

Idempotent by study, file hash, profile hash and contract version. Every load that changes
something, or that brings a file not seen before, ends in a named data cut.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine

from analysis.errors import UserError
from analysis.number_words import count
from analysis.tracers import TRACERS
from etl.accounting import FileAccount, account, finding_rows
from etl.delivery import Delivery, check_delivery
from etl.guard import ReadResult, read_guarded
from etl.half_file import require_whole_files
from etl.known import Known
from etl.known_study import read_known
from etl.loaded_before import Earlier, all_known, loaded_before, unchanged
from etl.older_content import SetAside, older_content_findings, set_aside_older
from etl.plan import Plan, make_plan
from etl.profiles import SavedProfile, load_profile
from etl.profiles.guess import guess_profile
from etl.redating import redate
from etl.refusals import refused_json, refused_rows
from etl.report import changed_text, load_text
from etl.retirement import retirement_findings
from etl.source import open_sources, require_paths
from etl.study_id import require_study_id
from etl.unread import require_readable
from etl.writing import LoadFacts, close_load, open_load, write_files, write_records
from models import bulk, held, loads
from models.engine import reading

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class LoadResult:
    """What a load did, or a dry run would do. `cut` is None when nothing was written or named.

    `refused` carries the message of each row beside the keys of the command contract; `given`:
    the paths as they were named.
    """

    files: tuple[FileAccount, ...]
    refused: tuple[dict[str, Any], ...]
    findings: tuple[dict[str, Any], ...]
    cut: str | None
    message: str
    changed: bool
    given: tuple[str, ...] = ()
    superseded: int = 0
    """Stored records that this load replaced by another content."""
    retired: int = 0
    """Stored records that this full delivery no longer holds."""
    overtaken: tuple[dict[str, Any], ...] = ()
    """For files loaded before: later loads (load_id, cut, count) that superseded their records."""

    @property
    def exit_code(self) -> int:
        """0 when every record was taken; 1 when some were refused or a finding is an error (a
        damaged data file, many records retired)."""
        wrong = any(one["severity"] == "error" for one in self.findings)
        return 1 if wrong or any(one.refused for one in self.files) else 0

    def to_dict(self) -> dict[str, Any]:
        """The object of the command contract; beside its keys what was superseded, retired and
        found."""
        return {
            "files": [one.to_dict() for one in self.files],
            "refused": [
                {key: value for key, value in row.items() if key != "message"}
                for row in self.refused
            ],
            "cut": self.cut,
            "superseded": self.superseded,
            "retired": self.retired,
            "overtaken": list(self.overtaken),
            "findings": [
                {"column" if key == "column_name" else key: value for key, value in one.items()}
                for one in self.findings
            ],
        }

    def summary(self, all_refused: str = "") -> str:
        """What happened, for a person: files with what they lost and why, findings, the end.

        `all_refused`: where every refused row is seen when not by the same command with --json.
        """
        where = (
            all_refused
            or "the same command with --json" + ", or the page Data and quality" * self.changed
        )
        lines = load_text(self.files, self.refused, self.findings, self.given, where)
        lines += changed_text(self.superseded, self.retired)
        return "\n".join([*lines, self.message])


def load(
    engine: Engine | None,
    paths: Iterable[str | Path],
    studyid: str,
    profile: str | None = None,
    dry_run: bool = False,
    actor: str = "",
    progress: Progress | None = None,
    name: str | None = None,
    *,
    synthetic: bool = False,
) -> LoadResult:
    """Loads the files behind the paths into the study, or says what a load would do.

    Without an engine nothing is known of the study (only with `dry_run`). `name` names the data
    cut; the default is the date and a counter. `synthetic` is for the demo only: its study holds
    invented patients, is shown without a login and takes no other files.

    Raises:
        UserError: A path, format, profile or name that cannot be used; nothing was written.
        StudyKindError: The study is there and is not as `synthetic` says; nothing was written.
        DatabaseError: The database is not reachable or locked; nothing was written.
    """
    require_study_id(studyid)
    paths = list(paths)
    require_paths(paths)
    facts = LoadFacts(studyid, actor, _program_version(), _now(), synthetic)
    tell = progress or (lambda fraction, text: None)
    result = _run(engine, paths, facts, profile, dry_run, tell, name)
    return replace(result, given=tuple(str(path) for path in paths))


def _run(
    engine: Engine | None,
    paths: Sequence[str | Path],
    facts: LoadFacts,
    profile: str | None,
    dry_run: bool,
    tell: Progress,
    name: str | None,
) -> LoadResult:
    named = None if profile is None else load_profile(profile)
    tell(0.02, "reading files")
    results = read_guarded(open_sources(paths), trusted=True)
    require_readable(results)
    saved = named or guess_profile(results)
    if engine is None:
        if not dry_run:
            raise UserError("a load needs a database; give one or use a dry run")
        delivery = check_delivery(results, saved, Known(tracers=frozenset(TRACERS)), facts.studyid)
        return _would_do(delivery, _planned(delivery, None, None))
    if dry_run:
        with reading(engine) as connection:
            loads.require_kind(connection, facts.studyid, synthetic=facts.synthetic)
            return _check_against(connection, results, saved, facts.studyid)
    with bulk.loader_lock(engine):
        return _load(engine, results, saved, facts, tell, name)


def _check_against(
    connection: Connection, results: Sequence[ReadResult], saved: SavedProfile, studyid: str
) -> LoadResult:
    study_id = held.study_id_of(connection, studyid)
    again = loaded_before(connection, results, saved, study_id)
    if again is not None:
        return _as_before(again)
    results, aside = set_aside_older(connection, results, saved, study_id)
    if not results:
        return _nothing_new(aside, held.cut_names(connection, study_id or 0)[-1])
    known = read_known(connection, study_id)
    delivery = check_delivery(results, saved, known, studyid)
    plan = _planned(delivery, connection, study_id)
    words = f"; {studyid!r} would be a new study" * (study_id is None)
    return _with_aside(_would_do(delivery, plan, words), aside)


def _planned(delivery: Delivery, connection: Connection | None, study_id: int | None) -> Plan:
    """What the delivery would change, refused when a file of it is probably cut."""
    plan = make_plan(delivery, connection, study_id)
    require_whole_files(delivery, plan)
    delivery.findings += [(None, one) for one in retirement_findings(plan)]
    delivery.findings += [(None, one) for one in older_content_findings(plan)]
    return plan


def _would_do(delivery: Delivery, plan: Plan, words: str = "") -> LoadResult:
    message = f"dry run: nothing was written{words}"
    return _result(delivery, plan, account(delivery, plan), None, message, False)


def _load(
    engine: Engine,
    results: Sequence[ReadResult],
    saved: SavedProfile,
    facts: LoadFacts,
    tell: Progress,
    name: str | None,
) -> LoadResult:
    studyid = facts.studyid
    tell(0.3, "checking records")
    with reading(engine) as connection:
        loads.require_kind(connection, studyid, synthetic=facts.synthetic)
        study_id = held.study_id_of(connection, studyid)
        again = loaded_before(connection, results, saved, study_id)
        if again is not None:
            return _as_before(again)
        results, aside = set_aside_older(connection, results, saved, study_id)
        if not results:
            return _nothing_new(aside, held.cut_names(connection, study_id or 0)[-1])
        known = read_known(connection, study_id)
        before = known.references
        delivery = check_delivery(results, saved, known, studyid)
        plan = _planned(delivery, connection, study_id)
        accounts = account(delivery, plan)
        if plan.is_empty and all_known(connection, results, saved, study_id):
            cut = held.cut_names(connection, study_id or 0)[-1]
            same = _result(delivery, plan, accounts, cut, unchanged(cut), False)
            return _with_aside(same, aside)
        delivery.findings += [(None, one.finding) for one in aside]
    tell(0.55, "writing")
    is_new = study_id is None
    with engine.begin() as connection:
        study_id, load_id = open_load(connection, delivery, facts)
        cut = _cut_name(connection, study_id, name)
        file_ids = write_files(connection, accounts, study_id, load_id)
        write_records(connection, delivery, plan, study_id, load_id, file_ids, tell)
        redated = redate(connection, study_id, load_id, before, known.references)
        message = f"new study {studyid!r}; " if is_new else ""
        message += f"loaded into data cut {cut!r}"
        if redated:
            message += f"; new days from infusion for {count(redated, 'earlier record')}"
        close_load(connection, delivery, load_id, file_ids, _now(), message)
        loads.insert_cut(connection, study_id, cut, load_id, _now())
    tell(1.0, "done")
    done = _result(delivery, plan, accounts, cut, message, True)
    return replace(done, files=(*done.files, *(one.account for one in aside)))


def _with_aside(result: LoadResult, aside: Sequence[SetAside]) -> LoadResult:
    """The result with the files that were set aside, and the word about each."""
    said = [
        {
            "file": one.account.path,
            "severity": one.finding.severity,
            "code": one.finding.code,
            "column_name": None,
            "count": one.finding.count,
            "message": one.finding.message,
        }
        for one in aside
    ]
    return replace(
        result,
        files=(*result.files, *(one.account for one in aside)),
        findings=(*result.findings, *said),
    )


def _nothing_new(aside: Sequence[SetAside], cut: str) -> LoadResult:
    """The result where every file is older than what is stored."""
    return _with_aside(LoadResult((), (), (), cut, unchanged(cut), False), aside)


def _as_before(again: Earlier) -> LoadResult:
    return LoadResult(
        again.accounts,
        again.refused,
        (),
        again.cut,
        again.message(),
        False,
        overtaken=again.overtaken,
    )


def _result(
    delivery: Delivery,
    plan: Plan,
    accounts: Sequence[FileAccount],
    cut: str | None,
    message: str,
    changed: bool,
) -> LoadResult:
    paths = [one.path for one in accounts]
    findings = finding_rows(delivery).with_columns(
        pl.col("file").replace_strict(
            list(range(len(paths))), paths, default=None, return_dtype=pl.String
        )
    )
    refused = refused_json(refused_rows(delivery), paths)
    return LoadResult(
        tuple(accounts),
        tuple(refused),
        tuple(findings.to_dicts()),
        cut,
        message,
        changed,
        superseded=plan.superseded,
        retired=plan.retired,
    )


def _cut_name(connection: Connection, study_id: int, name: str | None) -> str:
    """The name asked for, or the date with a counter."""
    taken = set(held.cut_names(connection, study_id))
    if name is not None:
        if name in taken:
            raise UserError(f"data cut {name!r} exists already; choose another name")
        return name
    day = _now().date().isoformat()
    number = 1
    while f"{day}.{number}" in taken:
        number += 1
    return f"{day}.{number}"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _program_version() -> str:
    try:
        return version("cartograph")
    except PackageNotFoundError:
        return "0"
