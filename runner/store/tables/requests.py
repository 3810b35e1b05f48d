"""The tables of runs that somebody has asked for: the requests, the runs that each asks for, and what has happened in them so far."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from runner.store.tables.runs import NAME, UtcDateTime, metadata

run_requests = Table(
    "run_requests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("idempotency_key", String(64), nullable=False, unique=True),
    Column("body_digest", String(64), nullable=False),
    Column("who", NAME, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("reason", String(10), nullable=False),
    Column("params", JSON, nullable=False),
    Column("base_url", Text),
    Column("release", NAME, nullable=False, server_default=""),
    Column("deadline", UtcDateTime, nullable=False),
    Column("about_run", String(36)),
    Index("run_requests_by_time", "made_at"),
)
"""`idempotency_key` is a hash of who asked and of the key that came with the request; two requests never have the same."""

requested_runs = Table(
    "requested_runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", ForeignKey("run_requests.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("journey", NAME, nullable=False),
    Column("location", NAME, nullable=False),
    Column("state", String(10), nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("owner", String(36)),
    Column("claimed_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("status", String(10)),
    Column("result", Text),
    Index("requested_runs_by_state", "state", "location"),
)
"""One row per run to make; `id` is the run's. `result` is that of the run as JSON, once it has ended."""

run_events = Table(
    "run_events",
    metadata,
    Column("run_id", ForeignKey("requested_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("data", Text, nullable=False),
)
"""What has happened in a requested run, in order, as JSON; a run's events are written by the scheduler that has claimed it."""
