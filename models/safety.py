"""Adverse events with their grading scale, and what was given besides the product."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Interval, Record, boolean, interval_rules, one_of, record_rules

ADVERSE_EVENT_CATEGORIES = ("CRS", "ICANS", "HLH", "OTHER")
INTERVENTION_CLASSES = (
    "lymphodepletion",
    "bridging",
    "tocilizumab",
    "corticosteroid",
    "anakinra",
    "transplant",
    "anticancer",
    "other",
)


class AdverseEvent(Record, Interval, Base):
    """One row per subject and event number. A grade means nothing without its scale."""

    __tablename__ = "adverse_event"

    aeseq: Mapped[int]
    term: Mapped[str]
    decod: Mapped[str | None]
    category: Mapped[str]
    scale: Mapped[str | None]
    grade: Mapped[int | None]
    serious: Mapped[bool | None]

    __table_args__ = (
        *record_rules(__tablename__),
        *interval_rules(),
        one_of("category", ADVERSE_EVENT_CATEGORIES),
        CheckConstraint("grade BETWEEN 0 AND 5", name="grade"),
        CheckConstraint("grade IS NULL OR scale IS NOT NULL", name="grade_has_scale"),
        *boolean("serious"),
    )


class Intervention(Record, Interval, Base):
    """One row per subject and intervention number."""

    __tablename__ = "intervention"

    intervention_no: Mapped[int]
    term: Mapped[str]
    intervention_class: Mapped[str]
    dose: Mapped[float | None]
    dose_unit: Mapped[str | None]
    indication: Mapped[str | None]

    __table_args__ = (
        *record_rules(__tablename__),
        *interval_rules(),
        one_of("intervention_class", INTERVENTION_CLASSES),
    )
