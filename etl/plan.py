"""What a checked delivery would change in the database: new, corrected and vanished records."""

from dataclasses import dataclass, field, replace

import polars as pl
from sqlalchemy import Connection

from etl.contracts import CONTRACTS
from etl.delivery import Delivery
from etl.known import IMPLIED
from etl.verdicts import DUPLICATE, LOADED
from models import records


@dataclass(frozen=True)
class TablePlan:
    """For one table: rows to insert, ids to supersede (corrected), ids to retire (vanished).

    `held`: how many current records the study has in the table before the load. `returning`: how
    many of the corrections bring a content back that an earlier load had superseded.
    """

    insert: pl.DataFrame
    corrected: pl.DataFrame
    retired: pl.Series
    held: int = 0
    returning: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return self.insert.is_empty() and self.corrected.is_empty() and self.retired.is_empty()


@dataclass
class Plan:
    """One TablePlan per table of the delivery, in the order of writing."""

    tables: dict[str, TablePlan] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether the delivery changes nothing."""
        return all(table.is_empty for table in self.tables.values())

    @property
    def superseded(self) -> int:
        """Stored records that get a new version."""
        return sum(table.corrected.height for table in self.tables.values())

    @property
    def retired(self) -> int:
        """Stored records that a full delivery no longer holds."""
        return sum(table.retired.len() for table in self.tables.values())


NOTHING = pl.DataFrame(schema={"id": pl.Int64, "record_key": pl.Int64, "content_hash": pl.Int64})


def make_plan(delivery: Delivery, connection: Connection | None, study_id: int | None) -> Plan:
    """Compares the delivery with the current records; marks unchanged ones as duplicates.

    A full delivery retires the current records of its tables that it no longer holds, except those
    that no list ever held: they stand because other records name them. A record that is refused
    now keeps the version it had: it has not vanished.
    """
    plan = Plan()
    for name in CONTRACTS:
        frame, implied = delivery.records.get(name), delivery.implied.get(name)
        if frame is None and implied is None:
            continue
        current, unlisted = NOTHING, NOTHING["id"]
        if connection is not None and study_id is not None:
            current = records.current_keys(connection, name, study_id)
            unlisted = _implied(connection, name, study_id)
        if frame is not None and not current.is_empty():
            frame = _without_unchanged(frame, current)
            delivery.records[name] = frame
        table = _table_plan(delivery, name, frame, implied, current, unlisted)
        if connection is not None and study_id is not None and not table.corrected.is_empty():
            before = records.superseded_contents(connection, name, study_id)
            corrections = table.insert.join(table.corrected, on="record_key", how="semi")
            back = corrections.join(before, on=["record_key", "content_hash"], how="semi")
            table = replace(table, returning=back.height)
        plan.tables[name] = table
    return plan


def _implied(connection: Connection, name: str, study_id: int) -> pl.Series:
    """Current records that stood in no list: a full list does not take them back."""
    if name not in ("subject", "region"):
        return NOTHING["id"]
    found = records.current_codes(connection, name, study_id, "source_column")
    return found.filter(pl.col("source_column") == IMPLIED)["id"]


def _without_unchanged(frame: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Records that the database holds with the same content are duplicates."""
    held = current.select("record_key", "content_hash", pl.lit(True).alias("_held"))
    frame = frame.join(held, on=["record_key", "content_hash"], how="left", maintain_order="left")
    unchanged = (pl.col("_verdict") == LOADED) & pl.col("_held").is_not_null()
    return frame.with_columns(
        pl.when(unchanged).then(pl.lit(DUPLICATE)).otherwise(pl.col("_verdict")).alias("_verdict"),
        unchanged.alias("_held"),
    )


def _table_plan(
    delivery: Delivery,
    name: str,
    frame: pl.DataFrame | None,
    implied: pl.DataFrame | None,
    current: pl.DataFrame,
    unlisted: pl.Series,
) -> TablePlan:
    rows = []
    keyed = []
    if frame is not None:
        rows.append(frame.filter(pl.col("_verdict") == LOADED))
        keyed.append(frame.filter(~pl.col("_empty"))["record_key"])
    if implied is not None:
        fresh = implied.join(current, on="record_key", how="anti")
        rows.append(fresh if not rows else fresh.join(rows[0], on="record_key", how="anti"))
        keyed.append(implied["record_key"])
    insert = pl.concat(rows, how="diagonal_relaxed") if len(rows) > 1 else rows[0]
    corrected = NOTHING
    retired = pl.Series("id", [], dtype=pl.Int64)
    if not current.is_empty():
        corrected = current.join(insert.select("record_key", "_part"), on="record_key", how="inner")
        if delivery.saved.profile.delivery == "full" and frame is not None:
            delivered = pl.DataFrame({"record_key": pl.concat(keyed)})
            vanished = current.join(delivered, on="record_key", how="anti")["id"]
            retired = vanished.filter(~vanished.is_in(unlisted.implode()))
    return TablePlan(insert, corrected, retired, current.height)
