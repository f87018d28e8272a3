"""A study as it stands in one data cut: what pages, exports and analyses read."""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Cut:
    """A data cut. `load_id` is 0 and `name` empty for a study into which nothing was loaded yet."""

    id: int
    name: str
    load_id: int
    created_at: datetime | None


@dataclass(frozen=True, eq=False)
class Trial:
    """Frames of one study in one cut; columns have the names of the tables, ids are codes.

    Every record frame starts with `usubjid` and ends with `source_file`, `source_sheet`,
    `source_row`, `source_column`, `raw_text`, `raw_unit` (where the record stood) and `loaded_in`.
    A frame without rows has all its columns. The frames from `tracers` on are not restricted to
    the cut: they are the registry and the history of the whole study.
    """

    study: Mapping[str, Any]
    cut: Cut
    subjects: pl.DataFrame
    characteristics: pl.DataFrame
    infusions: pl.DataFrame
    tracer_administrations: pl.DataFrame
    scans: pl.DataFrame
    regions: pl.DataFrame
    quantifications: pl.DataFrame
    kinetics: pl.DataFrame
    labs: pl.DataFrame
    lesions: pl.DataFrame
    responses: pl.DataFrame
    adverse_events: pl.DataFrame
    interventions: pl.DataFrame
    survival: pl.DataFrame
    tracers: pl.DataFrame
    loads: pl.DataFrame
    source_files: pl.DataFrame
    refused: pl.DataFrame
    findings: pl.DataFrame
    cuts: pl.DataFrame

    def only(self, usubjids: Collection[str]) -> "Trial":
        """The same trial with the records of these subjects alone."""
        wanted = pl.Series("usubjid", list(usubjids), dtype=pl.String)
        frames = {
            name: getattr(self, name).filter(pl.col("usubjid").is_in(wanted.implode()))
            for name in RECORD_FRAMES
        }
        return dataclasses.replace(self, **frames)


RECORD_FRAMES: dict[str, str] = {
    "subjects": "subject",
    "characteristics": "subject_characteristic",
    "infusions": "infusion",
    "tracer_administrations": "tracer_administration",
    "scans": "scan",
    "regions": "region",
    "quantifications": "quantification",
    "kinetics": "kinetics_sample",
    "labs": "laboratory_result",
    "lesions": "lesion_measurement",
    "responses": "response_assessment",
    "adverse_events": "adverse_event",
    "interventions": "intervention",
    "survival": "survival_event",
}
"""The table behind each record frame."""
