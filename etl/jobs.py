"""The load: export files into the database in one transaction, all of it or nothing.

Idempotent by study, file hash, profile hash and contract version. Every load that changes
something, or that brings a file not seen before, ends in a named data cut.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, Engine

from analysis.errors import UserError
from analysis.number_words import count
from analysis.tracers import TRACERS
from etl.accounting import FileAccount, account
from etl.delivery import Delivery, check_delivery
from etl.guard import ReadResult, read_guarded
from etl.half_file import require_whole_files
from etl.known import Known
from etl.known_study import read_known
from etl.load_result import LoadResult, as_before, nothing_new, result_of, with_aside
from etl.loaded_before import all_known, loaded_before, unchanged
from etl.older_content import SetAside, older_content_findings, set_aside_older
from etl.plan import Plan, make_plan
from etl.profiles import SavedProfile, load_profile
from etl.profiles.guess import guess_profile
from etl.redating import redate
from etl.retirement import retirement_findings
from etl.source_files import open_sources, require_paths
from etl.study_id import require_study_id
from etl.unread import require_readable
from etl.writing import LoadFacts, close_load, open_load, write_files, write_records
from models import bulk, held, loads
from models.engine import reading

Progress = Callable[[float, str], None]


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


@dataclass(frozen=True)
class _Checked:
    """A delivery held against what the study has. `before`: the days from which the study's records
    count, as they were before the delivery."""

    study_id: int | None
    delivery: Delivery
    plan: Plan
    known: Known
    before: pl.DataFrame
    aside: tuple[SetAside, ...]


def _checked(
    connection: Connection, results: Sequence[ReadResult], saved: SavedProfile, studyid: str
) -> _Checked | LoadResult:
    """The delivery with its plan; the result where no file of it is to be looked at again."""
    study_id = held.study_id_of(connection, studyid)
    again = loaded_before(connection, results, saved, study_id)
    if again is not None:
        return as_before(again)
    kept, aside = set_aside_older(connection, results, saved, study_id)
    if not kept:
        return nothing_new(aside, held.cut_names(connection, study_id or 0)[-1])
    known = read_known(connection, study_id)
    before = known.references
    delivery = check_delivery(kept, saved, known, studyid)
    plan = _planned(delivery, connection, study_id)
    return _Checked(study_id, delivery, plan, known, before, aside)


def _check_against(
    connection: Connection, results: Sequence[ReadResult], saved: SavedProfile, studyid: str
) -> LoadResult:
    checked = _checked(connection, results, saved, studyid)
    if isinstance(checked, LoadResult):
        return checked
    words = f"; {studyid!r} would be a new study" * (checked.study_id is None)
    return with_aside(_would_do(checked.delivery, checked.plan, words), checked.aside)


def _planned(delivery: Delivery, connection: Connection | None, study_id: int | None) -> Plan:
    """What the delivery would change, refused when a file of it is probably cut."""
    plan = make_plan(delivery, connection, study_id)
    require_whole_files(delivery, plan)
    delivery.findings += [(None, one) for one in retirement_findings(plan)]
    delivery.findings += [(None, one) for one in older_content_findings(plan)]
    return plan


def _would_do(delivery: Delivery, plan: Plan, words: str = "") -> LoadResult:
    message = f"dry run: nothing was written{words}"
    return result_of(delivery, plan, account(delivery, plan), None, message, False)


def _load(
    engine: Engine,
    results: Sequence[ReadResult],
    saved: SavedProfile,
    facts: LoadFacts,
    tell: Progress,
    name: str | None,
) -> LoadResult:
    tell(0.3, "checking records")
    with reading(engine) as connection:
        loads.require_kind(connection, facts.studyid, synthetic=facts.synthetic)
        checked = _checked(connection, results, saved, facts.studyid)
        if isinstance(checked, LoadResult):
            return checked
        delivery, plan, study_id = checked.delivery, checked.plan, checked.study_id
        accounts = account(delivery, plan)
        if plan.is_empty and all_known(connection, delivery.files, saved, study_id):
            cut = held.cut_names(connection, study_id or 0)[-1]
            same = result_of(delivery, plan, accounts, cut, unchanged(cut), False)
            return with_aside(same, checked.aside)
    delivery.findings += [(None, one.finding) for one in checked.aside]
    tell(0.55, "writing")
    cut, message = _write(engine, checked, accounts, facts, tell, name)
    tell(1.0, "done")
    done = result_of(delivery, plan, accounts, cut, message, True)
    return replace(done, files=(*done.files, *(one.account for one in checked.aside)))


def _write(
    engine: Engine,
    checked: _Checked,
    accounts: list[FileAccount],
    facts: LoadFacts,
    tell: Progress,
    name: str | None,
) -> tuple[str, str]:
    """The one transaction of a load; returns the name of its data cut and what was done."""
    delivery, plan, known = checked.delivery, checked.plan, checked.known
    with engine.begin() as connection:
        study_id, load_id = open_load(connection, delivery, facts)
        cut = _cut_name(connection, study_id, name)
        file_ids = write_files(connection, accounts, study_id, load_id)
        write_records(connection, delivery, plan, study_id, load_id, file_ids, tell)
        redated = redate(connection, study_id, load_id, checked.before, known.references)
        message = f"new study {facts.studyid!r}; " if checked.study_id is None else ""
        message += f"loaded into data cut {cut!r}"
        if redated:
            message += f"; new days from infusion for {count(redated, 'earlier record')}"
        close_load(connection, delivery, load_id, file_ids, _now(), message)
        loads.insert_cut(connection, study_id, cut, load_id, _now())
    return cut, message


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
