"""The cell product and its infusions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    Base,
    GeneratedId,
    Record,
    Timed,
    boolean,
    key_to,
    not_negative,
    positive,
    record_rules,
    timed_rules,
)


class Product(Base):
    """One row per study and product name."""

    __tablename__ = "product"

    id: Mapped[GeneratedId]
    study_id: Mapped[int] = key_to("study")
    name: Mapped[str]
    target: Mapped[str | None]
    cell_source: Mapped[str | None]

    __table_args__ = (UniqueConstraint("study_id", "name"),)


class Infusion(Record, Timed, Base):
    """One row per subject and infusion number; a subject may have none.

    Cells that carry a direct label have its activity and the instant the activity refers to.
    """

    __tablename__ = "infusion"

    infusion_no: Mapped[int]
    product_id: Mapped[int | None] = key_to("product")
    dose_cells: Mapped[float | None]
    dose_unit: Mapped[str | None]
    dose_cells_per_kg: Mapped[float | None]
    viability_percent: Mapped[float | None]
    transduced_percent: Mapped[float | None]
    vector_copy_number: Mapped[float | None]
    lot: Mapped[str | None]
    route: Mapped[str | None]
    labelled: Mapped[bool]
    tracer_id: Mapped[str | None] = mapped_column(ForeignKey("tracer.id"))
    label_activity_mbq: Mapped[float | None]
    label_dtm_utc: Mapped[datetime | None]
    label_dtm_text: Mapped[str | None]

    __table_args__ = (
        *record_rules(__tablename__),
        *timed_rules(),
        CheckConstraint("infusion_no >= 1", name="infusion_no"),
        *positive("dose_cells", "dose_cells_per_kg", "label_activity_mbq"),
        CheckConstraint("viability_percent BETWEEN 0 AND 100", name="viability_percent"),
        CheckConstraint("transduced_percent BETWEEN 0 AND 100", name="transduced_percent"),
        *not_negative("vector_copy_number"),
        *boolean("labelled"),
        CheckConstraint(
            "labelled OR (tracer_id IS NULL AND label_activity_mbq IS NULL)",
            name="label_only_when_labelled",
        ),
    )
