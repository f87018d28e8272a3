"""Incoming survival events: one row per subject and endpoint."""

import dataframely as dy

from etl.contracts.contract import SUBJECT, Contract, Field, Row


class SurvivalEventRow(Row):
    endpoint = dy.String(check=lambda col: col.is_in(["OS", "PFS", "DOR"]))
    time_day = dy.Float64(min=0)
    cnsr = dy.Int64(min=0, max=9)


CONTRACT = Contract(
    name="survival_event",
    title="Survival",
    fields=(
        *SUBJECT,
        Field("endpoint", "code", "OS, PFS or DOR", required=True,
              words={"OS": "OS", "PFS": "PFS", "DOR": "DOR"}),
        Field("time_day", "number", "days from `start_from` to event or censoring", required=True),
        Field("time_unit", note="days, weeks, months (30.4375 days) or years (365.25 days) of "
              "`time_day`; days when absent"),
        Field("cnsr", "integer", "0 for an event, 1 or more censored", required=True),
        Field("event_description"),
        Field("start_from", note="what the days are counted from"),
    ),
    key=("usubjid", "endpoint"),
    content=("time_day", "cnsr"),
    schema=SurvivalEventRow,
)  # fmt: skip
