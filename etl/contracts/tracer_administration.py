"""Incoming tracer administrations: one row per subject, tracer and administration."""

import dataframely as dy

from etl.contracts.contract import SUBJECT, TIME, Contract, Field, TimedRow


class TracerAdministrationRow(TimedRow):
    tracer_id = dy.String(min_length=1)
    administration_no = dy.Int64(min=1)
    injected_activity_mbq = dy.Float64(nullable=True, min_exclusive=0, max=100_000)
    residual_activity_mbq = dy.Float64(nullable=True, min=0)
    mass_dose_mg = dy.Float64(nullable=True, min=0)


CONTRACT = Contract(
    name="tracer_administration",
    title="Tracer administrations",
    fields=(
        *SUBJECT,
        *TIME,
        Field("tracer_id", note="an id of the tracer registry", required=True),
        Field("administration_no", "integer", "numbered in time order when absent"),
        Field("injected_activity_mbq", "number", "injected activity, MBq"),
        Field("activity", "number", "injected activity in `activity_unit`, instead of MBq"),
        Field("activity_unit", note="MBq, kBq, GBq, Bq, mCi or uCi"),
        Field("residual_activity_mbq", "number", "left in the syringe, MBq"),
        Field("mass_dose_mg", "number", "mass dose of the carrier, mg"),
        Field("route"),
        Field("infusion_no", "integer", "the labelled infusion, for a direct label"),
    ),
    key=("usubjid", "tracer_id", "administration_no"),
    content=("dtm", "rel_day", "injected_activity_mbq", "activity", "nominal_day", "visit"),
    schema=TracerAdministrationRow,
    timed=True,
)
