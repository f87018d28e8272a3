"""Incoming infusions of the cell product: one row per subject and infusion."""

import dataframely as dy
import polars as pl

from etl.contracts.contract import SUBJECT, TIME, Contract, Field, TimedRow

LEAST_CELLS, LEAST_CELLS_PER_KG = 1000.0, 100.0
"""No product is dosed so low: a smaller number is one of millions of cells, or of bags."""


class InfusionRow(TimedRow):
    infusion_no = dy.Int64(min=1, max=1000)
    dose_cells = dy.Float64(nullable=True)
    dose_cells_per_kg = dy.Float64(nullable=True)
    viability_percent = dy.Float64(nullable=True, min=0, max=100)
    transduced_percent = dy.Float64(nullable=True, min=0, max=100)
    vector_copy_number = dy.Float64(nullable=True, min=0)
    label_activity_mbq = dy.Float64(nullable=True, min_exclusive=0)
    labelled = dy.Bool()
    label_dtm_text = dy.String(nullable=True)
    tracer_id = dy.String(nullable=True)

    @dy.rule()
    def dose_cells__dose_too_low(cls) -> pl.Expr:
        return (cls.dose_cells.col >= LEAST_CELLS).fill_null(True)

    @dy.rule()
    def dose_cells_per_kg__dose_too_low(cls) -> pl.Expr:
        return (cls.dose_cells_per_kg.col >= LEAST_CELLS_PER_KG).fill_null(True)

    @dy.rule()
    def label_activity_mbq__labelled_has_activity_and_time(cls) -> pl.Expr:
        complete = cls.label_activity_mbq.col.is_not_null() & cls.label_dtm_text.col.is_not_null()
        return ~cls.labelled.col | complete

    @dy.rule()
    def tracer_id__label_only_when_labelled(cls) -> pl.Expr:
        return cls.labelled.col | (
            cls.tracer_id.col.is_null() & cls.label_activity_mbq.col.is_null()
        )


CONTRACT = Contract(
    name="infusion",
    title="Infusions of the cell product",
    fields=(
        *SUBJECT,
        *TIME,
        Field("infusion_no", "integer", "1 for the first infusion; counted by time when absent"),
        Field("product", note="name of the cell product"),
        Field(
            "dose_cells", "number", "cells given, in `dose_unit`; plain cells when that is absent"
        ),
        Field("dose_unit", note="cells, 10^6 cells, 10^6 cells/kg ... as delivered"),
        Field("dose_cells_per_kg", "number", "cells per kg body weight"),
        Field("viability_percent", "number"),
        Field("transduced_percent", "number"),
        Field("vector_copy_number", "number", "vector copies per cell"),
        Field("lot"),
        Field("route"),
        Field("labelled", "flag", "the cells carried a direct label; false when absent"),
        Field("tracer_id", note="direct label, an id of the tracer registry"),
        Field("label_activity_mbq", "number", "activity of the label, MBq"),
        Field("label_dtm", note="instant the activity refers to"),
    ),
    key=("usubjid", "infusion_no"),
    content=("dtm", "rel_day", "dose_cells", "dose_cells_per_kg", "product", "lot"),
    schema=InfusionRow,
    timed=True,
)
