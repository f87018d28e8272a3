"""Cellular kinetics: the product measured in blood and other matrices."""

from sqlalchemy.orm import Mapped

from models.base import (
    Base,
    Measured,
    Record,
    Timed,
    measured_rules,
    not_negative,
    one_of,
    record_rules,
    timed_rules,
)

ASSAYS = ("qPCR", "ddPCR", "flow")
MATRICES = ("BLOOD", "MARROW", "CSF", "TISSUE")


class KineticsSample(Record, Timed, Measured, Base):
    """One row per subject, analyte, assay, matrix, time and replicate; limits are the sample's."""

    __tablename__ = "kinetics_sample"

    analyte: Mapped[str]
    assay: Mapped[str]
    matrix: Mapped[str]
    lloq: Mapped[float | None]
    uloq: Mapped[float | None]
    lod: Mapped[float | None]
    replicate: Mapped[int]

    __table_args__ = (
        *record_rules(__tablename__),
        *timed_rules(),
        *measured_rules(),
        one_of("assay", ASSAYS),
        one_of("matrix", MATRICES),
        *not_negative("value", "lower", "lloq", "uloq", "lod"),
    )
