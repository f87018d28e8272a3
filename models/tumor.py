"""Lesions as measured, response as assessed, and survival."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import (
    Base,
    Measured,
    Record,
    Timed,
    boolean,
    key_to,
    measured_rules,
    one_of,
    record_rules,
    timed_rules,
)

RESPONSE_COMPONENTS = ("overall", "target", "non_target", "new_lesion", "best", "metabolic", "mrd")
ENDPOINTS = ("OS", "PFS", "DOR")


class LesionMeasurement(Record, Timed, Measured, Base):
    """One row per subject, region, metric, time, reader and method.

    A state in words (TUMSTATE) has no number: `value` may be null then, and only then.
    """

    __tablename__ = "lesion_measurement"

    region_id: Mapped[int | None] = key_to("region")
    metric: Mapped[str]
    state: Mapped[str | None]
    method: Mapped[str | None]
    reader: Mapped[str | None]

    __table_args__ = (
        *record_rules(__tablename__),
        *timed_rules(),
        *measured_rules(or_instead="state IS NOT NULL"),
    )


class ResponseAssessment(Record, Timed, Base):
    """One row per subject, criterion, component, time and reader.

    The call of the source is never overwritten: rows of our own rules say `cartograph`.
    """

    __tablename__ = "response_assessment"

    criterion: Mapped[str]
    component: Mapped[str]
    response: Mapped[str]
    deauville: Mapped[int | None]
    reader: Mapped[str | None]
    confirmed: Mapped[bool | None]
    derived_by: Mapped[str]
    detail: Mapped[str | None]

    __table_args__ = (
        *record_rules(__tablename__),
        *timed_rules(),
        one_of("component", RESPONSE_COMPONENTS),
        one_of("derived_by", ("source", "cartograph")),
        CheckConstraint("deauville BETWEEN 1 AND 5", name="deauville"),
        *boolean("confirmed"),
    )


class SurvivalEvent(Record, Base):
    """One row per subject and endpoint. `cnsr` is 0 for an event, as in CDISC ADTTE."""

    __tablename__ = "survival_event"

    endpoint: Mapped[str]
    time_day: Mapped[float]
    cnsr: Mapped[int]
    event_description: Mapped[str | None]
    start_from: Mapped[str | None]

    __table_args__ = (
        *record_rules(__tablename__),
        one_of("endpoint", ENDPOINTS),
        CheckConstraint("time_day >= 0", name="time_day"),
        CheckConstraint("cnsr >= 0", name="cnsr"),
    )
