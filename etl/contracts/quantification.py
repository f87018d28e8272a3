"""Incoming quantifications: one number per scan, region, metric, reader and method."""

import dataframely as dy
import polars as pl

from etl.contracts.contract import MEASURED, SUBJECT, Contract, Field, MeasuredRow
from etl.contracts.scan import DECAY_STATE_WORDS, DECAY_STATES


class QuantificationRow(MeasuredRow):
    scan_code = dy.String(min_length=1)
    region_code = dy.String(min_length=1)
    metric = dy.String(min_length=1)
    decay_state = dy.String(check=lambda col: col.is_in(list(DECAY_STATES)))

    @dy.rule()
    def value__not_negative(cls) -> pl.Expr:
        return (cls.value.col.is_null() | (cls.value.col >= 0)) & (
            cls.lower.col.is_null() | (cls.lower.col >= 0)
        )


CONTRACT = Contract(
    name="quantification",
    title="Quantifications",
    fields=(
        *SUBJECT,
        Field("scan_code", note="the scan it was measured in", required=True),
        Field("region_code", note="the region it was measured in", required=True),
        Field("metric", note="suv_mean, suv_max, mtv_ml ...", required=True),
        *MEASURED,
        Field("lloq", "number", "limit of the method, in the unit of the value"),
        Field("uloq", "number", "upper limit, in the unit of the value"),
        Field("method", note="threshold or method of the region"),
        Field("reader", note="who or what measured"),
        Field("decay_state", "code", "that of the scan when absent", words=DECAY_STATE_WORDS),
    ),
    key=("usubjid", "scan_code", "region_code", "metric", "reader", "method"),
    content=("value",),
    schema=QuantificationRow,
    measured=True,
)
