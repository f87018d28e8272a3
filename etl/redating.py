"""Days of records that were there before their infusion was known or corrected.

A day from infusion is computed, so it changes with the infusion. The records that a delivery does
not bring again get a new version with the new day; the old version stays visible in older cuts.
"""

import polars as pl
from sqlalchemy import Connection

from etl.contracts import CONTRACTS
from etl.contracts.contract import Contract
from etl.days import add_days
from etl.keys import content_hashes
from etl.known_study import with_local
from models import bulk, held, records
from models.tables import TABLES


def redate(
    connection: Connection, study_id: int, load_id: int, before: pl.DataFrame, after: pl.DataFrame
) -> int:
    """New versions of earlier records whose day from infusion changed; returns how many.

    `before` and `after` are `Known.references` as they were and as the delivery left them.
    """
    new = after.join(before, on=after.columns, how="anti", nulls_equal=True)["usubjid"]
    moved = pl.concat([new, before.join(after, on="usubjid", how="anti")["usubjid"]])
    if moved.is_empty():
        return 0
    versions = held.subject_versions(connection, study_id).rename({"id": "subject_id"})
    subjects = versions.filter(pl.col("usubjid").is_in(moved.implode()))
    done = 0
    for name, contract in CONTRACTS.items():
        if contract.timed:
            done += _redate_table(connection, study_id, load_id, name, contract, subjects, after)
    return done


def _redate_table(
    connection: Connection,
    study_id: int,
    load_id: int,
    name: str,
    contract: Contract,
    subjects: pl.DataFrame,
    references: pl.DataFrame,
) -> int:
    rows = held.current_records(connection, name, study_id, subjects["subject_id"])
    rows = rows.filter((pl.col("loaded_in") < load_id) & pl.col("dtm_text").is_not_null())
    if rows.is_empty():
        return 0
    rows = rows.join(subjects, on="subject_id", how="left")
    rows = rows.with_columns(pl.col("rel_day").alias("_was"))
    if contract.interval:
        rows = rows.with_columns(
            pl.col("end_rel_day").alias("_end_was"), pl.col("tz").alias("_end_dtm_tz")
        )
        rows = with_local(rows, "end_dtm", "tz")
    fresh = add_days(_without_computed(with_local(rows, "dtm", "tz")), contract, references)
    changed = ~pl.col("rel_day").eq_missing(pl.col("_was"))
    if contract.interval:
        changed = changed | ~pl.col("end_rel_day").eq_missing(pl.col("_end_was"))
    fresh = fresh.filter(changed)
    if fresh.is_empty():
        return 0
    records.supersede(connection, name, fresh["id"], load_id)
    fresh = fresh.with_columns(pl.lit(load_id).alias("loaded_in"))
    fresh = fresh.with_columns(_content(connection, fresh, contract, study_id))
    columns = [c.name for c in TABLES[name].c if c.name != "id"]
    bulk.insert_frame(connection, name, bulk.with_ids(connection, name, fresh.select(columns)))
    return fresh.height


def _without_computed(frame: pl.DataFrame) -> pl.DataFrame:
    """Only days that the source delivered are kept; computed ones are computed again."""
    delivered = pl.col("rel_day_source") == "delivered"
    frame = frame.with_columns(pl.when(delivered).then("rel_day").alias("rel_day"))
    if "end_rel_day" in frame.columns:
        dated = pl.col("end_dtm_text").is_not_null()
        frame = frame.with_columns(pl.when(~dated).then("end_rel_day").alias("end_rel_day"))
    return frame


def _content(
    connection: Connection, frame: pl.DataFrame, contract: Contract, study_id: int
) -> pl.Series:
    """The content hash as a delivery would make it: codes in the place of ids."""
    coded = frame
    for column, table, code in (
        ("product_id", "product", "product"),
        ("tracer_administration_id", "tracer_administration", "administration_no"),
        ("infusion_id", "infusion", "infusion_no"),
        ("region_id", "region", "region_code"),
        ("scan_id", "scan", "scan_code"),
    ):
        if column in coded.columns and code in contract.field_names and code not in coded.columns:
            names = held.all_codes(
                connection, table, study_id, "name" if table == "product" else code
            )
            names = names.rename({"id": column, names.columns[1]: code})
            coded = coded.join(names, on=column, how="left", maintain_order="left")
    return content_hashes(coded, contract)
