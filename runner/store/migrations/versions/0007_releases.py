"""Which release of the site a run has walked."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form; of the runs that are there, no release is known."""
    op.add_column("runs", sa.Column("release", sa.String(length=100), nullable=False, server_default=""))
    named = sa.text("release != ''")
    columns = ["journey", "location", "started_at", "release"]
    op.create_index("runs_by_release", "runs", columns, unique=False, sqlite_where=named, postgresql_where=named)


def downgrade() -> None:
    """Back to the form before."""
    op.drop_index("runs_by_release", table_name="runs")
    op.drop_column("runs", "release")
