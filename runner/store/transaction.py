"""How the parts of the store reach the database."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from runner.errors import JourneyError

Transaction = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction, which is committed when its block ends. Raises StoreDown when the database cannot be used."""


class StoreDown(JourneyError):
    """The database cannot be used at the moment; what was to be stored has to be stored later."""

    exit_code = 3
