"""The tables of recorded sessions: where the chunks of each recording are, and the events that pages reported about their sessions.

Times are seconds since the epoch, by the browser's clock except for `received_at`.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, UniqueConstraint

from runner.store.tables.runs import NAME, metadata

ID = String(70)
LABEL = String(200)
LARGE = BigInteger().with_variant(Integer, "sqlite")

replay_chunks = Table(
    "replay_chunks",
    metadata,
    Column("id", LARGE, primary_key=True),
    Column("app", NAME, nullable=False),
    Column("session", ID, nullable=False),
    Column("tab", ID, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("first_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("events", Integer, nullable=False),
    Column("has_full_snapshot", Boolean, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("received_at", Float, nullable=False),
    Column("traffic", String(10), nullable=False),
    Column("release", LABEL, nullable=False),
    Column("page", LABEL, nullable=False),
    UniqueConstraint("session", "tab", "sequence", name="replay_chunks_once"),
    Index("replay_chunks_by_time", "received_at"),
)
"""`checksum` is the SHA-256 of the file; `page` the template of the first page in the chunk, "" without one."""

session_events = Table(
    "session_events",
    metadata,
    Column("id", LARGE, primary_key=True),
    Column("app", NAME, nullable=False),
    Column("session", ID, nullable=False),
    Column("type", LABEL, nullable=False),
    Column("target", LABEL, nullable=False),
    Column("at", Float, nullable=False),
    Column("received_at", Float, nullable=False),
    Index("session_events_by_session", "session", "at"),
    Index("session_events_by_time", "received_at"),
)
