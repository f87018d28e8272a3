"""Checked records into the database, in the caller's one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from sqlalchemy import Connection

from etl.accounting import FileAccount, finding_rows
from etl.contracts import CONTRACT_VERSION, CONTRACTS
from etl.contracts.contract import Contract
from etl.delivery import Delivery
from etl.keys import content_columns
from etl.plan import Plan, TablePlan
from etl.refusals import refused_rows
from models import bulk, held, loads, records
from models.audit import insert_audit
from models.tables import TABLES

CODES = {
    "site_id": ("site", "siteid"),
    "product_id": ("product", "product"),
}
"""Columns of ids whose names are made where they are new."""

PARENTS = {
    "tracer_administration_id": (
        "tracer_administration", ("subject_id", "tracer_id", "administration_no"),
    ),
    "infusion_id": ("infusion", ("subject_id", "infusion_no")),
    "scan_id": ("scan", ("subject_id", "scan_code")),
    "region_id": ("region", ("subject_id", "region_code")),
}  # fmt: skip


@dataclass(frozen=True)
class LoadFacts:
    """What is written about the load itself."""

    studyid: str
    actor: str
    program_version: str
    started_at: datetime
    synthetic: bool = False


def open_load(connection: Connection, delivery: Delivery, facts: LoadFacts) -> tuple[int, int]:
    """The study (made when new) and the load's row; returns their ids."""
    saved = delivery.saved
    known_facts = saved.profile.study.model_dump(exclude_unset=True)
    study_id = loads.ensure_study(connection, facts.studyid, known_facts, synthetic=facts.synthetic)
    row = {
        "study_id": study_id,
        "started_at": facts.started_at,
        "actor": facts.actor,
        "profile_name": saved.profile.name,
        "profile_hash": saved.hash,
        "profile_text": saved.text,
        "contract_version": CONTRACT_VERSION,
        "program_version": facts.program_version,
        "delivery": saved.profile.delivery,
    }
    load_id = loads.add_load(connection, row)
    insert_audit(
        connection,
        facts.actor,
        "load",
        table_name="load",
        key=load_id,
        after={"study": facts.studyid, "profile": saved.profile.name, "profile_hash": saved.hash},
    )
    return study_id, load_id


def write_files(
    connection: Connection, accounts: list[FileAccount], study_id: int, load_id: int
) -> list[int]:
    """One row per file with its counts; returns their ids in the order of the files."""
    frame = pl.DataFrame([account.row() for account in accounts]).with_columns(
        pl.lit(study_id).alias("study_id"), pl.lit(load_id).alias("load_id")
    )
    first = bulk.next_id(connection, "source_file", frame.height)
    ids = list(range(first, first + frame.height))
    bulk.insert_frame(connection, "source_file", frame.with_columns(pl.Series("id", ids)))
    return ids


def write_records(
    connection: Connection,
    delivery: Delivery,
    plan: Plan,
    study_id: int,
    load_id: int,
    file_ids: list[int],
    progress: Callable[[float, str], None],
) -> None:
    """Supersedes what is corrected or vanished and inserts what is new, table by table."""
    places = pl.DataFrame(
        {
            "_part": pl.Series(range(len(delivery.parts)), dtype=pl.UInt32),
            "source_file_id": [file_ids[part.file] for part in delivery.parts],
            "source_sheet": [part.sheet for part in delivery.parts],
        },
        schema_overrides={"source_file_id": pl.Int64, "source_sheet": pl.String},
    )
    for number, (name, table) in enumerate(plan.tables.items()):
        progress(0.6 + 0.35 * number / len(plan.tables), f"writing {name}")
        records.supersede(connection, name, table.corrected["id"], load_id)
        records.supersede(connection, name, table.retired, load_id)
        if table.insert.is_empty():
            continue
        frame = _stored(connection, CONTRACTS[name], table, study_id)
        frame = frame.join(places, on="_part", how="left", maintain_order="left")
        constants = {"study_id": study_id, "loaded_in": load_id, **CONTRACTS[name].constants}
        frame = frame.with_columns(pl.lit(value).alias(key) for key, value in constants.items())
        columns = [column for column in frame.columns if column in TABLES[name].c]
        bulk.insert_frame(connection, name, bulk.with_ids(connection, name, frame.select(columns)))


def _stored(
    connection: Connection, contract: Contract, table: TablePlan, study_id: int
) -> pl.DataFrame:
    """The rows as the table has them: codes to ids, lineage by its names."""
    frame = table.insert
    if contract.name != "subject":
        subjects = records.current_codes(connection, "subject", study_id, "usubjid")
        frame = _with_id(frame, subjects, "subject_id", ("usubjid",))
    for column, (parent, code) in CODES.items():
        if code in frame.columns and column in TABLES[contract.name].c:
            names = frame[code].drop_nulls().unique().sort()
            known = loads.ensure_names(connection, parent, study_id, names)
            frame = _with_id(frame, known.rename({"name": code}), column, (code,))
    for column, (parent, keys) in PARENTS.items():
        if column in TABLES[contract.name].c:
            frame = _with_parent(connection, frame, study_id, column, parent, keys)
    renamed: Mapping[str, str] = {
        "_row": "source_row",
        "_column": "source_column",
        "_raw": "raw_text",
        "_raw_unit": "raw_unit",
    }
    frame = frame.rename({old: new for old, new in renamed.items() if old in frame.columns})
    kept = {"usubjid", "subjid", *content_columns(contract), *renamed.values(), *_OWN}
    kept |= {column for column in frame.columns if column.endswith("_id")}
    return frame.select(column for column in frame.columns if column in kept)


_OWN = ("record_key", "content_hash", "_part", "lloq", "uloq", "lod")


def _with_id(
    frame: pl.DataFrame, codes: pl.DataFrame, column: str, keys: tuple[str, ...]
) -> pl.DataFrame:
    return frame.join(
        codes.rename({"id": column}), on=list(keys), how="left", maintain_order="left"
    )


def _with_parent(
    connection: Connection,
    frame: pl.DataFrame,
    study_id: int,
    column: str,
    parent: str,
    keys: tuple[str, ...],
) -> pl.DataFrame:
    """The id of the current version of a parent record, found by its code within the subject.

    A parent may still belong to an earlier version of its subject: subjects are matched by code.
    """
    if any(key not in frame.columns and key != "subject_id" for key in keys):
        return frame.with_columns(pl.lit(None, pl.Int64).alias(column))
    codes = records.current_codes(connection, parent, study_id, *keys)
    versions = held.subject_versions(connection, study_id).rename({"id": "subject_id"})
    codes = codes.join(versions, on="subject_id", how="inner").drop("subject_id")
    codes = codes.rename({"id": column})
    on = ["usubjid" if key == "subject_id" else key for key in keys]
    return frame.join(codes, on=on, how="left", maintain_order="left")


def close_load(
    connection: Connection,
    delivery: Delivery,
    load_id: int,
    file_ids: list[int],
    finished_at: datetime,
    message: str,
) -> None:
    """Refused rows, findings and the end of the load."""
    for insert, table, frame in (
        (loads.insert_refused, "refused_row", refused_rows(delivery)),
        (loads.insert_findings, "finding", finding_rows(delivery)),
    ):
        if frame.is_empty():
            continue
        ids = [None if number is None else file_ids[number] for number in frame["file"]]
        rows = frame.with_columns(
            pl.Series("source_file_id", ids, dtype=pl.Int64), pl.lit(load_id).alias("load_id")
        )
        insert(connection, rows.select(name for name in rows.columns if name in TABLES[table].c))
    loads.finish_load(connection, load_id, finished_at, message)
