"""The database decides that an open job with the same request is taken, not queued again.

Jobs of before have no hash, so two open ones that are equal go on to their ends.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPEN = sa.text(
    "(status = 'queued' OR status = 'running') AND coalesce(message, '') <> 'cancel requested'"
)


def upgrade() -> None:
    op.add_column("job", sa.Column("request_hash", sa.Text()))
    op.create_index(
        op.f("uq_job_open_request"),
        "job",
        ["request_hash"],
        unique=True,
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )


def downgrade() -> None:
    op.drop_index(op.f("uq_job_open_request"), "job")
    op.drop_column("job", "request_hash")
