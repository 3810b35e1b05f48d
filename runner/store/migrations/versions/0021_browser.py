"""Which browser engine a run used; empty for checks, and for runs that were stored before."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form."""
    op.add_column("runs", sa.Column("browser", sa.String(20), nullable=False, server_default=""))


def downgrade() -> None:
    """Back from it."""
    op.drop_column("runs", "browser")
