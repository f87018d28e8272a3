"""Incoming scans: one row per subject and scan."""

import dataframely as dy
import polars as pl

from etl.contracts.contract import SUBJECT, TIME, Contract, Field, TimedRow

DECAY_STATE_WORDS = {
    "NONE": "none", "SCAN_START": "scan_start", "START": "scan_start",
    "TRACER_INJECTION": "tracer_injection", "ADMIN": "tracer_injection",
    "CELL_INFUSION": "cell_infusion", "UNKNOWN": "unknown",
}  # fmt: skip
DECAY_STATES = tuple(dict.fromkeys(DECAY_STATE_WORDS.values()))


class ScanRow(TimedRow):
    scan_code = dy.String(min_length=1)
    decay_state = dy.String(check=lambda col: col.is_in(list(DECAY_STATES)))
    weight_kg = dy.Float64(nullable=True, min_exclusive=0, max=500)
    half_life_h = dy.Float64(nullable=True, min_exclusive=0)
    uptake_time_h = dy.Float64(nullable=True)
    evaluable = dy.Bool()
    not_evaluable_reason = dy.String(nullable=True)

    @dy.rule()
    def not_evaluable_reason__given_when_not_evaluable(cls) -> pl.Expr:
        return cls.evaluable.col == cls.not_evaluable_reason.col.is_null()


CONTRACT = Contract(
    name="scan",
    title="Scans",
    fields=(
        *SUBJECT,
        *TIME,
        Field("scan_code", note="id of the scan within the subject", required=True),
        Field("tracer_id", note="an id of the tracer registry"),
        Field("administration_no", "integer", "the tracer administration it belongs to"),
        Field("modality"),
        Field("scanner"),
        Field("uptake_time_h", "number", "hours from tracer administration to scan"),
        Field("decay_state", "code", "unknown when absent", words=DECAY_STATE_WORDS),
        Field("weight_kg", "number", "body weight at the scan, kg"),
        Field("half_life_h", "number", "half-life in the image header, hours"),
        Field("evaluable", "flag", "true when absent"),
        Field("not_evaluable_reason", note="required when not evaluable"),
    ),
    key=("usubjid", "scan_code"),
    content=("scan_code",),
    schema=ScanRow,
    timed=True,
)
