"""Since when the database can be reached: whoever could not write a sign of life meanwhile was not silent."""

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

NAME = "contact"
"""The option of an engine that holds its contact."""
UPTIME = text("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())")


class Contact:
    """When a process last failed to reach its database."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed_at = -math.inf

    def watch(self, engine: Engine) -> None:
        """Notes the failures of an engine, also those that it hides by connecting again."""
        engine.update_execution_options(**{NAME: self})

        @event.listens_for(engine, "handle_error")
        def _note(context: ExceptionContext) -> None:
            if context.is_disconnect:
                self.note_failure()

    def note(self, error: DBAPIError) -> None:
        """Notes an error, unless it is about what was asked."""
        if isinstance(error, OperationalError | InterfaceError):
            self.note_failure()

    def note_failure(self) -> None:
        """The database cannot be reached at the moment."""
        self._failed_at = self._clock()

    @property
    def seconds(self) -> float:
        """How long there was no failure; infinite if there never was one."""
        return self._clock() - self._failed_at


def read_seconds_up(connection: Connection) -> float:
    """How long the server has been running: a process that began after an outage has seen no failure. Infinite for a file."""
    return float(connection.execute(UPTIME).scalar_one()) if connection.dialect.name == "postgresql" else math.inf


def reachable_since(connection: Connection, now: datetime) -> datetime | None:
    """Since when the database can be reached, as far as this process knows; None if it was never away."""
    contact = connection.get_execution_options().get(NAME)
    seconds = min(contact.seconds if isinstance(contact, Contact) else math.inf, read_seconds_up(connection))
    return None if math.isinf(seconds) else now - timedelta(seconds=seconds)
