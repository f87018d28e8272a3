"""Studies and their sites."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, GeneratedId, boolean, key_to


class Study(Base):
    """One row per study. `infusion_day_label` is what the protocol calls the day of infusion.

    `rfst_definition` names what the SDTM reference start date means in this study
    (consent, lymphodepletion, infusion); it is never assumed.
    """

    __tablename__ = "study"

    id: Mapped[GeneratedId]
    studyid: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str | None]
    phase: Mapped[str | None]
    disease: Mapped[str | None]
    infusion_day_label: Mapped[int]
    response_criterion: Mapped[str | None]
    rfst_definition: Mapped[str | None]
    is_synthetic: Mapped[bool]

    __table_args__ = (
        CheckConstraint("infusion_day_label IN (0, 1)", name="infusion_day_label"),
        *boolean("is_synthetic"),
    )


class Site(Base):
    """One row per study and site."""

    __tablename__ = "site"

    id: Mapped[GeneratedId]
    study_id: Mapped[int] = key_to("study")
    siteid: Mapped[str]

    __table_args__ = (UniqueConstraint("study_id", "siteid"),)
