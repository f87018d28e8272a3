"""Incoming response assessments: one row per subject, criterion, component, time and reader."""

import dataframely as dy

from etl.contracts.contract import SUBJECT, TIME, Contract, Field, TimedRow

COMPONENT_WORDS = {
    "OVERALL": "overall", "OVRLRESP": "overall", "TARGET": "target", "TRGRESP": "target",
    "NON_TARGET": "non_target", "NTRGRESP": "non_target", "NEW_LESION": "new_lesion",
    "NEWLIND": "new_lesion", "NEWLPROG": "new_lesion", "BEST": "best", "BESTRESP": "best",
    "METABOLIC": "metabolic", "METBRESP": "metabolic", "MRD": "mrd", "MRDRESP": "mrd",
}  # fmt: skip
COMPONENTS = tuple(dict.fromkeys(COMPONENT_WORDS.values()))


class ResponseAssessmentRow(TimedRow):
    criterion = dy.String(min_length=1)
    component = dy.String(check=lambda col: col.is_in(list(COMPONENTS)))
    response = dy.String(min_length=1)
    deauville = dy.Int64(nullable=True, min=1, max=5)


CONTRACT = Contract(
    name="response_assessment",
    title="Response assessments",
    fields=(
        *SUBJECT,
        *TIME,
        Field("criterion", note="LUGANO 2014, RECIST 1.1, NCI MRD ...", required=True),
        Field("component", "code", "overall when absent", words=COMPONENT_WORDS),
        Field("response", note="CR, PR, SD, PD, NE or as delivered", required=True),
        Field("deauville", "integer", "Deauville score 1 to 5"),
        Field("reader", note="INVESTIGATOR, IRC ..."),
        Field("confirmed", "flag"),
        Field("detail", note="further words of the source"),
    ),
    key=("usubjid", "criterion", "component", "time", "reader"),
    content=("response", "deauville"),
    schema=ResponseAssessmentRow,
    timed=True,
    constants={"derived_by": "source"},
)
