"""An index for the runs of a release, whichever journeys they are of."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAMED = sa.text("release != ''")


def upgrade() -> None:
    """To this form."""
    columns = ["release", "started_at"]
    op.create_index("runs_of_release", "runs", columns, unique=False, sqlite_where=NAMED, postgresql_where=NAMED)


def downgrade() -> None:
    """Back from it."""
    op.drop_index("runs_of_release", "runs")
