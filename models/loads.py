"""Writing where records come from: studies, loads, files, refused rows, findings, data cuts.

All functions take a connection and never commit: the caller's transaction holds a whole load,
so that nothing is ever half written.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, insert, select, update

from models.bulk import insert_frame, next_id
from models.clock import utc_now
from models.frames import read_frame
from models.provenance import DataCut, Load
from models.study import Site, Study
from models.tables import TABLES
from models.treatment import Product


def ensure_study(connection: Connection, studyid: str, **values: Any) -> int:
    """The id of the study; it is made when it is new. `values` given (not None) are written.

    A new study is taken as real (`is_synthetic` false) and its day of infusion as day 0.
    """
    given = {name: value for name, value in values.items() if value is not None}
    found = connection.scalar(select(Study.id).where(Study.studyid == studyid))
    if found is None:
        row = {"infusion_day_label": 0, "is_synthetic": False, **given, "studyid": studyid}
        return _inserted(connection, Study, row)
    if given:
        connection.execute(update(Study).where(Study.id == found).values(given))
    return int(found)


def ensure_sites(connection: Connection, study_id: int, siteids: Iterable[str]) -> dict[str, int]:
    """Site code -> id, for the sites named; missing ones are made."""
    known = _known(connection, Site, Site.siteid, study_id)
    for siteid in sorted(set(siteids) - known.keys()):
        known[siteid] = _inserted(connection, Site, {"study_id": study_id, "siteid": siteid})
    return known


def ensure_products(
    connection: Connection, study_id: int, products: Iterable[Mapping[str, Any]]
) -> dict[str, int]:
    """Product name -> id; each mapping has `name` and may have `target` and `cell_source`."""
    known = _known(connection, Product, Product.name, study_id)
    for product in products:
        if product["name"] not in known:
            row = {"study_id": study_id, **product}
            known[product["name"]] = _inserted(connection, Product, row)
    return known


def insert_load(
    connection: Connection,
    study_id: int,
    *,
    contract_version: str,
    program_version: str,
    delivery: str = "partial",
    actor: str = "",
    profile_name: str | None = None,
    profile_hash: str | None = None,
    profile_text: str | None = None,
    status: str = "running",
    message: str | None = None,
    started_at: datetime | None = None,
) -> int:
    """A new load; its id is the number that records and cuts refer to."""
    row = {
        "study_id": study_id,
        "status": status,
        "started_at": started_at or utc_now(),
        "actor": actor,
        "profile_name": profile_name,
        "profile_hash": profile_hash,
        "profile_text": profile_text,
        "contract_version": contract_version,
        "program_version": program_version,
        "delivery": delivery,
        "message": message,
    }
    return _inserted(connection, Load, row)


def finish_load(
    connection: Connection,
    load_id: int,
    status: str = "done",
    message: str | None = None,
    at: datetime | None = None,
) -> None:
    values = {"status": status, "message": message, "finished_at": at or utc_now()}
    connection.execute(update(Load).where(Load.id == load_id).values(values))


def loaded_files(
    connection: Connection, study_id: int, profile_hash: str | None, contract_version: str
) -> pl.DataFrame:
    """Files that finished loads brought under this profile and contract: sha256, load_id.

    The same content under the same profile and contract is already there.
    """
    load, file = TABLES["load"], TABLES["source_file"]
    query = (
        select(file)
        .join(load, load.c.id == file.c.load_id)
        .where(
            load.c.study_id == study_id,
            load.c.status == "done",
            load.c.contract_version == contract_version,
            load.c.profile_hash.is_not_distinct_from(profile_hash),
        )
        .order_by(file.c.id)
    )
    return read_frame(connection, [file.c.sha256, file.c.load_id], query)


def insert_source_files(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """The ids of the files, in the order given; the accounting may be written later."""
    counts = dict.fromkeys(("rows_in", "loaded", "refused", "duplicates", "empty", "superseded"), 0)
    files = [{**counts, **row} for row in rows]
    first = next_id(connection, "source_file", len(files))
    numbered = [{"id": first + at, **file} for at, file in enumerate(files)]
    if numbered:
        connection.execute(insert(TABLES["source_file"]), numbered)
    return [first + at for at in range(len(files))]


def update_source_file(connection: Connection, file_id: int, **counts: int) -> None:
    """Write the accounting of a file: rows_in = loaded + refused + duplicates + empty."""
    table = TABLES["source_file"]
    connection.execute(update(table).where(table.c.id == file_id).values(counts))


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


def has_cut(connection: Connection, study_id: int, name: str) -> bool:
    query = select(func.count()).where(DataCut.study_id == study_id, DataCut.name == name)
    return bool(connection.scalar(query))


def _insert_numbered(connection: Connection, table: str, frame: pl.DataFrame) -> int:
    first = next_id(connection, table, frame.height)
    ids = pl.int_range(first, first + frame.height, dtype=pl.Int64)
    return insert_frame(connection, table, frame.with_columns(id=ids))


def _known(connection: Connection, model: Any, code: Any, study_id: int) -> dict[str, int]:
    rows = connection.execute(select(code, model.id).where(model.study_id == study_id))
    return {str(name): int(key) for name, key in rows}


def _inserted(connection: Connection, model: Any, row: Mapping[str, Any]) -> int:
    key = connection.scalar(insert(model).returning(model.id), dict(row))
    assert key is not None
    return int(key)
