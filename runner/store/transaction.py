"""How the parts of the store reach the database."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

Transaction = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction, which is committed when its block ends. Raises StoreDown when the database cannot be used."""
