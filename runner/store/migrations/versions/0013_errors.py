"""Errors of real users by their original code: source maps, groups, and what was decided about them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this form."""
    op.add_column("series", sa.Column("first_at", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("reasons", sa.Column("release", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("reasons", sa.Column("line", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("reasons", sa.Column("column", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("reasons", sa.Column("error_group", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("reasons", sa.Column("original", sa.Text(), nullable=True))
    op.add_column("reasons", sa.Column("mapped_at", sa.Float(), nullable=False, server_default="0"))
    # What was one error stays one, and errors of the same message and script that come from now on join it.
    op.execute("UPDATE reasons SET error_group = id")
    op.create_index("reasons_by_group", "reasons", ["error_group", "last_at"], unique=False)
    op.create_index("reasons_by_release", "reasons", ["release", "mapped_at"], unique=False)
    op.create_table(
        "error_states",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("app", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("release", sa.String(length=200), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("reopened_at", sa.Float(), nullable=True),
        sa.Column("reopened_in", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "source_maps",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("app", sa.String(length=100), nullable=False),
        sa.Column("release", sa.String(length=200), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("debug_id", sa.String(length=36), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.Float(), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("source_maps_by_script", "source_maps", ["release", "app", "script"], unique=True)


def downgrade() -> None:
    """Back from it."""
    op.drop_index("source_maps_by_script", "source_maps")
    op.drop_table("source_maps")
    op.drop_table("error_states")
    op.drop_index("reasons_by_release", "reasons")
    op.drop_index("reasons_by_group", "reasons")
    for column in ("mapped_at", "original", "error_group", "column", "line", "release"):
        op.drop_column("reasons", column)
    op.drop_column("series", "first_at")
