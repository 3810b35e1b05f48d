"""The engine for a SQLite file."""

import sqlite3

from sqlalchemy import Engine, create_engine, event

LOG = 16_384_000
"""Bytes that the write-ahead log keeps of the disk: as much as the collector writes between two checkpoints."""


def make_file_engine(url: str, patience: float) -> Engine:
    """An engine whose statements wait `patience` seconds for a database that another process has locked."""
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": patience})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        # Readers do not hold up the writer, and what was committed survives a power cut.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # The log of a large transaction gives its space back once it is in the database.
        connection.execute(f"PRAGMA journal_size_limit={LOG}")

    return engine
