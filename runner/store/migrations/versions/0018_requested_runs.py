"""Runs that somebody has asked for, and why a run was made."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form; why earlier runs were made is known of those of a schedule."""
    op.create_table(
        "run_requests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=True),
        sa.Column("release", sa.String(length=100), nullable=False, server_default=""),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("about_run", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    op.create_index("run_requests_by_time", "run_requests", ["made_at"], unique=False)
    op.create_table(
        "requested_runs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("journey", sa.String(length=100), nullable=False),
        sa.Column("location", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.Column("owner", sa.String(length=36), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["run_requests.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_requested_runs_request_id", "requested_runs", ["request_id"], unique=False)
    op.create_index("requested_runs_by_state", "requested_runs", ["state", "location"], unique=False)
    op.create_table(
        "run_events",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["requested_runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number"),
    )
    op.add_column("runs", sa.Column("trigger", sa.String(length=10), nullable=False, server_default=""))
    op.execute("UPDATE runs SET \"trigger\" = 'schedule' WHERE slot_at IS NOT NULL")


def downgrade() -> None:
    """Back from it."""
    op.drop_column("runs", "trigger")
    op.drop_table("run_events")
    op.drop_table("requested_runs")
    op.drop_table("run_requests")
