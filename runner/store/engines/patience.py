"""How long a transaction waits for the server."""

import math
from typing import Any

from sqlalchemy import Connection

ANSWER = 20.0
"""Seconds that a server may take for an answer, which a statement that waits for a lock may need; below the 30 s after which a scheduler
counts as stalled."""


def allow_any_time(connection: Connection) -> None:
    """Lets the statements of this transaction take as long as they need. A file answers by itself."""
    driver: Any = connection.connection.driver_connection
    if hasattr(driver, "patience"):
        driver.patience = math.inf
