"""Incoming lesion measurements: one row per subject, region, metric, time, reader and method."""

import dataframely as dy
import polars as pl

from etl.contracts.contract import (
    MEASURED,
    SUBJECT,
    TIME,
    Contract,
    Field,
    MeasuredRow,
    TimedRow,
)


class LesionMeasurementRow(MeasuredRow, TimedRow):
    metric = dy.String(min_length=1)

    @dy.rule()
    def value__not_negative(cls) -> pl.Expr:
        percent = cls.metric.col.str.starts_with("PC") | cls.metric.col.str.starts_with("AC")
        return percent | cls.value.col.is_null() | (cls.value.col >= 0)


CONTRACT = Contract(
    name="lesion_measurement",
    title="Lesion measurements",
    fields=(
        *SUBJECT,
        *TIME,
        Field("region_code", note="the lesion; absent for sums over lesions"),
        Field("metric", note="LDIAM, SAXIS, PERP, SUMDIAM, mtv_ml, TUMSTATE ...", required=True),
        *MEASURED,
        Field("state", note="a state in words, when there is no number"),
        Field("method", note="CT SCAN, PET/CT SCAN ..."),
        Field("reader", note="who measured"),
    ),
    key=("usubjid", "region_code", "metric", "time", "reader", "method"),
    content=("value", "state"),
    schema=LesionMeasurementRow,
    timed=True,
    measured=True,
)
