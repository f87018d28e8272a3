"""What the database holds of a study, as far as a delivery may refer to it."""

import polars as pl
from sqlalchemy import Connection

from etl.contracts.times import INSTANT, OFFSET
from etl.days import references_of
from etl.delivery import REFERENCE_START, reference_starts
from etl.known import IMPLIED, Known
from models import held, records


def read_known(connection: Connection, study_id: int | None) -> Known:
    """Subjects, infusions, scans, regions and administrations of the study, current versions."""
    known = Known(tracers=held.tracer_ids(connection))
    if study_id is None:
        return known
    versions = held.subject_versions(connection, study_id).rename({"id": "subject_id"})

    def codes(table: str, *columns: str) -> pl.DataFrame:
        found = records.current_codes(connection, table, study_id, "subject_id", *columns)
        return found.join(versions, on="subject_id", how="inner")

    subjects = records.current_codes(
        connection, "subject", study_id, "usubjid", "subjid", "source_column"
    )
    known.learn("subjects", subjects.with_columns(_implied()), ("usubjid",))
    times = ("dtm_utc", "tz", "dtm_precision")
    infusions = codes("infusion", "infusion_no", *times)
    known.learn("infusions", infusions, ("usubjid", "infusion_no"))
    starts = codes("subject_characteristic", "paramcd", "value_text")
    starts = starts.filter(pl.col("paramcd") == REFERENCE_START)
    if infusions.is_empty():
        known.learn("references", reference_starts(starts), ("usubjid",))
    references = references_of(with_local(infusions, "dtm", "tz"))
    known.learn("references", references, ("usubjid",))
    scans = codes("scan", "scan_code", "decay_state").rename({"decay_state": "scan_decay_state"})
    known.learn("scans", scans, ("usubjid", "scan_code"))
    regions = codes("region", "region_code", "source_column")
    known.learn("regions", regions.with_columns(_implied()), ("usubjid", "region_code"))
    keys = ("usubjid", "tracer_id", "administration_no")
    administrations = codes("tracer_administration", *keys[1:])
    known.learn("administrations", administrations, keys)
    return known


def _implied() -> pl.Expr:
    return (pl.col("source_column") == IMPLIED).fill_null(False).alias("implied")


def with_local(frame: pl.DataFrame, name: str, zone: str) -> pl.DataFrame:
    """Adds the local time `_{name}_local` of stored instants: UTC plus the stored zone."""
    utc = pl.col(f"{name}_utc")
    local = utc
    for text in frame[zone].drop_nulls().unique():
        match = OFFSET.match(text)
        if match:
            ahead = pl.duration(hours=int(match.group(2)), minutes=int(match.group(3)))
            there = utc + ahead if match.group(1) == "+" else utc - ahead
        elif text in {"Z", "UTC"}:
            there = utc
        else:
            aware = utc.dt.replace_time_zone("UTC").dt.convert_time_zone(text)
            there = aware.dt.replace_time_zone(None)
        timed = pl.col(f"{name}_precision").is_in(INSTANT)
        local = pl.when((pl.col(zone) == text) & timed).then(there).otherwise(local)
    return frame.with_columns(local.alias(f"_{name}_local"))
