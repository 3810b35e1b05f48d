"""How often the visitor of a session showed frustration."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SHOWN = sa.text("frustrations > 0")


def upgrade() -> None:
    """To this form."""
    op.add_column("sessions", sa.Column("frustrations", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        "sessions_with_frustration",
        "sessions",
        ["app", "started_at"],
        unique=False,
        sqlite_where=SHOWN,
        postgresql_where=SHOWN,
    )


def downgrade() -> None:
    """Back from it."""
    op.drop_index("sessions_with_frustration", "sessions")
    op.drop_column("sessions", "frustrations")
