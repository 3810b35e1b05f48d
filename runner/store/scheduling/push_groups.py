"""Which groups of metrics a Pushgateway holds, so that they can be deleted when their journey is gone."""

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.exc import IntegrityError

from runner.store.tables.runs import groups
from runner.store.transaction import Transaction


class PushGroups:
    """The table of groups. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, journey: str, location: str, gateway: str) -> None:
        """Records that the gateway holds a group of this journey."""
        try:
            with self._transaction() as connection:
                connection.execute(insert(groups), [{"journey": journey, "location": location, "gateway": gateway}])
        except IntegrityError:
            # It is recorded already.
            return

    def held(self, gateway: str) -> list[tuple[str, str]]:
        """Journey and location of each group that the gateway holds."""
        with self._transaction() as connection:
            wanted = select(groups.c.journey, groups.c.location).where(groups.c.gateway == gateway)
            return [(row.journey, row.location) for row in connection.execute(wanted)]

    def remove(self, journey: str, location: str, gateway: str) -> None:
        """Records that the gateway's group of this journey was deleted."""
        with self._transaction() as connection:
            same = and_(groups.c.journey == journey, groups.c.location == location, groups.c.gateway == gateway)
            connection.execute(delete(groups).where(same))
