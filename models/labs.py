"""Laboratory results: cytokines, chemistry, hematology, cell populations."""

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

LABORATORY_CATEGORIES = ("cytokine", "chemistry", "hematology", "cell_population", "other")


class LaboratoryResult(Record, Timed, Measured, Base):
    """One row per subject, CDISC test code, matrix, time and replicate.

    Results that are numbers or bounds; a character result (NORMAL, 1+) is no row, the finding
    `character_results` of its load holds their number.
    """

    __tablename__ = "laboratory_result"

    testcd: Mapped[str]
    test: Mapped[str | None]
    category: Mapped[str]
    matrix: Mapped[str | None]
    ref_low: Mapped[float | None]
    ref_high: Mapped[float | None]
    lloq: Mapped[float | None]
    replicate: Mapped[int]

    __table_args__ = (
        *record_rules(__tablename__),
        *timed_rules(),
        *measured_rules(),
        one_of("category", LABORATORY_CATEGORIES),
        *not_negative("lloq"),
    )
