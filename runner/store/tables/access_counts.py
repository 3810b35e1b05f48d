"""The tables of what several servers on one database share: attempts to sign in, and journeys that were made from sessions."""

from sqlalchemy import Column, Float, Index, String, Table, Text

from runner.store.tables.page_views import ID
from runner.store.tables.runs import metadata

access_counts = Table(
    "access_counts",
    metadata,
    Column("kind", String(10), primary_key=True),
    Column("key", String(16), primary_key=True),
    Column("level", Float, nullable=False),
    Column("at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("parts", Text, nullable=False),
    Index("access_counts_by_time", "at"),
)
"""What slows down guesses, and what may be used once. `key` is a short hash: a name may be a password that was typed into the wrong field."""

made_journeys = Table(
    "made_journeys",
    metadata,
    Column("session", ID, primary_key=True),
    Column("made_at", Float, nullable=False),
    Column("content", Text, nullable=False),
)
"""The newest journeys that were made from sessions in the dashboard, as JSON."""
