"""Sample data: made-up runs and page views with which a new, empty store begins, and the mark until when everything is a sample."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from runner.store.tables.page_views import marks, page_views
from runner.store.tables.runs import runs
from runner.store.transaction import Transaction

_MARK = "sample"


class Samples:
    """The mark of sample data. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def has_room(self) -> bool:
        """Whether the store has no run and no page view: a sample is never mixed with what was measured before."""
        with self._transaction() as connection:
            return not any(connection.execute(select(table).limit(1)).first() for table in (runs, page_views))

    def mark(self, end: datetime) -> None:
        """Marks everything before `end` as a sample, for good."""
        with self._transaction() as connection:
            connection.execute(insert(marks), [{"name": _MARK, "value": int(end.timestamp())}])


def read_sample_end(connection: Connection) -> datetime | None:
    """The time before which everything in the store is a sample; None if it has none."""
    seconds = connection.execute(select(marks.c.value).where(marks.c.name == _MARK)).scalar()
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
