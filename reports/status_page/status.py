"""What the status page says, from the store: state, days and incidents of each component."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from reports.status_page.incidents import Incident, KnownIncident, MeasuredOutage, read_known_incidents
from reports.status_page.several_places import merge_places
from runner.settings.parsers.locations import LocationCount
from runner.settings.parsers.status_page import StatusPage
from runner.settings.sections.maintenance import MaintenanceWindow
from runner.store.queries.elsewhere import newest_by_place
from runner.store.queries.history.days import DayCount, read_day_counts, sum_day_counts
from runner.store.queries.history.outages import Outage, read_outages
from runner.store.queries.time_range import Range
from runner.store.samples import read_sample_end
from runner.store.scheduling.locations import read_locations

DAYS = 90
AHEAD = timedelta(days=14)
"""How far maintenance is announced."""
ANNOUNCED = 10
ONE_PLACE = LocationCount()
"""Each place has outages of its own."""

State = Literal["available", "partly available", "not available", "not known"]
WORST: tuple[State, ...] = ("not available", "partly available", "not known", "available")


class PlannedMaintenance(Struct, frozen=True, kw_only=True):
    """A maintenance window that is to come, or is open."""

    component: str
    starts_at: datetime
    ends_at: datetime


class PublicDay(Struct, frozen=True, kw_only=True):
    """A day (UTC)."""

    day: str
    availability: float


class Component(Struct, frozen=True, kw_only=True):
    """One or several journeys, under their public name."""

    name: str
    state: State
    availability: float | None
    """Of the last days."""
    days: tuple[PublicDay, ...]


class Status(Struct, frozen=True, kw_only=True):
    """All that is public."""

    title: str
    at: datetime
    components: tuple[Component, ...]
    incidents: tuple[Incident, ...]
    """The newest first."""
    maintenance: tuple[PlannedMaintenance, ...]
    sample_end: datetime | None = None
    """The time before which all runs were made up, by `journey demo`; None if none were."""

    @property
    def state(self) -> State:
        """The worst of the components'."""
        states = {one.state for one in self.components}
        return next((one for one in WORST if one in states), "not known")


def read_status(
    connection: Connection,
    page: StatusPage,
    now: datetime,
    fails: int = 2,
    windows: Sequence[MaintenanceWindow] = (),
    rule: LocationCount = ONE_PLACE,
) -> Status:
    """The page's data. An outage of fewer than `fails` runs is not one for the public: the first failure may be chance.

    Neither is one at fewer places than it takes by `rule`, as for alerts.
    """
    first, by_name = _first_day(now), _by_name(page)
    measured = {name: _read_outages(connection, journeys, Range(first, now), fails, rule) for name, journeys in by_name.items()}
    known = _read_known(connection, measured, first, rule)
    components = []
    for name, journeys in by_name.items():
        counts: dict[tuple[str, str], list[DayCount]] = {}
        states: list[State] = []
        for journey in journeys:
            here = read_day_counts(connection, first, journey)
            counts |= here
            failing = {one.location for one in measured[name][journey] if one.ended_at is None}
            passing = {location for (_, location), some in here.items() if any(one.passed for one in some)}
            enough = rule.needed(len({location for _, location in here})) > 1
            # Where it takes several places, an outage is one of the journey, not of a place.
            states.append(_judge(failing, failing if enough and failing else passing | failing))
        days = sum_day_counts(counts)
        passed, failed = sum(one.passed for one in days), sum(one.failed for one in days)
        components.append(
            Component(
                name=name,
                state=_worsen(_combine(states), name, known),
                availability=passed / (passed + failed) if passed + failed else None,
                days=tuple(
                    PublicDay(day=f"{one.day:%Y-%m-%d}", availability=round(one.availability, 4))
                    for one in days
                    if one.availability is not None
                ),
            )
        )
    return Status(
        title=page.title,
        at=now.replace(microsecond=0),
        components=tuple(components),
        incidents=tuple(one.publish() for one in known if not one.hidden),
        maintenance=tuple(_plan(by_name, windows, now)),
        sample_end=read_sample_end(connection),
    )


def read_incidents(
    connection: Connection, page: StatusPage, now: datetime, fails: int = 2, rule: LocationCount = ONE_PLACE
) -> list[KnownIncident]:
    """The page's incidents, with those that the public does not see, the newest first."""
    first = _first_day(now)
    measured = {
        name: _read_outages(connection, journeys, Range(first, now), fails, rule) for name, journeys in _by_name(page).items()
    }
    return _read_known(connection, measured, first, rule)


def _first_day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)


