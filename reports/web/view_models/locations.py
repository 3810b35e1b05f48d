"""Places: which are up, what waits there, and what fails at one of them."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from reports.web.query.time_range import TimeRange
from runner.store.queries.elsewhere import newest_by_place
from runner.store.queries.runs import History, JourneyRow, RunRow
from runner.store.queries.tallies import TalliesByPlace, Tally, total
from runner.store.scheduling.locations import LocationState, read_locations

NAMED = 5
"""Journeys that fail at a place and are listed."""


class FailingJourney(Struct, frozen=True, kw_only=True):
    """A journey whose newest run at a place failed."""

    journey: str
    run: str
    only_here: bool
    """Whether its newest runs at all other places passed."""


class LocationRow(Struct, frozen=True, kw_only=True):
    """A place over the span."""

    location: str
    up: bool | None
    """None where no live scheduler knows of it: there are only runs of before."""
    seen_at: datetime | None
    hosts: tuple[str, ...]
    workers: int
    running: int
    waiting: int
    waiting_seconds: float
    journeys: int
    """That were ever run there."""
    newest: RunRow | None
    passed: int
    failed: int
    errors: int
    availability: float | None
    """The share of passed runs among those that passed or failed."""
    p95_seconds: float | None
    failing: tuple[FailingJourney, ...]


class LocationList(Struct, frozen=True, kw_only=True):
    """All places, by name."""

    locations: tuple[LocationRow, ...]


class PlaceFigures(Struct, frozen=True, kw_only=True):
    """A journey at one of its places, over the span."""

    location: str
    newest: RunRow | None
    runs: int
    passed: int
    failed: int
    errors: int
    availability: float | None
    p50_seconds: float | None
    p95_seconds: float | None


def read_location_list(connection: Connection, time_range: TimeRange, now: datetime) -> LocationList:
    """The data of the page."""
    states = {one.location: one for one in read_locations(connection, now)}
    rows = History(connection).journeys(time_range.range)
    by_place: dict[str, list[JourneyRow]] = {name: [] for name in states}
    passing: dict[str, set[str]] = {}
    failing: dict[str, set[str]] = {}
    for row in rows:
        by_place.setdefault(row.location, []).append(row)
        where = failing if row.newest and row.newest.status == "failed" else passing
        where.setdefault(row.journey, set()).add(row.location)
    only = {name for name, places in failing.items() if len(places) == 1 and passing.get(name)}
    return LocationList(locations=tuple(_row(name, states.get(name), by_place[name], only) for name in sorted(by_place)))


def _row(name: str, state: LocationState | None, rows: list[JourneyRow], only: set[str]) -> LocationRow:
    tally = total(row.tally for row in rows)
    newest = max((row.newest for row in rows if row.newest), key=lambda one: one.started_at, default=None)
    failing = [row for row in rows if row.newest and row.newest.status == "failed"]
    return LocationRow(
        location=name,
        up=state.up if state else None,
        seen_at=state.seen_at if state else None,
        hosts=state.hosts if state else (),
        workers=state.workers if state else 0,
        running=state.running if state else 0,
        waiting=state.waiting if state else 0,
        waiting_seconds=state.waiting_seconds if state else 0.0,
        journeys=len(rows),
        newest=newest,
        passed=tally.passed,
        failed=tally.failed,
        errors=tally.error,
        availability=tally.availability,
        p95_seconds=tally.durations.quantile(0.95),
        failing=tuple(
            FailingJourney(journey=row.journey, run=row.newest.id, only_here=row.journey in only)
            for row in failing
            if row.newest
        ),
    )


def read_places(connection: Connection, journey: str, by_place: TalliesByPlace) -> tuple[PlaceFigures, ...]:
    """A journey at each of its places, side by side, from its tallies; empty where it has one place only."""
    newest = newest_by_place(connection, journey)
    if len(newest) < 2:
        return ()
    return tuple(
        _figures(place, run, total(by_place.get((journey, place), {}).values())) for place, run in sorted(newest.items())
    )


def _figures(place: str, newest: RunRow | None, tally: Tally) -> PlaceFigures:
    return PlaceFigures(
        location=place,
        newest=newest,
        runs=tally.total,
        passed=tally.passed,
        failed=tally.failed,
        errors=tally.error,
        availability=tally.availability,
        p50_seconds=tally.durations.quantile(0.5),
        p95_seconds=tally.durations.quantile(0.95),
    )
