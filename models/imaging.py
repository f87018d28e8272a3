"""Tracers, their administrations, scans, regions and what was measured in them."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    DECAY_STATES,
    Base,
    Measured,
    Record,
    Timed,
    boolean,
    key_to,
    measured_rules,
    not_negative,
    one_of,
    positive,
    record_rules,
    timed_rules,
)

TRACER_CLASSES = (
    "direct_label",
    "reporter_gene",
    "immune_target",
    "target_antigen",
    "pretargeting",
    "tumor_tracer",
)
DECAY_CLOCKS = ("cell_infusion", "tracer_injection", "none")
REGION_KINDS = ("organ", "lesion", "blood_pool", "background")
LESION_ROLES = ("target", "non_target", "new")


class Tracer(Base):
    """One row per tracer system of the registry, seeded by `models.seed`.

    `decay_clock` says from which event the activity decays; `car_specific` whether the signal
    may be called CAR-T cells; `evidence` how well the entry is founded.
    """

    __tablename__ = "tracer"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    tracer_class: Mapped[str]
    nuclide: Mapped[str | None]
    half_life_h: Mapped[float | None]
    modality: Mapped[str | None]
    window_low_h: Mapped[float | None]
    window_high_h: Mapped[float | None]
    decay_clock: Mapped[str]
    car_specific: Mapped[bool]
    signal_name: Mapped[str]
    evidence: Mapped[str]

    __table_args__ = (
        one_of("tracer_class", TRACER_CLASSES),
        one_of("decay_clock", DECAY_CLOCKS),
        one_of("evidence", ("seen", "mixed", "memory")),
        *positive("half_life_h"),
        CheckConstraint("window_low_h <= window_high_h", name="window_ordered"),
        *boolean("car_specific"),
    )


class TracerAdministration(Record, Timed, Base):
    """One row per subject, tracer and administration number."""

    __tablename__ = "tracer_administration"

    tracer_id: Mapped[str] = mapped_column(ForeignKey("tracer.id"))
    administration_no: Mapped[int]
    injected_activity_mbq: Mapped[float | None]
    residual_activity_mbq: Mapped[float | None]
    mass_dose_mg: Mapped[float | None]
    route: Mapped[str | None]
    infusion_id: Mapped[int | None] = key_to("infusion")

    __table_args__ = (
        *record_rules(__tablename__),
        *timed_rules(),
        CheckConstraint("administration_no >= 1", name="administration_no"),
        *positive("injected_activity_mbq"),
        *not_negative("residual_activity_mbq", "mass_dose_mg"),
    )


class Scan(Record, Timed, Base):
    """One row per subject and scan code. `half_life_h` is the one in the image header."""

    __tablename__ = "scan"

    scan_code: Mapped[str]
    tracer_id: Mapped[str | None] = mapped_column(ForeignKey("tracer.id"))
    tracer_administration_id: Mapped[int | None] = key_to("tracer_administration")
    modality: Mapped[str | None]
    scanner: Mapped[str | None]
    uptake_time_h: Mapped[float | None]
    decay_state: Mapped[str]
    weight_kg: Mapped[float | None]
    half_life_h: Mapped[float | None]
    evaluable: Mapped[bool]
    not_evaluable_reason: Mapped[str | None]

    __table_args__ = (
        *record_rules(__tablename__),
        *timed_rules(),
        one_of("decay_state", DECAY_STATES),
        *positive("weight_kg", "half_life_h"),
        *boolean("evaluable"),
        CheckConstraint(
            "not_evaluable_reason IS NULL OR NOT evaluable", name="reason_when_not_evaluable"
        ),
    )


class Region(Record, Base):
    """One row per subject and region code; a lesion keeps its code over visits."""

    __tablename__ = "region"

    region_code: Mapped[str]
    kind: Mapped[str]
    label: Mapped[str | None]
    location: Mapped[str | None]
    laterality: Mapped[str | None]
    lesion_role: Mapped[str | None]

    __table_args__ = (
        *record_rules(__tablename__),
        one_of("kind", REGION_KINDS),
        one_of("lesion_role", LESION_ROLES),
        CheckConstraint("lesion_role IS NULL OR kind = 'lesion'", name="role_of_lesion"),
    )


class Quantification(Record, Measured, Base):
    """One row per scan, region, metric, reader and method; the unit and method are part of it."""

    __tablename__ = "quantification"

    scan_id: Mapped[int] = key_to("scan")
    region_id: Mapped[int] = key_to("region")
    metric: Mapped[str]
    method: Mapped[str | None]
    reader: Mapped[str | None]
    decay_state: Mapped[str]

    __table_args__ = (
        *record_rules(__tablename__),
        *measured_rules(),
        one_of("decay_state", DECAY_STATES),
        *not_negative("value", "lower"),
    )
