"""What is already there: the subjects, infusions, scans and regions of a study that a delivery
may refer to, from the database and from the delivery itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

IMPLIED = "(implied)"
"""Column text of subjects, scans and regions made from records that name them."""

SUBJECTS = {"usubjid": pl.String, "subjid": pl.String, "implied": pl.Boolean}
REFERENCES = {
    "usubjid": pl.String,
    "reference_utc": pl.Datetime("us"),
    "reference_date": pl.Date,
    "reference_precision": pl.String,
    "reference_zoned": pl.Boolean,
}
SCANS = {"usubjid": pl.String, "scan_code": pl.String, "scan_decay_state": pl.String}
REGIONS = {"usubjid": pl.String, "region_code": pl.String, "implied": pl.Boolean}
ADMINISTRATIONS = {
    "usubjid": pl.String, "tracer_id": pl.String, "administration_no": pl.Int64,
}  # fmt: skip
INFUSIONS = {"usubjid": pl.String, "infusion_no": pl.Int64}


def _empty(schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)


@dataclass
class Known:
    """Codes that records may refer to; one row per code, the delivery's own rows win.

    `references`: per subject the moment from which days are counted (first infusion).
    """

    subjects: pl.DataFrame = field(default_factory=lambda: _empty(SUBJECTS))
    references: pl.DataFrame = field(default_factory=lambda: _empty(REFERENCES))
    scans: pl.DataFrame = field(default_factory=lambda: _empty(SCANS))
    regions: pl.DataFrame = field(default_factory=lambda: _empty(REGIONS))
    administrations: pl.DataFrame = field(default_factory=lambda: _empty(ADMINISTRATIONS))
    infusions: pl.DataFrame = field(default_factory=lambda: _empty(INFUSIONS))
    tracers: frozenset[str] = frozenset()
    subjects_delivered: bool = False
    """Whether this delivery holds a list of subjects, even one whose every row is refused."""

    def learn(self, name: str, rows: pl.DataFrame, key: tuple[str, ...]) -> None:
        """Adds rows of the delivery to what is known; they replace rows of the same key."""
        before = getattr(self, name)
        fresh = rows.select(before.columns).unique(subset=key, keep="first", maintain_order=True)
        kept = before.join(fresh, on=list(key), how="anti")
        setattr(self, name, pl.concat([kept, fresh.cast(dict(before.schema))]))

    def forget(self, name: str, delivered: pl.DataFrame, key: tuple[str, ...]) -> None:
        """A full list is all there is: what it leaves out may no longer be referred to, unless it
        stood in no list before."""
        before = getattr(self, name)
        kept = before.join(delivered.select(key), on=list(key), how="semi")
        if "implied" in before.columns:
            others = before.join(kept.select(key), on=list(key), how="anti")
            kept = pl.concat([kept, others.filter("implied")])
        setattr(self, name, kept)

    @property
    def has_subject_list(self) -> bool:
        """Whether somebody has delivered subjects: then an unknown one is an error."""
        return self.subjects_delivered or bool((~self.subjects["implied"]).any())
