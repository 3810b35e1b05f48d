"""The tables of the status page's incidents, as far as people have written them: those that are made from failures are not stored."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from runner.store.tables.runs import NAME, UtcDateTime, metadata

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("component", NAME, nullable=False),
    Column("measured_at", UtcDateTime),
    Column("started_at", UtcDateTime, nullable=False),
    Column("title", Text, nullable=False),
    Column("impact", String(20), nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("who", NAME, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Index("incidents_by_start", "started_at"),
)
"""`measured_at` is a moment of the outage that the row belongs to; null for an incident without one."""

incident_updates = Table(
    "incident_updates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("state", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("who", NAME, nullable=False),
)
"""What people have written about an incident, one row per message."""
