"""The table of locations: what each scheduler knows about the places that its journeys name."""

from sqlalchemy import Column, Integer, String, Table

from runner.store.tables.runs import NAME, UtcDateTime, metadata

locations = Table(
    "locations",
    metadata,
    Column("location", NAME, primary_key=True),
    Column("reporter", String(36), primary_key=True),
    Column("reported_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime),
    Column("workers", Integer, nullable=False),
    Column("running", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("waiting_since", UtcDateTime),
)
"""A row per place and scheduler, replaced with each heartbeat. `seen_at` is when that scheduler last heard of workers of the place; null when
it only knows that journeys name the place."""
