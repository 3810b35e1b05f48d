"""The trace of a page view's requests."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form."""
    op.add_column("page_views", sa.Column("trace", sa.String(32), nullable=True))


def downgrade() -> None:
    """Back from it."""
    op.drop_column("page_views", "trace")
