"""An index of the recordings of runs, so that they are listed without looking at every run."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

REPLAYS = sa.text("kind = 'replay'")


def upgrade() -> None:
    """To this form."""
    op.create_index("artifacts_replays", "artifacts", ["run_id"], sqlite_where=REPLAYS, postgresql_where=REPLAYS)


def downgrade() -> None:
    """Back from it."""
    op.drop_index("artifacts_replays", "artifacts")
