"""Incoming subjects: one row per subject."""

import dataframely as dy

from etl.contracts.contract import SEX_WORDS, SUBJECT, Contract, Field, Row


class SubjectRow(Row):
    usubjid = dy.String(min_length=1)
    sex = dy.String(nullable=True, check=lambda col: col.is_in(["M", "F", "U"]))
    age_year = dy.Float64(nullable=True, min=0, max=130)


CONTRACT = Contract(
    name="subject",
    title="Subjects",
    fields=(
        *SUBJECT,
        Field("sex", "code", "M, F or U", words=SEX_WORDS),
        Field("age_year", "number", "age in years at enrollment"),
        Field("arm"),
        Field("cohort"),
        Field("dose_level"),
        Field("disease"),
        Field("infused", "flag", "was infused"),
        Field("safety_set", "flag", "member of the safety set"),
        Field("efficacy_set", "flag", "member of the efficacy set"),
        Field("imaging_set", "flag", "member of the imaging set"),
    ),
    key=("usubjid",),
    content=("usubjid", "subjid"),
    schema=SubjectRow,
)
