"""The schedulers that share the database: which of them are alive, and what the dead ones have left open."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, union, update

from runner.store.engines.contact import reachable_since
from runner.store.scheduling.slots import SKEW, OpenSlot
from runner.store.tables.locations import locations
from runner.store.tables.runs import schedulers, slots
from runner.store.transaction import Transaction

SILENT = timedelta(seconds=60)
"""A scheduler without a heartbeat for this long counts as dead."""
LOST_AFTER = 2 * SILENT
"""Without one for this long, and with its runs taken over by no other scheduler, nobody waits for these any more."""
REGISTERED = timedelta(days=1)
"""After the database was away, whoever was heard of within this long counts as alive, until everybody has had the time to be heard again."""


class Schedulers:
    """The table of schedulers. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._registered: dict[str, dict[str, Any]] = {}

    def register(self, owner: str, host: str, process: int, location: str, now: datetime) -> None:
        """Adds a scheduler that starts."""
        row = {"id": owner, "host": host, "process": process, "location": location, "started_at": now, "seen_at": now}
        with self._transaction() as connection:
            connection.execute(insert(schedulers), [row])
        self._registered[owner] = row

    def heartbeat(self, owner: str, now: datetime) -> None:
        """Records that a scheduler is alive. If it is no longer registered, because others took it for dead while the database was away, or
        because a failover has lost its row, it is registered again: else nobody would notice when it is killed."""
        with self._transaction() as connection:
            known = connection.execute(update(schedulers).where(schedulers.c.id == owner).values(seen_at=now)).rowcount
            if not known and owner in self._registered:
                connection.execute(insert(schedulers), [self._registered[owner] | {"seen_at": now}])

    def unregister(self, owner: str) -> None:
        """Removes a scheduler that ends in order."""
        self._registered.pop(owner, None)
        with self._transaction() as connection:
            connection.execute(delete(schedulers).where(schedulers.c.id == owner))

    def count_live(self, location: str, now: datetime) -> int:
        """How many schedulers of a location have given a sign of life lately."""
        here = select(func.count()).select_from(schedulers).where(schedulers.c.location == location)
        with self._transaction() as connection:
            return connection.execute(here.where(schedulers.c.seen_at > find_oldest_sign(connection, now))).scalar_one()

    def adopt_orphans(self, owner: str, now: datetime, alone: bool) -> list[OpenSlot]:
        """Makes `owner` the owner of the open slots of dead schedulers and returns them.

        With `alone`, no other scheduler can be at work, so all others count as dead. Else nobody does when the database was away lately.
        """
        with self._transaction() as connection:
            dead = schedulers.c.id != owner
            if not alone:
                dead = and_(dead, or_(schedulers.c.seen_at < now - SILENT, schedulers.c.seen_at > now + SKEW))
            ids = list(connection.execute(select(schedulers.c.id).where(dead)).scalars())
            if not ids or (not alone and was_away(connection, now)):
                return []
            theirs = and_(slots.c.state == "claimed", slots.c.owner.in_(ids))
            found = connection.execute(
                select(slots.c.journey, slots.c.location, slots.c.slot_at, slots.c.run_id, slots.c.claimed_at)
                .where(theirs)
                .with_for_update()
            ).all()
            connection.execute(update(slots).where(theirs).values(owner=owner))
            connection.execute(delete(schedulers).where(schedulers.c.id.in_(ids)))
            return [OpenSlot(*row) for row in found]


def was_away(connection: Connection, now: datetime) -> bool:
    """Whether the database was away within SILENT: then a scheduler may not have been able to give a sign of life."""
    since = reachable_since(connection, now)
    return since is not None and since > now - SILENT


def find_oldest_sign(connection: Connection, now: datetime) -> datetime:
    """What has given no sign of life since then counts as silent."""
    return now - (REGISTERED if was_away(connection, now) else SILENT)


def read_live_locations(connection: Connection, now: datetime) -> set[str]:
    """The locations with a scheduler, or with workers elsewhere, that have given a sign of life lately."""
    oldest = find_oldest_sign(connection, now)
    own = select(schedulers.c.location).where(schedulers.c.seen_at > oldest)
    heard = select(locations.c.location).where(locations.c.reported_at > oldest, locations.c.seen_at > oldest)
    return set(connection.execute(union(own, heard)).scalars())


def is_any_scheduler_alive(connection: Connection, now: datetime) -> bool:
    """Whether at least one scheduler has given a sign of life lately."""
    wanted = select(schedulers.c.id).where(schedulers.c.seen_at > find_oldest_sign(connection, now)).limit(1)
    return connection.execute(wanted).first() is not None
