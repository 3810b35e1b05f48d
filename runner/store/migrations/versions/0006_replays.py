"""Recorded sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.String(length=70)
LABEL = sa.String(length=200)
NAME = sa.String(length=100)


def upgrade() -> None:
    """To this form."""
    op.create_table(
        "replay_chunks",
        sa.Column("id", LARGE, nullable=False),
        sa.Column("app", NAME, nullable=False),
        sa.Column("session", ID, nullable=False),
        sa.Column("tab", ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("last_at", sa.Float(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("has_full_snapshot", sa.Boolean(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("traffic", sa.String(length=10), nullable=False),
        sa.Column("release", LABEL, nullable=False),
        sa.Column("page", LABEL, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("session", "tab", "sequence", name="replay_chunks_once"),
    )
    op.create_index("replay_chunks_by_time", "replay_chunks", ["received_at"], unique=False)
    op.create_table(
        "session_events",
        sa.Column("id", LARGE, nullable=False),
        sa.Column("app", NAME, nullable=False),
        sa.Column("session", ID, nullable=False),
        sa.Column("type", LABEL, nullable=False),
        sa.Column("target", LABEL, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("session_events_by_session", "session_events", ["session", "at"], unique=False)
    op.create_index("session_events_by_time", "session_events", ["received_at"], unique=False)


def downgrade() -> None:
    """Back to the form before."""
    op.drop_table("session_events")
    op.drop_table("replay_chunks")