def _by_name(page: StatusPage) -> dict[str, list[str]]:
    """The journeys of each component."""
    found: dict[str, list[str]] = {}
    for journey, name in page.journeys.items():
        found.setdefault(name, []).append(journey)
    return found


def _read_outages(
    connection: Connection, journeys: Sequence[str], span: Range, fails: int, rule: LocationCount
) -> dict[str, list[Outage]]:
    down = {one.location for one in read_locations(connection, span.end) if not one.up} if rule != ONE_PLACE else set()
    found = {}
    for journey in journeys:
        outages = [one for one in read_outages(connection, journey, None, span) if one.runs >= fails]
        if rule != ONE_PLACE:
            places = set(newest_by_place(connection, journey)) - down
            # What lasts at a place that is gone says nothing: its scheduler would not notice the end.
            outages = [one for one in outages if one.ended_at or one.location in places]
            outages = merge_places(outages, len(places), rule)
        found[journey] = outages
    return found


def _read_known(
    connection: Connection, measured: Mapping[str, Mapping[str, Sequence[Outage]]], first: datetime, rule: LocationCount
) -> list[KnownIncident]:
    merged: list[MeasuredOutage] = []
    for name, of_journeys in measured.items():
        outages = [one for some in of_journeys.values() for one in some]
        places = {journey: _read_places(connection, journey, first, rule) for journey in of_journeys} if outages else {}
        for whole in _merge(
            [MeasuredOutage(component=name, started_at=one.started_at, ended_at=one.ended_at) for one in outages]
        ):
            spared = any(_was_spared(whole, some, places[journey]) for journey, some in of_journeys.items())
            merged.append(replace(whole, partial=spared))
    return read_known_incidents(connection, merged, list(measured), first)


def _read_places(connection: Connection, journey: str, first: datetime, rule: LocationCount) -> set[str]:
    """Where a journey has outages of its own; empty where its outages are of several places together."""
    places = {place for place, row in newest_by_place(connection, journey).items() if row and row.started_at >= first}
    return places if rule.needed(len(places)) < 2 else set()


def _was_spared(whole: MeasuredOutage, outages: Sequence[Outage], places: set[str]) -> bool:
    """Whether a journey, or one of its places, had no part in an outage of its component; in one that lasts: has none now."""
    if whole.ended_at is None:
        failing = {one.location for one in outages if one.ended_at is None}
    else:
        failing = {one.location for one in outages if whole.started_at <= one.started_at <= whole.ended_at}
    return not failing or not failing >= places


def _worsen(state: State, name: str, known: Sequence[KnownIncident]) -> State:
    """What people say of a component makes its state worse than the runs show, never better."""
    said: set[State] = {
        one.impact for one in known if one.component == name and not one.hidden and not one.ended_at and one.impact != "none"
    }
    return next(one for one in WORST if one in {state, *said})


def _judge(failing: set[str], places: set[str]) -> State:
    """`places`: the locations that have shown something; a first failure that nothing has confirmed shows neither."""
    if not places:
        return "not known"
    return "available" if not failing else "not available" if failing >= places else "partly available"


def _combine(states: Sequence[State]) -> State:
    """Of several journeys under one name: some that do not pass leave the rest available."""
    if len(set(states)) == 1:
        return states[0]
    return "partly available" if {"not available", "partly available"} & set(states) else "not known"


def _merge(outages: Sequence[MeasuredOutage]) -> list[MeasuredOutage]:
    """Outages of a component that overlap, as one."""
    merged: list[MeasuredOutage] = []
    for one in sorted(outages, key=lambda one: one.started_at):
        last = merged[-1] if merged else None
        if last is None or (last.ended_at is not None and last.ended_at < one.started_at):
            merged.append(one)
            continue
        ended = None if last.ended_at is None or one.ended_at is None else max(last.ended_at, one.ended_at)
        merged[-1] = MeasuredOutage(component=one.component, started_at=last.started_at, ended_at=ended)
    return merged


def _plan(by_name: dict[str, list[str]], windows: Sequence[MaintenanceWindow], now: datetime) -> list[PlannedMaintenance]:
    found = []
    for window in windows:
        for name, journeys in by_name.items():
            if not any(window.applies_to(journey) for journey in journeys):
                continue
            length = timedelta(seconds=window.duration)
            local = (now - length).astimezone(ZoneInfo(window.timezone))
            for start in CronSim(window.cron, local):
                at = start.astimezone(now.tzinfo)
                if at > now + AHEAD:
                    break
                found.append(PlannedMaintenance(component=name, starts_at=at, ends_at=at + length))
                if len(found) >= ANNOUNCED:
                    break
    return sorted(found, key=lambda one: one.starts_at)[:ANNOUNCED]
