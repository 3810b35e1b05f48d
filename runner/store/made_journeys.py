"""Journeys that were made from sessions in the dashboard: the newest, as JSON, for whichever server is asked for one."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from runner.store.tables.access_counts import made_journeys
from runner.store.transaction import Transaction

KEPT = 50
"""Journeys: some kilobytes each."""


class MadeJourneys:
    """Keeps them. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def put(self, session: str, content: str, now: datetime) -> None:
        """Keeps one in place of an earlier one of the same session; the oldest of too many is removed."""
        at = made_journeys.c.made_at
        with self._transaction() as connection:
            connection.execute(delete(made_journeys).where(made_journeys.c.session == session))
            connection.execute(insert(made_journeys), [{"session": session, "made_at": now.timestamp(), "content": content}])
            last = connection.execute(select(at).order_by(at.desc()).offset(KEPT).limit(1)).scalar()
            if last is not None:
                connection.execute(delete(made_journeys).where(at <= last))


def read_made_journey(connection: Connection, session: str) -> str | None:
    """The newest of a session; None if there is none."""
    found: str | None = connection.execute(select(made_journeys.c.content).where(made_journeys.c.session == session)).scalar()
    return found
