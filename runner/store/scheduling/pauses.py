"""Pauses: journeys that schedulers leave out for a while."""

from datetime import datetime
from fnmatch import fnmatchcase

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, or_, select

from runner.store.tables.runs import pauses
from runner.store.transaction import Transaction


class Pause(Struct, frozen=True):
    """Journeys whose name matches `pattern` are not run until a time, or, without one, until they are resumed."""

    pattern: str
    until: datetime | None
    reason: str
    made_at: datetime

    def holds_at(self, moment: datetime) -> bool:
        """Whether it had begun by then, and not ended."""
        return self.made_at <= moment and (self.until is None or self.until > moment)

    def applies_to(self, journey: str) -> bool:
        """Whether the journey's name matches."""
        return fnmatchcase(journey, self.pattern)

    def describe(self) -> str:
        """The reason, and until when."""
        return self.reason + (f" until {self.until:%Y-%m-%d %H:%M}Z" if self.until else "")


class Pauses:
    """The table of pauses. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def pause(self, pattern: str, until: datetime | None, reason: str, now: datetime) -> None:
        """Pauses the journeys whose name matches; replaces an earlier pause of the same pattern."""
        with self._transaction() as connection:
            connection.execute(delete(pauses).where(pauses.c.pattern == pattern))
            row = {"pattern": pattern, "until": until, "reason": reason, "made_at": now}
            connection.execute(insert(pauses), [row])

    def resume(self, name: str) -> list[str]:
        """Deletes the pauses whose pattern matches a journey's name or is `name` itself; returns their patterns."""
        with self._transaction() as connection:
            patterns = connection.execute(select(pauses.c.pattern)).scalars()
            found = [pattern for pattern in patterns if pattern == name or fnmatchcase(name, pattern)]
            connection.execute(delete(pauses).where(pauses.c.pattern.in_(found)))
            return found

    def active(self, now: datetime) -> list[Pause]:
        """The pauses that hold at a time."""
        with self._transaction() as connection:
            return read_active_pauses(connection, now)


def read_active_pauses(connection: Connection, now: datetime) -> list[Pause]:
    """The pauses that hold at a time."""
    wanted = select(pauses.c.pattern, pauses.c.until, pauses.c.reason, pauses.c.made_at).where(
        or_(pauses.c.until.is_(None), pauses.c.until > now)
    )
    return [Pause(*row) for row in connection.execute(wanted)]
