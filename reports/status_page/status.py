"""What the status page says, from the store: state, days and incidents of each component."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import Struct
from sqlalchemy import Connection

from runner.settings.maintenance import MaintenanceWindow
from runner.settings.parsers.status_page import StatusPage
from runner.store.queries.days import DayCount, read_day_counts, sum_day_counts
from runner.store.queries.outages import read_outages
from runner.store.queries.time_range import Range
from runner.store.samples import read_sample_end

DAYS = 90
AHEAD = timedelta(days=14)
"""How far maintenance is announced."""
ANNOUNCED = 10

State = Literal["available", "partly available", "not available", "not known"]
WORST: tuple[State, ...] = ("not available", "partly available", "not known", "available")


class Incident(Struct, frozen=True, kw_only=True):
    """A time in which a component was not available, for all or for some."""

    component: str
    started_at: datetime
    ended_at: datetime | None
    """None while it lasts."""


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
    connection: Connection, page: StatusPage, now: datetime, fails: int = 2, windows: Sequence[MaintenanceWindow] = ()
) -> Status:
    """The page's data. An outage of fewer than `fails` runs is not one for the public: the first failure may be chance."""
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    by_name: dict[str, list[str]] = {}
    for journey, name in page.journeys.items():
        by_name.setdefault(name, []).append(journey)
    components, incidents = [], []
    for name, journeys in by_name.items():
        counts: dict[tuple[str, str], list[DayCount]] = {}
        own: list[Incident] = []
        states: list[State] = []
        for journey in journeys:
            here = read_day_counts(connection, first, journey)
            counts |= here
            outages = [one for one in read_outages(connection, journey, None, Range(first, now)) if one.runs >= fails]
            own += [Incident(component=name, started_at=one.started_at, ended_at=one.ended_at) for one in outages]
            failing = {one.location for one in outages if one.ended_at is None}
            passing = {location for (_, location), some in here.items() if any(one.passed for one in some)}
            states.append(_judge(failing, passing | failing))
        days = sum_day_counts(counts)
        passed, failed = sum(one.passed for one in days), sum(one.failed for one in days)
        components.append(
            Component(
                name=name,
                state=_combine(states),
                availability=passed / (passed + failed) if passed + failed else None,
                days=tuple(
                    PublicDay(day=f"{one.day:%Y-%m-%d}", availability=round(one.availability, 4))
                    for one in days
                    if one.availability is not None
                ),
            )
        )
        incidents += _merge(own)
    return Status(
        title=page.title,
        at=now.replace(microsecond=0),
        components=tuple(components),
        incidents=tuple(sorted(incidents, key=lambda one: one.started_at, reverse=True)),
        maintenance=tuple(_plan(by_name, windows, now)),
        sample_end=read_sample_end(connection),
    )


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


def _merge(incidents: Sequence[Incident]) -> list[Incident]:
    """Incidents of a component that overlap, as one."""
    merged: list[Incident] = []
    for one in sorted(incidents, key=lambda one: one.started_at):
        last = merged[-1] if merged else None
        if last is None or (last.ended_at is not None and last.ended_at < one.started_at):
            merged.append(one)
            continue
        ended = None if last.ended_at is None or one.ended_at is None else max(last.ended_at, one.ended_at)
        merged[-1] = Incident(component=one.component, started_at=last.started_at, ended_at=ended)
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
