"""Incoming interventions: what was given besides the product, one row each."""

import dataframely as dy
import polars as pl

from etl.contracts.contract import END, SUBJECT, TIME, Contract, Field, TimedRow

CLASSES = (
    "lymphodepletion", "bridging", "tocilizumab", "corticosteroid", "anakinra", "transplant",
    "anticancer", "other",
)  # fmt: skip
CLASS_WORDS = {
    **{name.upper(): name for name in CLASSES},
    "TOCI": "tocilizumab", "STEROID": "corticosteroid", "STEROIDS": "corticosteroid",
    "CORTICOSTEROIDS": "corticosteroid", "HCT": "transplant", "HSCT": "transplant",
}  # fmt: skip
DRUGS = (
    ("tocilizumab", "tocilizumab|actemra|roactemra"),
    ("anakinra", "anakinra|kineret"),
    ("corticosteroid", "dexamethasone|methylprednisolone|prednisolone|prednisone|hydrocortisone"),
    ("lymphodepletion", "fludarabine|cyclophosphamide|bendamustine"),
    ("transplant", "transplant"),
)
"""Drug words by which a class is set when none is delivered (stated in docs/profiles.md)."""


class InterventionRow(TimedRow):
    intervention_no = dy.Int64(min=1)
    term = dy.String(min_length=1)
    intervention_class = dy.String(check=lambda col: col.is_in(list(CLASSES)))
    dose = dy.Float64(nullable=True, min=0)
    end_rel_day = dy.Float64(nullable=True)

    @dy.rule()
    def end_dtm__not_before_start(cls) -> pl.Expr:
        return (
            cls.rel_day.col.is_null()
            | cls.end_rel_day.col.is_null()
            | (cls.end_rel_day.col.floor() >= cls.rel_day.col.floor())
        )


CONTRACT = Contract(
    name="intervention",
    title="Interventions",
    fields=(
        *SUBJECT,
        *TIME,
        *END,
        Field("intervention_no", "integer", "counted per subject when absent"),
        Field("term", note="drug or measure as reported", required=True),
        Field("intervention_class", "code", "from the term when absent", words=CLASS_WORDS),
        Field("dose", "number"),
        Field("dose_unit"),
        Field("indication"),
    ),
    key=("usubjid", "intervention_no"),
    content=("term",),
    schema=InterventionRow,
    timed=True,
    interval=True,
)
