"""Studies, provenance, jobs, saved fits and the audit log.

Revision 0001, the first. It never imports models.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

AUDIT_SQLITE = (
    "CREATE TRIGGER audit_refuse_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END",
    "CREATE TRIGGER audit_refuse_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END",
)
AUDIT_POSTGRES = (
    """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the % log is append only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$""",
    "CREATE TRIGGER audit_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)


def reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name)


def one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    condition = " OR ".join(f"{column} = '{value}'" for value in values)
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    create_studies()
    create_provenance()
    create_work()
    dialect = op.get_bind().dialect.name
    for statement in AUDIT_SQLITE if dialect == "sqlite" else AUDIT_POSTGRES:
        op.execute(statement)


def create_studies() -> None:
    op.create_table(
        "study",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("studyid", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("phase", sa.Text()),
        sa.Column("disease", sa.Text()),
        sa.Column("infusion_day_label", sa.Integer(), nullable=False),
        sa.Column("response_criterion", sa.Text()),
        sa.Column("rfst_definition", sa.Text()),
        sa.Column("is_synthetic", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "infusion_day_label IN (0, 1)", name=op.f("ck_study_infusion_day_label")
        ),
        sa.CheckConstraint(
            "is_synthetic = TRUE OR is_synthetic = FALSE", name=op.f("ck_study_is_synthetic")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("studyid", name=op.f("uq_study_studyid")),
    )
    op.create_table(
        "site",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("siteid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        reference("site", "study_id", "study"),
        sa.UniqueConstraint("study_id", "siteid", name=op.f("uq_site_study_id_siteid")),
    )
    op.create_table(
        "product",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("target", sa.Text()),
        sa.Column("cell_source", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        reference("product", "study_id", "study"),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_product_study_id_name")),
    )
    op.create_table(
        "tracer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tracer_class", sa.Text(), nullable=False),
        sa.Column("nuclide", sa.Text()),
        sa.Column("half_life_h", sa.Float()),
        sa.Column("modality", sa.Text()),
        sa.Column("window_low_h", sa.Float()),
        sa.Column("window_high_h", sa.Float()),
        sa.Column("decay_clock", sa.Text(), nullable=False),
        sa.Column("car_specific", sa.Boolean(), nullable=False),
        sa.Column("signal_name", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "car_specific = TRUE OR car_specific = FALSE", name=op.f("ck_tracer_car_specific")
        ),
        one_of("tracer", "decay_clock", "cell_infusion", "tracer_injection", "none"),
        one_of("tracer", "evidence", "seen", "mixed", "memory"),
        sa.CheckConstraint("half_life_h > 0", name=op.f("ck_tracer_half_life_h")),
        one_of(
            "tracer",
            "tracer_class",
            "direct_label",
            "reporter_gene",
            "immune_target",
            "target_antigen",
            "pretargeting",
            "tumor_tracer",
        ),
        sa.CheckConstraint("window_low_h <= window_high_h", name=op.f("ck_tracer_window_ordered")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracer")),
    )


def create_provenance() -> None:
    op.create_table(
        "load",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("profile_name", sa.Text()),
        sa.Column("profile_hash", sa.Text()),
        sa.Column("profile_text", sa.Text()),
        sa.Column("contract_version", sa.Text(), nullable=False),
        sa.Column("program_version", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("message", sa.Text()),
        one_of("load", "delivery", "full", "partial"),
        one_of("load", "status", "running", "done", "failed"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_load")),
        reference("load", "study_id", "study"),
    )
    op.create_index(op.f("ix_load_study_id"), "load", ["study_id"])
    op.create_table(
        "source_file",
        sa.Column("id", KEY, nullable=False, autoincrement=False),
        sa.Column("load_id", KEY, nullable=False),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_byte", sa.BigInteger(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("file_rows", sa.Integer()),
        sa.Column("file_cells", sa.Integer()),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("loaded", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("empty", sa.Integer(), nullable=False),
        sa.Column("superseded", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "rows_in = loaded + refused + duplicates + empty", name=op.f("ck_source_file_accounted")
        ),
        sa.CheckConstraint("duplicates >= 0", name=op.f("ck_source_file_duplicates")),
        sa.CheckConstraint("empty >= 0", name=op.f("ck_source_file_empty")),
        sa.CheckConstraint("loaded >= 0", name=op.f("ck_source_file_loaded")),
        sa.CheckConstraint("refused >= 0", name=op.f("ck_source_file_refused")),
        sa.CheckConstraint("size_byte >= 0", name=op.f("ck_source_file_size_byte")),
        sa.CheckConstraint("superseded >= 0", name=op.f("ck_source_file_superseded")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_file")),
        reference("source_file", "load_id", "load"),
        reference("source_file", "study_id", "study"),
    )
    op.create_index(op.f("ix_source_file_load_id"), "source_file", ["load_id"])
    op.create_index(op.f("ix_source_file_study_id_sha256"), "source_file", ["study_id", "sha256"])
    op.create_table(
        "refused_row",
        sa.Column("id", KEY, nullable=False, autoincrement=False),
        sa.Column("load_id", KEY, nullable=False),
        sa.Column("source_file_id", KEY, nullable=False),
        sa.Column("sheet", sa.Text()),
        sa.Column("row", sa.Integer()),
        sa.Column("column_name", sa.Text()),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_row")),
        reference("refused_row", "load_id", "load"),
        reference("refused_row", "source_file_id", "source_file"),
    )
    op.create_index(op.f("ix_refused_row_load_id"), "refused_row", ["load_id"])
    op.create_index(op.f("ix_refused_row_source_file_id"), "refused_row", ["source_file_id"])
    op.create_table(
        "finding",
        sa.Column("id", KEY, nullable=False, autoincrement=False),
        sa.Column("load_id", KEY, nullable=False),
        sa.Column("source_file_id", KEY),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text()),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        one_of("finding", "severity", "info", "warning", "error"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        reference("finding", "load_id", "load"),
        reference("finding", "source_file_id", "source_file"),
    )
    op.create_index(op.f("ix_finding_load_id"), "finding", ["load_id"])
    op.create_table(
        "data_cut",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("load_id", KEY, nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_cut")),
        reference("data_cut", "load_id", "load"),
        reference("data_cut", "study_id", "study"),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_data_cut_study_id_name")),
    )


def create_work() -> None:
    op.create_table(
        "stored_fit",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("study_id", KEY, nullable=False),
        sa.Column("cut_id", KEY, nullable=False),
        sa.Column("spec_hash", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("fit", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_fit")),
        reference("stored_fit", "cut_id", "data_cut"),
        reference("stored_fit", "study_id", "study"),
    )
    op.create_index(
        op.f("ix_stored_fit_study_id_cut_id_spec_hash"),
        "stored_fit",
        ["study_id", "cut_id", "spec_hash"],
    )
    op.create_table(
        "job",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("study_id", KEY),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime()),
        sa.Column("finished_at", sa.DateTime()),
        sa.Column("heartbeat_at", sa.DateTime()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_job_progress")),
        one_of("job", "status", "queued", "running", "done", "failed", "cancelled", "interrupted"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        reference("job", "study_id", "study"),
    )
    op.create_index(op.f("ix_job_status"), "job", ["status"])
    op.create_table(
        "audit",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text()),
        sa.Column("key", sa.Text()),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_table_name_key"), "audit", ["table_name", "key"])


def downgrade() -> None:
    for table in (
        "audit",
        "job",
        "stored_fit",
        "data_cut",
        "finding",
        "refused_row",
        "source_file",
        "load",
        "tracer",
        "product",
        "site",
        "study",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
