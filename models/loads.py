"""Writing where records come from: studies, loads, files, refused rows, findings, data cuts.

All functions take a connection and never commit: the caller's transaction holds a whole load,
so that nothing is ever half written.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, insert, select, update

from models.bulk import insert_frame, next_id
from models.clock import utc_now
from models.errors import StudyKindError
from models.frames import read_frame
from models.provenance import DataCut, Load
from models.study import Study
from models.tables import TABLES


def ensure_study(
    connection: Connection, studyid: str, values: Mapping[str, Any], *, synthetic: bool = False
) -> int:
    """The id of the study; it is made when it is new. Values that are not None are written.

    Unless said otherwise the day of infusion is day 0. Whether a study is synthetic is said when
    it is made and never changes: the demo shows synthetic studies without a login.

    Raises StudyKindError when the study is there and of the other kind.
    """
    if "is_synthetic" in values:
        raise ValueError("is_synthetic is no value of a study: say it by the argument `synthetic`")
    given = {name: value for name, value in values.items() if value is not None}
    require_kind(connection, studyid, synthetic=synthetic)
    found = connection.scalar(select(Study.id).where(Study.studyid == studyid))
    if found is None:
        row = {"infusion_day_label": 0, **given, "studyid": studyid, "is_synthetic": synthetic}
        return _inserted(connection, Study, row)
    if given:
        connection.execute(update(Study).where(Study.id == found).values(given))
    return int(found)


def require_kind(connection: Connection, studyid: str, *, synthetic: bool) -> None:
    """Raises StudyKindError when the study is there and is not of this kind."""
    is_synthetic = connection.scalar(select(Study.is_synthetic).where(Study.studyid == studyid))
    if is_synthetic is None or is_synthetic == synthetic:
        return
    raise StudyKindError(
        f"study {studyid!r} holds invented patients and is shown without a login; other files "
        "cannot be loaded into it: choose another study"
        if is_synthetic
        else f"study {studyid!r} is not synthetic; invented patients cannot be loaded into it: "
        "choose another study or database"
    )


def ensure_names(
    connection: Connection, table: str, study_id: int, names: Iterable[str]
) -> pl.DataFrame:
    """id and name of all sites or products of a study, after the missing ones were made."""
    target = TABLES[table]
    code = target.c[{"site": "siteid", "product": "name"}[table]]
    query = select(target).where(target.c.study_id == study_id).order_by(target.c.id)
    known = read_frame(connection, [target.c.id, code], query).rename({code.name: "name"})
    if missing := sorted(set(names) - set(known["name"])):
        rows = [{"study_id": study_id, code.name: name} for name in missing]
        connection.execute(insert(target), rows)
        return ensure_names(connection, table, study_id, ())
    return known


def subject_versions(connection: Connection, study_id: int) -> pl.DataFrame:
    """id and usubjid of every version of every subject, current or not."""
    subject = TABLES["subject"]
    query = select(subject).where(subject.c.study_id == study_id)
    return read_frame(connection, [subject.c.id, subject.c.usubjid], query)


def add_load(connection: Connection, row: Mapping[str, Any]) -> int:
    """A new load, by the columns of its table; its id is what records and cuts refer to."""
    return _inserted(connection, Load, {"status": "running", "started_at": utc_now(), **row})


def finish_load(
    connection: Connection,
    load_id: int,
    finished_at: datetime | None = None,
    message: str | None = None,
    status: str = "done",
) -> None:
    values = {"status": status, "message": message, "finished_at": finished_at or utc_now()}
    connection.execute(update(Load).where(Load.id == load_id).values(values))


def insert_refused(connection: Connection, frame: pl.DataFrame) -> int:
    """Rows of `refused_row` without their ids."""
    return _insert_numbered(connection, "refused_row", frame)


def insert_findings(connection: Connection, frame: pl.DataFrame) -> int:
    """Rows of `finding` without their ids."""
    return _insert_numbered(connection, "finding", frame)


def insert_cut(
    connection: Connection, study_id: int, name: str, load_id: int, at: datetime | None = None
) -> int:
    """Name the state of the study after a load. A name that is taken raises IntegrityError."""
    row = {"study_id": study_id, "name": name, "load_id": load_id, "created_at": at or utc_now()}
    return _inserted(connection, DataCut, row)


def _insert_numbered(connection: Connection, table: str, frame: pl.DataFrame) -> int:
    first = next_id(connection, table, frame.height)
    ids = pl.int_range(first, first + frame.height, dtype=pl.Int64)
    return insert_frame(connection, table, frame.with_columns(id=ids))


def _inserted(connection: Connection, model: Any, row: Mapping[str, Any]) -> int:
    key = connection.scalar(insert(model).returning(model.id), dict(row))
    assert key is not None
    return int(key)
