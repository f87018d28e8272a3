"""Incoming cellular kinetics: one row per subject, analyte, assay, matrix, time and replicate."""

import dataframely as dy
import polars as pl

from etl.contracts.contract import (
    ASSAY_WORDS,
    MATRIX_WORDS,
    MEASURED,
    SUBJECT,
    TIME,
    Contract,
    Field,
    MeasuredRow,
    TimedRow,
)


class KineticsSampleRow(MeasuredRow, TimedRow):
    analyte = dy.String(min_length=1)
    assay = dy.String(check=lambda col: col.is_in(["qPCR", "ddPCR", "flow"]))
    matrix = dy.String(check=lambda col: col.is_in(["BLOOD", "MARROW", "CSF", "TISSUE"]))
    lloq = dy.Float64(nullable=True, min=0)
    uloq = dy.Float64(nullable=True, min=0)
    lod = dy.Float64(nullable=True, min=0)
    replicate = dy.Int64(min=1)

    @dy.rule()
    def value__not_negative(cls) -> pl.Expr:
        return (cls.value.col.is_null() | (cls.value.col >= 0)) & (
            cls.lower.col.is_null() | (cls.lower.col >= 0)
        )


CONTRACT = Contract(
    name="kinetics_sample",
    title="Cellular kinetics",
    fields=(
        *SUBJECT,
        *TIME,
        Field("analyte", note="CARTG (transgene), CARFLOW (CAR-positive cells)", required=True),
        Field("assay", "code", "qPCR, ddPCR or flow", required=True, words=ASSAY_WORDS),
        Field("matrix", "code", "BLOOD (when absent), MARROW, CSF, TISSUE", words=MATRIX_WORDS),
        *MEASURED,
        Field("lloq", "number", "lower limit of quantification of this sample"),
        Field("uloq", "number", "upper limit of quantification of this sample"),
        Field("lod", "number", "limit of detection of this sample"),
        Field("replicate", "integer", "1 when absent"),
    ),
    key=("usubjid", "analyte", "assay", "matrix", "time", "replicate"),
    content=("value",),
    schema=KineticsSampleRow,
    timed=True,
    measured=True,
    limits=("lloq", "uloq", "lod"),
)
