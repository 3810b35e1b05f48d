"""Real users' page views, and what is rolled up of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LARGE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.String(length=70)
LABEL = sa.String(length=200)


def upgrade() -> None:
    """To this form."""
    op.create_table(
        "beacons",
        sa.Column("number", LARGE, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "histograms",
        sa.Column("metric", sa.String(length=4), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("series", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("sum", sa.Float(), nullable=False),
        sa.Column("worst", sa.Float(), nullable=False),
        sa.Column("view", sa.BigInteger(), nullable=False),
        *(sa.Column(f"b{number:02}", sa.Integer(), nullable=False) for number in range(25)),
        sa.PrimaryKeyConstraint("metric", "step", "at", "series"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "interactions",
        sa.Column("view", LARGE, autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=10), nullable=False),
        sa.Column("at_seconds", sa.Float(), nullable=False),
        sa.Column("role", LABEL, nullable=False),
        sa.Column("name", LABEL, nullable=False),
        sa.Column("test_id", LABEL, nullable=False),
        sa.PrimaryKeyConstraint("view", "index"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.String(length=10), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "page_errors",
        sa.Column("view", LARGE, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("view", "reason"),
        sqlite_with_rowid=False,
    )
    op.create_index("page_errors_by_reason", "page_errors", ["reason", "at"], unique=False)
    op.create_table(
        "page_views",
        sa.Column("number", LARGE, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("app", sa.String(length=100), nullable=False),
        sa.Column("session", ID, nullable=False),
        sa.Column("page", LABEL, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("referrer", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("told_at", sa.Float(), nullable=False),
        sa.Column("release", LABEL, nullable=False),
        sa.Column("environment", LABEL, nullable=False),
        sa.Column("traffic", sa.String(length=10), nullable=False),
        sa.Column("browser", LABEL, nullable=False),
        sa.Column("system", LABEL, nullable=False),
        sa.Column("device", sa.String(length=10), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("visible_seconds", sa.Float(), nullable=True),
        sa.Column("redirect", sa.Float(), nullable=True),
        sa.Column("dns", sa.Float(), nullable=True),
        sa.Column("connect", sa.Float(), nullable=True),
        sa.Column("tls", sa.Float(), nullable=True),
        sa.Column("request", sa.Float(), nullable=True),
        sa.Column("response", sa.Float(), nullable=True),
        sa.Column("dom", sa.Float(), nullable=True),
        sa.Column("load", sa.Float(), nullable=True),
        sa.Column("ttfb", sa.Float(), nullable=True),
        sa.Column("total", sa.Float(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(length=20), nullable=False),
        sa.Column("transfer_bytes", sa.BigInteger(), nullable=False),
        sa.Column("connection", sa.String(length=20), nullable=False),
        sa.Column("viewport_width", sa.Integer(), nullable=True),
        sa.Column("viewport_height", sa.Integer(), nullable=True),
        sa.Column("journey", LABEL, nullable=True),
        sa.Column("run", ID, nullable=True),
        sa.Column("step", LABEL, nullable=True),
        sa.Column("location", LABEL, nullable=True),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("interactions", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("listed_interactions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("page_views_by_page", "page_views", ["app", "page", "started_at"], unique=False)
    op.create_index(
        "page_views_by_run",
        "page_views",
        ["run"],
        unique=False,
        sqlite_where=sa.text("run IS NOT NULL"),
        postgresql_where=sa.text("run IS NOT NULL"),
    )
    op.create_index("page_views_by_session", "page_views", ["session"], unique=False)
    op.create_index("page_views_by_time", "page_views", ["app", "started_at"], unique=False)
    op.create_table(
        "reason_tallies",
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reason", "at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reasons",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("app", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("type", LABEL, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stack", sa.Text(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("last_at", sa.Float(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("reasons_by_time", "reasons", ["app", "last_at"], unique=False)
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("app", sa.String(length=100), nullable=False),
        sa.Column("page", LABEL, nullable=False),
        sa.Column("traffic", sa.String(length=10), nullable=False),
        sa.Column("environment", LABEL, nullable=False),
        sa.Column("release", LABEL, nullable=False),
        sa.Column("device", sa.String(length=10), nullable=False),
        sa.Column("browser", LABEL, nullable=False),
        sa.Column("whole", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "series_by_labels", "series", ["app", "page", "traffic", "environment", "release", "device", "browser"], unique=True
    )
    op.create_table(
        "sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("app", sa.String(length=100), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.Column("first_page", LABEL, nullable=False),
        sa.Column("last_page", LABEL, nullable=False),
        sa.Column("release", LABEL, nullable=False),
        sa.Column("environment", LABEL, nullable=False),
        sa.Column("traffic", sa.String(length=10), nullable=False),
        sa.Column("browser", LABEL, nullable=False),
        sa.Column("system", LABEL, nullable=False),
        sa.Column("device", sa.String(length=10), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("interactions", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_by_time", "sessions", ["app", "started_at"], unique=False)
    op.create_index(
        "sessions_with_errors",
        "sessions",
        ["app", "started_at"],
        unique=False,
        sqlite_where=sa.text("errors > 0"),
        postgresql_where=sa.text("errors > 0"),
    )
    op.create_table(
        "slow_requests",
        sa.Column("view", LARGE, autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("kind", LABEL, nullable=False),
        sa.Column("at_seconds", sa.Float(), nullable=False),
        sa.Column("duration_seconds", sa.Float(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("failure", LABEL, nullable=False),
        sa.PrimaryKeyConstraint("view", "index"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallies",
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("series", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("sessions", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("interactions", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("step", "at", "series"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vitals",
        sa.Column("view", LARGE, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=4), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("attribution", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("view", "name", "id"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO marks (name, value) VALUES ('views', 0), ('beacons', 0), ('rolled', 0)")


def downgrade() -> None:
    """Back to the form before."""
    op.drop_table("vitals")
    op.drop_table("tallies")
    op.drop_table("slow_requests")
    op.drop_index("sessions_with_errors", table_name="sessions")
    op.drop_index("sessions_by_time", table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("series_by_labels", table_name="series")
    op.drop_table("series")
    op.drop_index("reasons_by_time", table_name="reasons")
    op.drop_table("reasons")
    op.drop_table("reason_tallies")
    op.drop_index("page_views_by_time", table_name="page_views")
    op.drop_index("page_views_by_session", table_name="page_views")
    op.drop_index("page_views_by_run", table_name="page_views")
    op.drop_index("page_views_by_page", table_name="page_views")
    op.drop_table("page_views")
    op.drop_index("page_errors_by_reason", table_name="page_errors")
    op.drop_table("page_errors")
    op.drop_table("marks")
    op.drop_table("interactions")
    op.drop_table("histograms")
    op.drop_table("beacons")
