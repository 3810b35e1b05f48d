"""Which runs went wrong only where the settings have set the journey or its steps aside."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form; of the runs that are there, none was set aside."""
    op.add_column("runs", sa.Column("set_aside", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Back from it."""
    op.drop_column("runs", "set_aside")
