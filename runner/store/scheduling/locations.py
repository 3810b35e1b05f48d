"""The places that journeys are walked from: which of them are up, and what waits there."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select

from runner.store.scheduling.schedulers import SILENT, find_oldest_sign
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
            connection.execute(
                delete(locations).where(locations.c.reported_at < find_oldest_sign(connection, now) - 9 * SILENT)
            )
            if rows:
                connection.execute(insert(locations), rows)
            return read_locations(connection, now)

    def withdraw(self, reporter: str) -> None:
        """Removes what a scheduler has reported, which ends in order."""
        with self._transaction() as connection:
            connection.execute(delete(locations).where(locations.c.reporter == reporter))


def read_locations(connection: Connection, now: datetime) -> list[LocationState]:
    """The places that the live schedulers serve, or that their journeys name, by name.

    A place is up while a scheduler has heard of its workers within SILENT. The clocks of two machines may differ by half of that. After the
    database was away, what was reported before counts until all have had the time to report again.
    """
    oldest = find_oldest_sign(connection, now)
    wanted = (
        select(locations, schedulers.c.host)
        .outerjoin(schedulers, schedulers.c.id == locations.c.reporter)
        .where(locations.c.reported_at > oldest)
        .order_by(locations.c.location)
    )
    by_name: dict[str, list[_Report]] = {}
    for row in connection.execute(wanted).mappings():
        report = LocationReport(**{name: row[name] for name in LocationReport.__struct_fields__})
        as_of = min(now, row["reported_at"]) if oldest < now - SILENT else now
        by_name.setdefault(report.location, []).append(_Report(report, row["host"] or "", as_of))
    return [_combine(name, found, now) for name, found in by_name.items()]


class _Report(NamedTuple):
    """What a scheduler has reported, from which machine, and at which time its workers are to have been heard of."""

    said: LocationReport
    host: str
    as_of: datetime


def _combine(name: str, found: list[_Report], now: datetime) -> LocationState:
    live = [(one, host) for one, host, as_of in found if one.seen_at is not None and one.seen_at > as_of - SILENT]
    seen = [one.said.seen_at for one in found if one.said.seen_at is not None]
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
