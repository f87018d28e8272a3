"""Incoming adverse events: one row per subject and event."""

import dataframely as dy
import polars as pl

from etl.contracts.contract import END, SUBJECT, TIME, Contract, Field, TimedRow

CATEGORY_WORDS = {
    "CRS": "CRS", "CYTOKINE RELEASE SYNDROME": "CRS",
    "ICANS": "ICANS", "NEUROTOXICITY": "ICANS",
    "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME": "ICANS",
    "HLH": "HLH", "CARHLH": "HLH", "HEMOPHAGOCYTIC LYMPHOHISTIOCYTOSIS": "HLH",
    "HAEMOPHAGOCYTIC LYMPHOHISTIOCYTOSIS": "HLH", "IEC-HS": "HLH", "OTHER": "OTHER",
}  # fmt: skip


class AdverseEventRow(TimedRow):
    aeseq = dy.Int64(min=1)
    term = dy.String(min_length=1)
    category = dy.String(check=lambda col: col.is_in(["CRS", "ICANS", "HLH", "OTHER"]))
    grade = dy.Int64(nullable=True, min=0, max=5)
    scale = dy.String(nullable=True)
    end_rel_day = dy.Float64(nullable=True)
    ongoing = dy.Bool(nullable=True)

    @dy.rule()
    def scale__given_with_grade(cls) -> pl.Expr:
        return cls.grade.col.is_null() | cls.scale.col.is_not_null()

    @dy.rule()
    def end_dtm__not_before_start(cls) -> pl.Expr:
        return (
            cls.rel_day.col.is_null()
            | cls.end_rel_day.col.is_null()
            | (cls.end_rel_day.col.floor() >= cls.rel_day.col.floor())
        )

    @dy.rule()
    def ongoing__has_no_end(cls) -> pl.Expr:
        return cls.ongoing.col.is_null() | ~cls.ongoing.col | cls.end_rel_day.col.is_null()


CONTRACT = Contract(
    name="adverse_event",
    title="Adverse events",
    fields=(
        *SUBJECT,
        *TIME,
        *END,
        Field("aeseq", "integer", "number of the event; counted per subject when absent"),
        Field("term", note="as reported", required=True),
        Field("decod", note="coded term"),
        Field("category", "code", "CRS, ICANS, HLH, OTHER; from the term when absent",
              words=CATEGORY_WORDS),
        Field("scale", note="ASTCT 2019, CTCAE 5.0, Lee 2014 ...: required with a grade"),
        Field("grade", "integer", "0 to 5; 0 says that none was seen and is no event"),
        Field("serious", "flag"),
    ),
    key=("usubjid", "aeseq"),
    content=("term",),
    schema=AdverseEventRow,
    timed=True,
    interval=True,
)  # fmt: skip
