"""The tables of real users' page views. Times are seconds since the epoch, as in beacons: short, and quick to compare.

Rows that belong to a view are kept in the order of views (in SQLite in the tree of the primary key), so that new rows are added at the
end and old rows removed at the beginning; in PostgreSQL they are in partitions by day (`day_numbers`), in each of which ids are unique.
There are no foreign keys: a batch is stored whole, and retention removes a view with its rows.
"""

from typing import Literal

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint, text

from runner.store.tables.runs import NAME, PHASES, metadata

BUCKETS = tuple(f"b{number:02}" for number in range(25))
"""The columns of a histogram: the number of values up to each edge and above the previous one; the last, above all edges."""
STEPS = (60, 3600, 86400)
"""Seconds that one row of a roll-up covers."""
Metric = Literal["load", "ttfb", "fcp", "lcp", "inp", "cls"]
METRICS: tuple[Metric, ...] = ("load", "ttfb", "fcp", "lcp", "inp", "cls")
"""The metrics with histograms: the phase `total`, and the vitals."""

SIGN_COLUMNS = ("rage_clicks", "error_clicks", "dead_clicks", "quick_backs")
"""Signs of frustration that the roll-ups count."""

# Only a column of the type INTEGER becomes SQLite's own row number.
LARGE = BigInteger().with_variant(Integer, "sqlite")
ID = String(70)
LABEL = String(200)

