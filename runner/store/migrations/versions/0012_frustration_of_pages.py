"""Signs of frustration for each page, and what was clicked, as a selector."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SIGNS = ("rage_clicks", "error_clicks", "dead_clicks", "quick_backs")


def upgrade() -> None:
    """To this form."""
    for sign in SIGNS:
        op.add_column("tallies", sa.Column(sign, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("interactions", sa.Column("element", sa.String(200), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("trail", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Back from it."""
    for table, columns in (("sessions", ("trail",)), ("interactions", ("element",)), ("tallies", SIGNS)):
        for column in columns:
            op.drop_column(table, column)
