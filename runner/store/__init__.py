"""Every run in a database: SQLite beside the saved runs, or PostgreSQL shared by several schedulers; one code path."""

from runner.store.database import Store
from runner.store.transaction import StoreDown

__all__ = ["Store", "StoreDown"]
