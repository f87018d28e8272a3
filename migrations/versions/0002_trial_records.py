"""The trial records: subjects, treatment, imaging, kinetics, laboratory, tumor, safety, survival.

Revision 0002, after 0001. It never imports models.
"""

import sqlalchemy as sa
from alembic import op

from migrations.record_columns import (
    CHECK_REFERENCES,
    KEY,
    check_references,
    index_records,
    interval,
    keys,
    measured,
    one_of,
    references,
    sourced,
    timed,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(CHECK_REFERENCES)
    create_subjects_and_treatment()
    create_imaging()
    create_kinetics_and_laboratory()
    create_tumor()
    create_safety()


def create_subjects_and_treatment() -> None:
    op.create_table(
        "subject",
        *keys(by_subject=False),
        sa.Column("usubjid", sa.Text(), nullable=False),
        sa.Column("subjid", sa.Text(), nullable=False),
        sa.Column("site_id", KEY),
        sa.Column("sex", sa.Text()),
        sa.Column("age_year", sa.Float()),
        sa.Column("arm", sa.Text()),
        sa.Column("cohort", sa.Text()),
        sa.Column("dose_level", sa.Text()),
        sa.Column("disease", sa.Text()),
        sa.Column("infused", sa.Boolean()),
        sa.Column("safety_set", sa.Boolean()),
        sa.Column("efficacy_set", sa.Boolean()),
        sa.Column("imaging_set", sa.Boolean()),
        *sourced("subject"),
        sa.CheckConstraint("age_year >= 0", name=op.f("ck_subject_age_year")),
        sa.CheckConstraint(
            "efficacy_set = TRUE OR efficacy_set = FALSE", name=op.f("ck_subject_efficacy_set")
        ),
        sa.CheckConstraint(
            "imaging_set = TRUE OR imaging_set = FALSE", name=op.f("ck_subject_imaging_set")
        ),
        sa.CheckConstraint("infused = TRUE OR infused = FALSE", name=op.f("ck_subject_infused")),
        sa.CheckConstraint(
            "safety_set = TRUE OR safety_set = FALSE", name=op.f("ck_subject_safety_set")
        ),
        one_of("subject", "sex", "M", "F", "U"),
        *references("subject", ("site_id", "site"), by_subject=False),
    )
    index_records("subject")
    op.create_table(
        "subject_characteristic",
        *keys(),
        sa.Column("paramcd", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("value_text", sa.Text()),
        sa.Column("value", sa.Float()),
        sa.Column("unit", sa.Text()),
        *sourced("subject_characteristic"),
        *references("subject_characteristic"),
    )
    index_records("subject_characteristic")
    op.create_table(
        "infusion",
        *keys(),
        sa.Column("infusion_no", sa.Integer(), nullable=False),
        sa.Column("product_id", KEY),
        sa.Column("dose_cells", sa.Float()),
        sa.Column("dose_unit", sa.Text()),
        sa.Column("dose_cells_per_kg", sa.Float()),
        sa.Column("viability_percent", sa.Float()),
        sa.Column("transduced_percent", sa.Float()),
        sa.Column("vector_copy_number", sa.Float()),
        sa.Column("lot", sa.Text()),
        sa.Column("route", sa.Text()),
        sa.Column("labelled", sa.Boolean(), nullable=False),
        sa.Column("tracer_id", sa.Text()),
        sa.Column("label_activity_mbq", sa.Float()),
        sa.Column("label_dtm_utc", sa.DateTime()),
        sa.Column("label_dtm_text", sa.Text()),
        *timed("infusion"),
        *sourced("infusion"),
        sa.CheckConstraint("dose_cells > 0", name=op.f("ck_infusion_dose_cells")),
        sa.CheckConstraint("dose_cells_per_kg > 0", name=op.f("ck_infusion_dose_cells_per_kg")),
        sa.CheckConstraint("infusion_no >= 1", name=op.f("ck_infusion_infusion_no")),
        sa.CheckConstraint("label_activity_mbq > 0", name=op.f("ck_infusion_label_activity_mbq")),
        sa.CheckConstraint(
            "labelled OR (tracer_id IS NULL AND label_activity_mbq IS NULL)",
            name=op.f("ck_infusion_label_only_when_labelled"),
        ),
        sa.CheckConstraint(
            "labelled = TRUE OR labelled = FALSE", name=op.f("ck_infusion_labelled")
        ),
        sa.CheckConstraint(
            "transduced_percent BETWEEN 0 AND 100", name=op.f("ck_infusion_transduced_percent")
        ),
        sa.CheckConstraint("vector_copy_number >= 0", name=op.f("ck_infusion_vector_copy_number")),
        sa.CheckConstraint(
            "viability_percent BETWEEN 0 AND 100", name=op.f("ck_infusion_viability_percent")
        ),
        *references("infusion", ("product_id", "product"), ("tracer_id", "tracer")),
    )
    index_records("infusion")


def create_imaging() -> None:
    op.create_table(
        "tracer_administration",
        *keys(),
        sa.Column("tracer_id", sa.Text(), nullable=False),
        sa.Column("administration_no", sa.Integer(), nullable=False),
        sa.Column("injected_activity_mbq", sa.Float()),
        sa.Column("residual_activity_mbq", sa.Float()),
        sa.Column("mass_dose_mg", sa.Float()),
        sa.Column("route", sa.Text()),
        sa.Column("infusion_id", KEY),
        *timed("tracer_administration"),
        *sourced("tracer_administration"),
        sa.CheckConstraint(
            "administration_no >= 1", name=op.f("ck_tracer_administration_administration_no")
        ),
        sa.CheckConstraint(
            "injected_activity_mbq > 0", name=op.f("ck_tracer_administration_injected_activity_mbq")
        ),
        sa.CheckConstraint("mass_dose_mg >= 0", name=op.f("ck_tracer_administration_mass_dose_mg")),
        sa.CheckConstraint(
            "residual_activity_mbq >= 0",
            name=op.f("ck_tracer_administration_residual_activity_mbq"),
        ),
        *references("tracer_administration", ("infusion_id", "infusion"), ("tracer_id", "tracer")),
    )
    index_records("tracer_administration")
    op.create_table(
        "scan",
        *keys(),
        sa.Column("scan_code", sa.Text(), nullable=False),
        sa.Column("tracer_id", sa.Text()),
        sa.Column("tracer_administration_id", KEY),
        sa.Column("modality", sa.Text()),
        sa.Column("scanner", sa.Text()),
        sa.Column("uptake_time_h", sa.Float()),
        sa.Column("decay_state", sa.Text(), nullable=False),
        sa.Column("weight_kg", sa.Float()),
        sa.Column("half_life_h", sa.Float()),
        sa.Column("evaluable", sa.Boolean(), nullable=False),
        sa.Column("not_evaluable_reason", sa.Text()),
        *timed("scan"),
        *sourced("scan"),
        one_of(
            "scan",
            "decay_state",
            "none",
            "scan_start",
            "tracer_injection",
            "cell_infusion",
            "unknown",
        ),
        sa.CheckConstraint("evaluable = TRUE OR evaluable = FALSE", name=op.f("ck_scan_evaluable")),
        sa.CheckConstraint("half_life_h > 0", name=op.f("ck_scan_half_life_h")),
        sa.CheckConstraint(
            "not_evaluable_reason IS NULL OR NOT evaluable",
            name=op.f("ck_scan_reason_when_not_evaluable"),
        ),
        sa.CheckConstraint("weight_kg > 0", name=op.f("ck_scan_weight_kg")),
        *references(
            "scan", ("tracer_administration_id", "tracer_administration"), ("tracer_id", "tracer")
        ),
    )
    index_records("scan")
    op.create_table(
        "region",
        *keys(),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text()),
        sa.Column("location", sa.Text()),
        sa.Column("laterality", sa.Text()),
        sa.Column("lesion_role", sa.Text()),
        *sourced("region"),
        one_of("region", "kind", "organ", "lesion", "blood_pool", "background"),
        one_of("region", "lesion_role", "target", "non_target", "new"),
        sa.CheckConstraint(
            "lesion_role IS NULL OR kind = 'lesion'", name=op.f("ck_region_role_of_lesion")
        ),
        *references("region"),
    )
    index_records("region")
    op.create_table(
        "quantification",
        *keys(),
        sa.Column("scan_id", KEY, nullable=False),
        sa.Column("region_id", KEY, nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("method", sa.Text()),
        sa.Column("reader", sa.Text()),
        sa.Column("decay_state", sa.Text(), nullable=False),
        *measured("quantification"),
        *sourced("quantification"),
        one_of(
            "quantification",
            "decay_state",
            "none",
            "scan_start",
            "tracer_injection",
            "cell_infusion",
            "unknown",
        ),
        sa.CheckConstraint("lower >= 0", name=op.f("ck_quantification_lower")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_quantification_value")),
        *references("quantification", ("region_id", "region"), ("scan_id", "scan"), measured=True),
    )
    index_records("quantification")
    check_references("quantification", ("region_id", "region"), ("scan_id", "scan"))


def create_kinetics_and_laboratory() -> None:
    op.create_table(
        "kinetics_sample",
        *keys(),
        sa.Column("analyte", sa.Text(), nullable=False),
        sa.Column("assay", sa.Text(), nullable=False),
        sa.Column("matrix", sa.Text(), nullable=False),
        sa.Column("lloq", sa.Float()),
        sa.Column("uloq", sa.Float()),
        sa.Column("lod", sa.Float()),
        sa.Column("replicate", sa.Integer(), nullable=False),
        *timed("kinetics_sample"),
        *measured("kinetics_sample"),
        *sourced("kinetics_sample"),
        one_of("kinetics_sample", "assay", "qPCR", "ddPCR", "flow"),
        sa.CheckConstraint("lloq >= 0", name=op.f("ck_kinetics_sample_lloq")),
        sa.CheckConstraint("lod >= 0", name=op.f("ck_kinetics_sample_lod")),
        sa.CheckConstraint("lower >= 0", name=op.f("ck_kinetics_sample_lower")),
        one_of("kinetics_sample", "matrix", "BLOOD", "MARROW", "CSF", "TISSUE"),
        sa.CheckConstraint("uloq >= 0", name=op.f("ck_kinetics_sample_uloq")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_kinetics_sample_value")),
        *references("kinetics_sample", measured=True),
    )
    index_records("kinetics_sample")
    check_references("kinetics_sample")
    op.create_table(
        "laboratory_result",
        *keys(),
        sa.Column("testcd", sa.Text(), nullable=False),
        sa.Column("test", sa.Text()),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("matrix", sa.Text()),
        sa.Column("ref_low", sa.Float()),
        sa.Column("ref_high", sa.Float()),
        sa.Column("lloq", sa.Float()),
        sa.Column("replicate", sa.Integer(), nullable=False),
        *timed("laboratory_result"),
        *measured("laboratory_result"),
        *sourced("laboratory_result"),
        one_of(
            "laboratory_result",
            "category",
            "cytokine",
            "chemistry",
            "hematology",
            "cell_population",
            "other",
        ),
        sa.CheckConstraint("lloq >= 0", name=op.f("ck_laboratory_result_lloq")),
        *references("laboratory_result", measured=True),
    )
    index_records("laboratory_result")
    check_references("laboratory_result")


def create_tumor() -> None:
    op.create_table(
        "lesion_measurement",
        *keys(),
        sa.Column("region_id", KEY),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("state", sa.Text()),
        sa.Column("method", sa.Text()),
        sa.Column("reader", sa.Text()),
        *timed("lesion_measurement"),
        *measured("lesion_measurement", "state IS NOT NULL"),
        *sourced("lesion_measurement"),
        *references("lesion_measurement", ("region_id", "region"), measured=True),
    )
    index_records("lesion_measurement")
    check_references("lesion_measurement", ("region_id", "region"))
    op.create_table(
        "response_assessment",
        *keys(),
        sa.Column("criterion", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("deauville", sa.Integer()),
        sa.Column("reader", sa.Text()),
        sa.Column("confirmed", sa.Boolean()),
        sa.Column("derived_by", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text()),
        *timed("response_assessment"),
        *sourced("response_assessment"),
        one_of(
            "response_assessment",
            "component",
            "overall",
            "target",
            "non_target",
            "new_lesion",
            "best",
            "metabolic",
            "mrd",
        ),
        sa.CheckConstraint(
            "confirmed = TRUE OR confirmed = FALSE", name=op.f("ck_response_assessment_confirmed")
        ),
        sa.CheckConstraint(
            "deauville BETWEEN 1 AND 5", name=op.f("ck_response_assessment_deauville")
        ),
        one_of("response_assessment", "derived_by", "source", "cartograph"),
        *references("response_assessment"),
    )
    index_records("response_assessment")
    op.create_table(
        "survival_event",
        *keys(),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("time_day", sa.Float(), nullable=False),
        sa.Column("cnsr", sa.Integer(), nullable=False),
        sa.Column("event_description", sa.Text()),
        sa.Column("start_from", sa.Text()),
        *sourced("survival_event"),
        sa.CheckConstraint("cnsr >= 0", name=op.f("ck_survival_event_cnsr")),
        one_of("survival_event", "endpoint", "OS", "PFS", "DOR"),
        sa.CheckConstraint("time_day >= 0", name=op.f("ck_survival_event_time_day")),
        *references("survival_event"),
    )
    index_records("survival_event")


def create_safety() -> None:
    op.create_table(
        "adverse_event",
        *keys(),
        sa.Column("aeseq", sa.Integer(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("decod", sa.Text()),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("scale", sa.Text()),
        sa.Column("grade", sa.Integer()),
        sa.Column("serious", sa.Boolean()),
        *interval("adverse_event"),
        *sourced("adverse_event"),
        one_of("adverse_event", "category", "CRS", "ICANS", "HLH", "OTHER"),
        sa.CheckConstraint("grade BETWEEN 0 AND 5", name=op.f("ck_adverse_event_grade")),
        sa.CheckConstraint(
            "grade IS NULL OR scale IS NOT NULL", name=op.f("ck_adverse_event_grade_has_scale")
        ),
        sa.CheckConstraint(
            "serious = TRUE OR serious = FALSE", name=op.f("ck_adverse_event_serious")
        ),
        *references("adverse_event"),
    )
    index_records("adverse_event")
    op.create_table(
        "intervention",
        *keys(),
        sa.Column("intervention_no", sa.Integer(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("intervention_class", sa.Text(), nullable=False),
        sa.Column("dose", sa.Float()),
        sa.Column("dose_unit", sa.Text()),
        sa.Column("indication", sa.Text()),
        *interval("intervention"),
        *sourced("intervention"),
        one_of(
            "intervention",
            "intervention_class",
            "lymphodepletion",
            "bridging",
            "tocilizumab",
            "corticosteroid",
            "anakinra",
            "transplant",
            "anticancer",
            "other",
        ),
        *references("intervention"),
    )
    index_records("intervention")


def downgrade() -> None:
    for table in (
        "intervention",
        "adverse_event",
        "survival_event",
        "response_assessment",
        "lesion_measurement",
        "laboratory_result",
        "kinetics_sample",
        "quantification",
        "region",
        "scan",
        "tracer_administration",
        "infusion",
        "subject_characteristic",
        "subject",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION check_references()")
