"""Subjects and their baseline characteristics. No name, birth date or record number is stored."""

from sqlalchemy.orm import Mapped

from models.base import Base, Record, Sourced, boolean, key_to, not_negative, one_of, record_rules


class Subject(Sourced, Base):
    """One row per subject and version. The three sets are null when they were not delivered."""

    __tablename__ = "subject"

    usubjid: Mapped[str]
    subjid: Mapped[str]
    site_id: Mapped[int | None] = key_to("site")
    sex: Mapped[str | None]
    age_year: Mapped[float | None]
    arm: Mapped[str | None]
    cohort: Mapped[str | None]
    dose_level: Mapped[str | None]
    disease: Mapped[str | None]
    infused: Mapped[bool | None]
    safety_set: Mapped[bool | None]
    efficacy_set: Mapped[bool | None]
    imaging_set: Mapped[bool | None]

    __table_args__ = (
        *record_rules(__tablename__),
        one_of("sex", ("M", "F", "U")),
        *not_negative("age_year"),
        *boolean("infused", "safety_set", "efficacy_set", "imaging_set"),
    )


class SubjectCharacteristic(Record, Base):
    """One row per subject and `paramcd`: a baseline covariate as text, as a number, or both."""

    __tablename__ = "subject_characteristic"

    paramcd: Mapped[str]
    label: Mapped[str]
    value_text: Mapped[str | None]
    value: Mapped[float | None]
    unit: Mapped[str | None]

    __table_args__ = record_rules(__tablename__)