page_views = Table(
    "page_views",
    metadata,
    Column("number", LARGE, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False),
    Column("app", NAME, nullable=False),
    Column("session", ID, nullable=False),
    Column("page", LABEL, nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("referrer", Text, nullable=False),
    Column("type", String(12), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("told_at", Float, nullable=False),
    Column("release", LABEL, nullable=False),
    Column("environment", LABEL, nullable=False),
    Column("traffic", String(10), nullable=False),
    Column("browser", LABEL, nullable=False),
    Column("system", LABEL, nullable=False),
    Column("device", String(10), nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("visible_seconds", Float),
    *(Column(phase, Float) for phase in PHASES),
    Column("status", Integer, nullable=False),
    Column("protocol", String(20), nullable=False),
    Column("transfer_bytes", BigInteger, nullable=False),
    Column("connection", String(20), nullable=False),
    Column("viewport_width", Integer),
    Column("viewport_height", Integer),
    Column("journey", LABEL),
    Column("run", ID),
    Column("step", LABEL),
    Column("location", LABEL),
    Column("series", Integer, nullable=False),
    Column("interactions", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("listed_interactions", Integer, nullable=False),
    Column("trace", String(32)),
    UniqueConstraint("id").ddl_if(dialect="sqlite"),
    Index("page_views_by_session", "session"),
    Index("page_views_by_time", "app", "started_at"),
    Index("page_views_by_page", "app", "page", "started_at"),
    Index("page_views_by_run", "run", sqlite_where=text("run IS NOT NULL"), postgresql_where=text("run IS NOT NULL")),
)
"""`number` grows by one per view; `told_at` is when the newest beacon about the view was sent, by the browser's clock; `trace` is the id of its
requests' trace, if they have one."""

vitals = Table(
    "vitals",
    metadata,
    Column("view", LARGE, primary_key=True, autoincrement=False),
    Column("name", String(4), primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("value", Float, nullable=False),
    Column("attribution", JSON, nullable=False),
    sqlite_with_rowid=False,
)

interactions = Table(
    "interactions",
    metadata,
    Column("view", LARGE, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True),
    Column("type", String(10), nullable=False),
    Column("at_seconds", Float, nullable=False),
    Column("role", LABEL, nullable=False),
    Column("name", LABEL, nullable=False),
    Column("test_id", LABEL, nullable=False),
    Column("element", LABEL, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)
"""What users did. `element` is a CSS selector; in rows of earlier versions it is empty."""

slow_requests = Table(
    "slow_requests",
    metadata,
    Column("view", LARGE, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("method", String(20), nullable=False),
    Column("kind", LABEL, nullable=False),
    Column("at_seconds", Float, nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("status", Integer, nullable=False),
    Column("failure", LABEL, nullable=False),
    sqlite_with_rowid=False,
)

reasons = Table(
    "reasons",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("app", NAME, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("type", LABEL, nullable=False),
    Column("message", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("stack", Text, nullable=False),
    Column("first_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("views", BigInteger, nullable=False),
    Column("release", LABEL, nullable=False, server_default=""),
    Column("line", Integer, nullable=False, server_default="0"),
    Column("column", Integer, nullable=False, server_default="0"),
    Column("error_group", String(16), nullable=False, server_default=""),
    Column("original", Text),
    Column("mapped_at", Float, nullable=False, server_default="0"),
    Index("reasons_by_time", "app", "last_at"),
    Index("reasons_by_group", "error_group", "last_at"),
    Index("reasons_by_release", "release", "mapped_at"),
)
"""Errors of one release that came from the same places and differ only in numbers and ids of their message, with the stack of the first.

`error_group` is what is shown as one error: the same for those that source maps lead to the same original code (`original`, JSON), else
for those of the same message and script. `mapped_at` is when maps were last looked for.
"""

page_errors = Table(
    "page_errors",
    metadata,
    Column("view", LARGE, primary_key=True, autoincrement=False),
    Column("reason", String(16), primary_key=True),
    Column("at", Float, nullable=False),
    Column("count", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", Integer, nullable=False),
    Index("page_errors_by_reason", "reason", "at"),
    sqlite_with_rowid=False,
)
"""One row per error reason of a view, however often it occurred; `at` is the first time."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("app", NAME, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("first_page", LABEL, nullable=False),
    Column("last_page", LABEL, nullable=False),
    Column("release", LABEL, nullable=False),
    Column("environment", LABEL, nullable=False),
    Column("traffic", String(10), nullable=False),
    Column("browser", LABEL, nullable=False),
    Column("system", LABEL, nullable=False),
    Column("device", String(10), nullable=False),
    Column("views", Integer, nullable=False),
    Column("interactions", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("frustrations", Integer, nullable=False, server_default="0"),
    Column("trail", Text, nullable=False, server_default="[]"),
    Index("sessions_by_time", "app", "started_at"),
    Index("sessions_with_errors", "app", "started_at", sqlite_where=text("errors > 0"), postgresql_where=text("errors > 0")),
    Index(
        "sessions_with_frustration",
        "app",
        "started_at",
        sqlite_where=text("frustrations > 0"),
        postgresql_where=text("frustrations > 0"),
    ),
)
"""`trail` has the newest page views as JSON, so that the next one shows whether its visitor went back."""

beacons = Table(
    "beacons",
    metadata,
    Column("number", LARGE, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("changes", Text, nullable=False),
    UniqueConstraint("id").ddl_if(dialect="sqlite"),
)
"""Every beacon of the last day, so that a repeated beacon counts once; `changes` is what is to be added to the roll-ups."""

marks = Table(
    "marks",
    metadata,
    Column("name", String(10), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""`views`, `beacons`: the last number assigned; `rolled`: the last beacon that is in the roll-ups; `sample`: see `samples`.

`series`: the last number when series were removed last; no row before that."""

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("app", NAME, nullable=False),
    Column("page", LABEL, nullable=False),
    Column("traffic", String(10), nullable=False),
    Column("environment", LABEL, nullable=False),
    Column("release", LABEL, nullable=False),
    Column("device", String(10), nullable=False),
    Column("browser", LABEL, nullable=False),
    Column("whole", Integer, nullable=False),
    Column("seen_at", Integer, nullable=False),
    Column("first_at", Integer, nullable=False, server_default="0"),
    Index("series_by_day", "app", "seen_at"),
    Index("series_by_labels", "app", "page", "traffic", "environment", "release", "device", "browser", unique=True),
)
"""Each combination of labels that has roll-ups; `browser` without its version; `seen_at` is the newest day with a view,
`first_at` when the first came.

A page view counts in its own series and in the `whole` series, which has the same labels and an empty page, so that numbers for all
pages need not be added up.
"""

tallies = Table(
    "tallies",
    metadata,
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("at", Integer, primary_key=True, autoincrement=False),
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("views", BigInteger, nullable=False),
    Column("sessions", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("interactions", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    *(Column(sign, BigInteger, nullable=False, server_default="0") for sign in SIGN_COLUMNS),
    sqlite_with_rowid=False,
)
"""Roll-up: counts for the `step` seconds from `at`. `sessions` began then; `failed` views had an error."""

histograms = Table(
    "histograms",
    metadata,
    Column("metric", String(4), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("at", Integer, primary_key=True, autoincrement=False),
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("sum", Float, nullable=False),
    Column("worst", Float, nullable=False),
    Column("view", BigInteger, nullable=False),
    *(Column(bucket, Integer, nullable=False) for bucket in BUCKETS),
    sqlite_with_rowid=False,
)
"""Roll-up: the distribution of a metric, and the number of the view with the largest value."""

reason_tallies = Table(
    "reason_tallies",
    metadata,
    Column("reason", String(16), primary_key=True),
    Column("at", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("views", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Roll-up: how often a reason occurred in the hour from `at`, and in how many views."""
