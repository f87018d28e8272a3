"""Incoming laboratory results: one row per subject, test, matrix, time and replicate."""

import dataframely as dy

from etl.contracts.contract import (
    MEASURED,
    SUBJECT,
    TIME,
    Contract,
    Field,
    MeasuredRow,
    TimedRow,
)

CATEGORY_WORDS = {
    "CYTOKINE": "cytokine", "CYTOKINES": "cytokine", "CHEMISTRY": "chemistry",
    "HEMATOLOGY": "hematology", "HAEMATOLOGY": "hematology",
    "CELL_POPULATION": "cell_population", "OTHER": "other", "URINALYSIS": "other",
    "IMMUNOLOGY": "other", "COAGULATION": "hematology",
}  # fmt: skip
CATEGORIES = ("cytokine", "chemistry", "hematology", "cell_population", "other")


class LaboratoryResultRow(MeasuredRow, TimedRow):
    testcd = dy.String(min_length=1)
    category = dy.String(check=lambda col: col.is_in(list(CATEGORIES)))
    lloq = dy.Float64(nullable=True, min=0)
    replicate = dy.Int64(min=1)


CONTRACT = Contract(
    name="laboratory_result",
    title="Laboratory results",
    fields=(
        *SUBJECT,
        *TIME,
        Field("testcd", note="CDISC test code: INTLK6, CRP, FERRITIN ...", required=True),
        Field("test", note="name of the test"),
        Field("category", "code", "cytokine, chemistry, hematology ...", words=CATEGORY_WORDS),
        Field("matrix", note="specimen: BLOOD, SERUM, PLASMA, URINE ..."),
        *MEASURED,
        Field("ref_low", "number", "lower end of the normal range, unit of the value"),
        Field("ref_high", "number", "upper end of the normal range, unit of the value"),
        Field("lloq", "number", "lower limit of quantification"),
        Field("uloq", "number", "upper limit of quantification"),
        Field("replicate", "integer", "1 when absent"),
    ),
    key=("usubjid", "testcd", "matrix", "time", "replicate"),
    content=("value",),
    schema=LaboratoryResultRow,
    timed=True,
    measured=True,
    limits=("lloq",),
)
