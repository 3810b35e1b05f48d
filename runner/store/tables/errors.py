"""The tables about errors of real users: what somebody has decided about them, and the source maps that explain them."""

from sqlalchemy import BigInteger, Column, Float, Index, String, Table, Text

from runner.store.tables.page_views import LABEL, LARGE
from runner.store.tables.runs import NAME, metadata

error_states = Table(
    "error_states",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("app", NAME, nullable=False),
    Column("state", String(10), nullable=False),
    Column("release", LABEL, nullable=False),
    Column("who", String(100), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("reopened_at", Float),
    Column("reopened_in", LABEL, nullable=False),
)
"""What was decided about a group of errors (`reasons.error_group`): `resolved` in a release, or `ignored`; `reopened` when it came again
in a later release. A group without a row is open."""

source_maps = Table(
    "source_maps",
    metadata,
    Column("number", LARGE, primary_key=True),
    Column("app", NAME, nullable=False),
    Column("release", LABEL, nullable=False),
    Column("script", Text, nullable=False),
    Column("debug_id", String(36), nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("uploaded_at", Float, nullable=False),
    Column("who", String(100), nullable=False),
    Index("source_maps_by_script", "release", "app", "script", unique=True),
)
"""A row for each script of a release that has a map; `app` is empty if it belongs to all. The file is named by its checksum alone."""
