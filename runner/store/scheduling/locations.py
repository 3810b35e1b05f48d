"""The places that journeys are walked from: which of them are up, and what waits there."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select

from runner.store.scheduling.schedulers import SILENT
from runner.store.tables.locations import locations
from runner.store.tables.runs import schedulers
from runner.store.transaction import Transaction


class LocationReport(Struct, frozen=True, kw_only=True):
    """What a scheduler knows about a place."""

    location: str
    seen_at: datetime | None = None
    """When its workers were last heard of; None where only journeys name it."""
    workers: int = 0
    running: int = 0
    waiting: int = 0
    waiting_since: datetime | None = None
    """When the run was due that has waited longest."""


class LocationState(Struct, frozen=True, kw_only=True):
    """A place, according to all schedulers."""

    location: str
    up: bool
    seen_at: datetime | None
    schedulers: int
    """How many of them serve it."""
    hosts: tuple[str, ...]
    workers: int
    running: int
    waiting: int
    waiting_seconds: float


class Locations:
    """The table of locations. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def report(self, reporter: str, reports: Iterable[LocationReport], now: datetime) -> list[LocationState]:
        """Replaces what a scheduler has reported, and returns what all of them know."""
        rows = [asdict(one) | {"reporter": reporter, "reported_at": now} for one in reports]
        with self._transaction() as connection:
            connection.execute(delete(locations).where(locations.c.reporter == reporter))
            # What a killed scheduler has left says nothing for longer than a scheduler may be silent.
            connection.execute(delete(locations).where(locations.c.reported_at < now - 10 * SILENT))
            if rows:
                connection.execute(insert(locations), rows)
            return read_locations(connection, now)

    def withdraw(self, reporter: str) -> None:
        """Removes what a scheduler has reported, which ends in order."""
        with self._transaction() as connection:
            connection.execute(delete(locations).where(locations.c.reporter == reporter))


def read_locations(connection: Connection, now: datetime) -> list[LocationState]:
    """The places that the live schedulers serve, or that their journeys name, by name.

    A place is up while a scheduler has heard of its workers within SILENT. The clocks of two machines may differ by half of that.
    """
    wanted = (
        select(locations, schedulers.c.host)
        .outerjoin(schedulers, schedulers.c.id == locations.c.reporter)
        .where(locations.c.reported_at > now - SILENT)
        .order_by(locations.c.location)
    )
    by_name: dict[str, list[tuple[LocationReport, str]]] = {}
    for row in connection.execute(wanted).mappings():
        report = LocationReport(**{name: row[name] for name in LocationReport.__struct_fields__})
        by_name.setdefault(report.location, []).append((report, row["host"] or ""))
    return [_combine(name, found, now) for name, found in by_name.items()]


def _combine(name: str, found: list[tuple[LocationReport, str]], now: datetime) -> LocationState:
    live = [(one, host) for one, host in found if one.seen_at is not None and one.seen_at > now - SILENT]
    seen = [one.seen_at for one, _ in found if one.seen_at is not None]
    since = [one.waiting_since for one, _ in live if one.waiting_since is not None]
    return LocationState(
        location=name,
        up=bool(live),
        seen_at=max(seen, default=None),
        schedulers=len(live),
        hosts=tuple(sorted({host for _, host in live if host})),
        workers=sum(one.workers for one, _ in live),
        running=sum(one.running for one, _ in live),
        waiting=sum(one.waiting for one, _ in live),
        waiting_seconds=max((now - min(since, default=now)) / timedelta(seconds=1), 0.0),
    )
