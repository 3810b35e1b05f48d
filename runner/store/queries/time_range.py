"""A span of time."""

from datetime import datetime, timedelta

from msgspec import Struct


class Range(Struct, frozen=True):
    """From `start` to before `end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start
