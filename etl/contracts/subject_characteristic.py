"""Incoming baseline characteristics: one row per subject and parameter."""

import dataframely as dy

from etl.contracts.contract import SUBJECT, Contract, Field, Row


class SubjectCharacteristicRow(Row):
    paramcd = dy.String(min_length=1)
    label = dy.String(min_length=1)


CONTRACT = Contract(
    name="subject_characteristic",
    title="Baseline characteristics",
    fields=(
        *SUBJECT,
        Field("paramcd", note="short code of the characteristic", required=True),
        Field("label", note="what it is, in words; the code when absent"),
        Field("value_text", note="the value as text"),
        Field("value", "number", "the value as a number"),
        Field("unit", note="unit of the number"),
    ),
    key=("usubjid", "paramcd"),
    content=("value_text", "value"),
    schema=SubjectCharacteristicRow,
)
