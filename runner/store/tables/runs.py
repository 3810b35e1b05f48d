"""The tables of the store. Durations are seconds, sizes bytes, times UTC; migrations/ upgrades an older database."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)

PHASES = ("redirect", "dns", "connect", "tls", "request", "response", "dom", "load", "ttfb", "total")
VITALS = ("ttfb", "fcp", "lcp", "inp", "cls")


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC: with its zone in PostgreSQL, without in SQLite, which has no such type."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


NAME = String(100)
NOT_PASSED = text("status <> 'passed'")
REPLAYS = text("kind = 'replay'")
NO_SLOT = text("slot_at IS NULL")
metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("journey", NAME, nullable=False),
    Column("location", NAME, nullable=False),
    Column("status", String(10), nullable=False),
    Column("flaky", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("slot_at", UtcDateTime),
    Column("delay_seconds", Float),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("over_budget", Boolean, nullable=False),
    Column("contended", Boolean, nullable=False),
    Column("cpu_busy", Float),
    Column("cpu_pressure", Float),
    Column("runs_beside", Integer),
    Column("failure_kind", String(20)),
    Column("failure_step", Text),
    Column("failure_message", Text),
    Column("last_success_at", UtcDateTime),
    Column("folder", Text),
    Column("tags", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("environment", JSON, nullable=False),
    Column("release", NAME, nullable=False, server_default=""),
    Column("set_aside", Boolean, nullable=False, server_default=false()),
    Column("trigger", String(10), nullable=False, server_default=""),
    Column("browser", String(20), nullable=False, server_default=""),
    Index("runs_by_journey", "journey", "location", "started_at"),
    Index("runs_by_time", "started_at"),
    Index("runs_by_status", "journey", "location", "status", "started_at"),
    # Costs nothing where no releases are set; a query has to contain `release != ''` for the index to be used.
    Index(
        "runs_by_release",
        "journey",
        "location",
        "started_at",
        "release",
        sqlite_where=text("release != ''"),
        postgresql_where=text("release != ''"),
    ),
    Index(
        "runs_of_release",
        "release",
        "started_at",
        sqlite_where=text("release != ''"),
        postgresql_where=text("release != ''"),
    ),
    Index("runs_anywhere", "journey", "started_at", "location", "status"),
    Index("runs_not_passed", "started_at", sqlite_where=NOT_PASSED, postgresql_where=NOT_PASSED),
    # Few where a schedule makes the runs: all runs less these are those of the schedule, and both are counted without the table.
    Index("runs_without_slot", "journey", "started_at", "status", sqlite_where=NO_SLOT, postgresql_where=NO_SLOT),
    Index("runs_not_passed_anywhere", "journey", "started_at", sqlite_where=NOT_PASSED, postgresql_where=NOT_PASSED),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("failure_kind", String(20)),
    Column("failure_step", Text),
    Column("failure_message", Text),
)
"""The attempts before the last one, which is in `runs`."""

steps = Table(
    "steps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("index", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("started_at", UtcDateTime),
    Column("latency_seconds", Float),
    Column("wall_seconds", Float),
    Column("clock", String(10), nullable=False),
    Column("cause", String(12), nullable=False),
    Column("ended_by", String(12), nullable=False),
    Column("budget_seconds", Float),
    *(Column(vital, Float) for vital in VITALS),
    Column("requests_ok", Integer, nullable=False),
    Column("requests_failed", Integer, nullable=False),
    Column("transfer_bytes", BigInteger, nullable=False),
    Column("page_errors", Integer, nullable=False),
    Column("failure_kind", String(20)),
    Column("failure_message", Text),
    Column("phases", JSON(none_as_null=True)),
)
"""`phases` are those of a check's call, in seconds; null for a step in a browser."""

navigations = Table(
    "navigations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("step_id", ForeignKey("steps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("status", Integer),
    Column("protocol", Text, nullable=False),
    Column("redirects", Integer, nullable=False),
    Column("transfer_bytes", BigInteger, nullable=False),
    *(Column(phase, Float) for phase in PHASES),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("path", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("step", Text),
    # Of the kind that is listed by itself.
    Index("artifacts_replays", "run_id", sqlite_where=REPLAYS, postgresql_where=REPLAYS),
)

slots = Table(
    "slots",
    metadata,
    Column("journey", NAME, primary_key=True),
    Column("location", NAME, primary_key=True),
    Column("slot_at", UtcDateTime, primary_key=True),
    Column("state", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", String(36)),
    Column("owner", String(36), nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False),
    Index("slots_open", "state", "owner"),
    Index("slots_by_state", "state", "slot_at"),
)
"""The state of each slot: `claimed` while its run is under way, then `done`; `missed` or `paused` with the reason."""

schedulers = Table(
    "schedulers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("host", Text, nullable=False),
    Column("process", Integer, nullable=False),
    Column("location", NAME, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

pauses = Table(
    "pauses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pattern", NAME, nullable=False),
    Column("until", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)

groups = Table(
    "groups",
    metadata,
    Column("journey", NAME, primary_key=True),
    Column("location", NAME, primary_key=True),
    Column("gateway", Text, primary_key=True),
)
"""The groups of metrics of this monitor that a Pushgateway holds."""

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("journey", NAME, nullable=False),
    Column("location", NAME, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("run_id", String(36)),
    Column("title", Text, nullable=False),
    Index("alerts_open", "journey", "location", "closed_at"),
    Index("alerts_by_end", "closed_at", "opened_at"),
)
"""The alerts of a journey, from when to when."""

mutes = Table(
    "mutes",
    metadata,
    Column("journey", NAME, primary_key=True),
    Column("location", NAME, primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("who", NAME, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
)
"""Alerts about which nothing is sent: until a time, or, where that is null, until the alert ends."""

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert_id", ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("target", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("bad", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Index("messages_unsent", "sent_at", "target"),
)
"""The messages to be sent, one row per address."""

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", NAME, nullable=False),
    Column("credential", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Index("sign_ins_by_end", "ends_at"),
)
"""The sign-ins to the dashboard: `id` is the hash of the browser's cookie, `credential` that of the password or token used."""
