"""An index of the runs that belong to no slot, so that those of the schedule are counted without reading the table."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NO_SLOT = sa.text("slot_at IS NULL")


def upgrade() -> None:
    """To this form."""
    columns = ["journey", "started_at", "status"]
    op.create_index("runs_without_slot", "runs", columns, sqlite_where=NO_SLOT, postgresql_where=NO_SLOT)


def downgrade() -> None:
    """Back from it."""
    op.drop_index("runs_without_slot", "runs")
