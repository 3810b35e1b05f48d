"""What several servers on one database share: attempts to sign in, journeys made from sessions, how many series a day has brought."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form."""
    op.create_table(
        "access_counts",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_index("access_counts_by_time", "access_counts", ["at"], unique=False)
    op.create_table(
        "made_journeys",
        sa.Column("session", sa.String(length=70), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session"),
    )
    op.create_index("series_by_day", "series", ["app", "seen_at"], unique=False)


def downgrade() -> None:
    """Back from it."""
    op.drop_index("series_by_day", "series")
    op.drop_table("made_journeys")
    op.drop_index("access_counts_by_time", "access_counts")
    op.drop_table("access_counts")
