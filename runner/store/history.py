"""What was: the runs of a span of time, summed up for people. Every question is answered from indices and sums by the hour.

Spans longer than `CLOSE` are answered to the hour in which they begin; shorter ones run by run. What is asked of longer ones
still is added up of whole days, and of hours at both ends.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field
from sqlalchemy import Column, Connection, Table, and_, func, or_, select, text

from runner.result import Status
from runner.store.rollups import STATUSES, day_of, hour_of, journeys, run_days, run_hours, step_days, step_hours
from runner.store.schema import alerts, artifacts, navigations, runs, slots, steps
from runner.store.sketch import Sketch
from runner.store.store import Store

CLOSE = timedelta(hours=6)
"""Up to this length every run is looked at."""
HOURS = timedelta(days=8)
"""Up to this length all journeys are added up of hours …"""
HOURS_OF_STEPS = timedelta(days=32)
"""… and the steps of one journey, of which a longer line is drawn."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POINTS = 1_500
"""Runs that are drawn one by one; of more, spans are drawn."""
SPANS = 240
"""Of time, at most, that a longer series is cut into."""
VARYING = re.compile(r"\b(?=[a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b|\d+", re.IGNORECASE)
"""What differs from run to run in a message: numbers, and ids in hexadecimal digits."""


class Range(Struct, frozen=True):
    """From `start` to before `end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


class RunRow(Struct, frozen=True, kw_only=True):
    """A run as lists show it."""

    id: str
    journey: str
    location: str
    status: Status
    started_at: datetime
    duration_seconds: float
    attempts: int = 1
    flaky: bool = False
    over_budget: bool = False
    contended: bool = False
    failure_kind: str | None = None
    failure_step: str | None = None
    failure_message: str | None = None
    release: str = ""


class Tally(Struct, kw_only=True):
    """How many runs ended how."""

    passed: int = 0
    failed: int = 0
    error: int = 0
    cancelled: int = 0
    flaky: int = 0
    over_budget: int = 0
    contended: int = 0
    durations: Sketch = field(default_factory=Sketch)

    @property
    def total(self) -> int:
        """All runs."""
        return self.passed + self.failed + self.error + self.cancelled

    @property
    def availability(self) -> float | None:
        """Share of the site's answers that were good: what the monitor itself has failed in says nothing of the site."""
        told = self.passed + self.failed
        return self.passed / told if told else None

    @property
    def flaky_rate(self) -> float | None:
        """Share of the passed runs that needed another attempt."""
        return self.flaky / self.passed if self.passed else None

    def merge(self, other: "Tally") -> None:
        """Adds another."""
        for name in (*STATUSES, "flaky", "over_budget", "contended"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.durations.merge(other.durations)


class JourneyRow(Struct, frozen=True, kw_only=True):
    """A journey at a location, over a span."""

    journey: str
    location: str
    newest: RunRow | None
    tally: Tally
    series: tuple[tuple[datetime, Tally], ...]
    """By the hour, or by a longer span; by a twelfth of an hour where the whole is short."""


class Point(Struct, frozen=True, kw_only=True):
    """A step at a moment: of one run, or of a span with so many."""

    at: datetime
    p50: float | None
    p95: float | None = None
    count: int = 1
    run: str | None = None
    status: Status | None = None
    contended: bool = False


class StepLine(Struct, frozen=True, kw_only=True):
    """A step over a span of time."""

    step: str
    points: tuple[Point, ...]
    p50: float | None
    p95: float | None
    """Over the whole span, of the runs in which it passed; within 3 %."""
    budget_seconds: float | None = None


class Mark(Struct, frozen=True, kw_only=True):
    """A moment at which runs did not pass, or were measured on a crowded machine: one run, or a span with so many."""

    at: datetime
    failed: int
    errors: int
    contended: int
    count: int = 1
    """All runs there."""
    run: str | None = None


class Reason(Struct, frozen=True, kw_only=True):
    """Runs that did not pass for the same reason."""

    kind: str
    step: str | None
    message: str
    status: Status
    count: int
    first_at: datetime
    last_at: datetime
    last_run: str


class History:
    """Answers questions about the runs of a store. Raises StoreDown when the database cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # All journeys

    def journeys(self, span: Range, location: str | None = None) -> list[JourneyRow]:
        """Every journey that was ever run, with what became of its runs in the span; by name.

        Costs one row a journey and hour, or day of a span longer than HOURS; or, for spans up to CLOSE, one a run.
        """
        with self._store.connected() as connection:
            known = select(journeys.c.journey, journeys.c.location, journeys.c.newest_run).order_by(
                journeys.c.journey, journeys.c.location
            )
            if location is not None:
                known = known.where(journeys.c.location == location)
            keys = {(row.journey, row.location): row.newest_run for row in connection.execute(known)}
            newest = {one.id: one for one in _runs(connection, runs.c.id.in_(list(keys.values())))}
            tallies = self._tallies(connection, span, location=location)
        series = {key: _coarser(tallies[key], span, 60) for key in keys}
        return [
            JourneyRow(
                journey=name,
                location=place,
                newest=newest.get(run),
                tally=_sum(series[name, place].values()),
                series=tuple(sorted(series[name, place].items())),
            )
            for (name, place), run in keys.items()
        ]

    def _tallies(
        self, connection: Connection, span: Range, journey: str | None = None, location: str | None = None
    ) -> dict[tuple[str, str], dict[datetime, Tally]]:
        found: dict[tuple[str, str], dict[datetime, Tally]] = defaultdict(dict)
        if span.length > CLOSE:
            for table, at, start, end in _pieces(run_hours, run_days, span, HOURS):
                where = [at >= start, at < end, *_of(table, journey, location)]
                for one in connection.execute(select(table).where(*where)).mappings():
                    found[one["journey"], one["location"]][one[at.name]] = Tally(
                        **{name: one[name] for name in (*STATUSES, "flaky", "over_budget", "contended")},
                        durations=Sketch.read(one["durations"]),
                    )
            return found
        where = [runs.c.started_at >= span.start, runs.c.started_at < span.end, *_of(runs, journey, location)]
        columns = ("journey", "location", "started_at", "status", "flaky", "over_budget", "contended", "duration_seconds")
        for row in connection.execute(select(*(runs.c[name] for name in columns)).where(*where)):
            moment = row.started_at.replace(minute=row.started_at.minute // 5 * 5, second=0, microsecond=0)
            tally = found[row.journey, row.location].setdefault(moment, Tally())
            if row.status in STATUSES:
                setattr(tally, row.status, getattr(tally, row.status) + 1)
            tally.flaky += row.flaky
            tally.over_budget += row.over_budget
            tally.contended += row.contended
            if row.status == "passed":
                tally.durations.add(row.duration_seconds)
        return found

    # One journey

    def knows(self, journey: str, location: str | None = None) -> bool:
        """Whether it was ever run, there if a place is given."""
        with self._store.connected() as connection:
            wanted = select(journeys.c.journey).where(*_of(journeys, journey, location)).limit(1)
            return connection.execute(wanted).first() is not None

    def places(self) -> list[tuple[str, str]]:
        """Every journey that was ever run, with each place where it was; by name."""
        with self._store.connected() as connection:
            wanted = select(journeys.c.journey, journeys.c.location).order_by(journeys.c.journey, journeys.c.location)
            return [(row.journey, row.location) for row in connection.execute(wanted)]

    def tally(self, journey: str, location: str | None, span: Range) -> Tally:
        """How the runs of a journey in the span ended."""
        with self._store.connected() as connection:
            found = self._tallies(connection, span, journey, location)
        return _sum(tally for spans in found.values() for tally in spans.values())

    def days(self, journey: str, location: str | None, span: Range) -> list[tuple[datetime, Tally]]:
        """The same, day by day (UTC); days without runs are left out."""
        long = Range(span.start, max(span.end, span.start + CLOSE + timedelta(seconds=1)))
        with self._store.connected() as connection:
            found = self._tallies(connection, long, journey, location)
        days: dict[datetime, Tally] = {}
        for spans in found.values():
            for hour, tally in spans.items():
                days.setdefault(hour.replace(hour=0, minute=0), Tally()).merge(tally)
        return sorted(days.items())

    def step_series(self, journey: str, location: str | None, span: Range) -> list[StepLine]:
        """The latencies of each step over time, in the order of the steps: run by run, or p50 and p95 of up to SPANS spans.

        Runs one by one have a point for each step that passed.
        """
        with self._store.connected() as connection:
            here = _here(runs, journey, location, runs.c.started_at, span.start, span.end)
            number = connection.execute(
                select(func.count()).select_from(select(runs.c.id).where(*here).limit(POINTS + 1).subquery())
            ).scalar_one()
            if number > POINTS:
                return self._long_series(connection, journey, location, span)
            columns = [steps.c.index.label("position"), *(steps.c[name] for name in ("name", "latency_seconds", "status"))]
            wanted = (
                select(runs.c.id, runs.c.started_at, runs.c.contended, *columns)
                .join(steps, and_(steps.c.run_id == runs.c.id, steps.c.attempt == runs.c.attempts))
                .where(*here)
                .order_by(runs.c.started_at)
            )
            found: dict[str, list[Point]] = {}
            order: dict[str, int] = {}
            for row in connection.execute(wanted):
                order[row.name] = row.position
                points = found.setdefault(row.name, [])
                if row.status != "skipped":
                    latency = row.latency_seconds if row.status == "passed" else None
                    points.append(Point(at=row.started_at, p50=latency, run=row.id, status=row.status, contended=row.contended))
        return [_line(name, found[name]) for name in sorted(found, key=lambda one: order[one])]

    def _long_series(self, connection: Connection, journey: str, location: str | None, span: Range) -> list[StepLine]:
        width = _width(span, SPANS, HOURS_OF_STEPS)
        merged: dict[str, dict[datetime, Sketch]] = defaultdict(dict)
        order: dict[str, int] = {}
        for table, at, start, end in _pieces(step_hours, step_days, span, HOURS_OF_STEPS):
            here = [at >= start, at < end, *_of(table, journey, location)]
            for row in connection.execute(select(table).where(*here)).mappings():
                order[row["step"]] = row["position"]
                merged[row["step"]].setdefault(_floor(row[at.name], width), Sketch()).merge(Sketch.read(row["latencies"]))
        lines = []
        for name in sorted(merged, key=lambda one: order[one]):
            total = Sketch()
            for one in merged[name].values():
                total.merge(one)
            points = tuple(
                Point(at=at, p50=one.quantile(0.5), p95=one.quantile(0.95), count=one.count)
                for at, one in sorted(merged[name].items())
            )
            lines.append(StepLine(step=name, points=points, p50=total.quantile(0.5), p95=total.quantile(0.95)))
        return lines

    def marks(self, journey: str, location: str | None, span: Range, by_run: bool) -> list[Mark]:
        """Where runs did not pass or were crowded, in time: run by run, or by spans of time."""
        with self._store.connected() as connection:
            if not by_run:
                merged: dict[datetime, Tally] = {}
                for spans in self._tallies(connection, span, journey, location).values():
                    for at, tally in spans.items():
                        merged.setdefault(at, Tally()).merge(tally)
                return [
                    Mark(at=at, failed=one.failed, errors=one.error, contended=one.contended, count=one.total)
                    for at, one in sorted(_coarser(merged, span, SPANS).items())
                    if one.failed or one.error or one.contended
                ]
            here = _here(runs, journey, location, runs.c.started_at, span.start, span.end)
            wanted = (
                select(runs.c.id, runs.c.started_at, runs.c.status, runs.c.contended)
                .where(*here, or_(runs.c.status.in_(("failed", "error")), runs.c.contended))
                .order_by(runs.c.started_at)
            )
            return [
                Mark(
                    at=row.started_at,
                    failed=int(row.status == "failed"),
                    errors=int(row.status == "error"),
                    contended=int(row.contended),
                    run=row.id,
                )
                for row in connection.execute(wanted)
            ]

    def step_budgets(self, journey: str, location: str | None) -> dict[str, float]:
        """The budgets that a journey has given to its steps, as its newest runs have had them."""
        with self._store.connected() as connection:
            places = select(journeys.c.location, journeys.c.newest_run).where(journeys.c.journey == journey)
            newest: list[str] = []
            for place, run in connection.execute(places).all():
                if location in {None, place}:
                    # A run that failed early has not come to all its steps.
                    same = and_(runs.c.journey == journey, runs.c.location == place, runs.c.status == "passed")
                    newest += [run, *(one.id for one in _runs(connection, same, 1))]
            wanted = (
                select(steps.c.name, steps.c.budget_seconds)
                .join(runs, runs.c.id == steps.c.run_id)
                .where(steps.c.run_id.in_(newest), steps.c.budget_seconds.is_not(None))
                .order_by(runs.c.started_at)
            )
            return {row.name: row.budget_seconds for row in connection.execute(wanted)}

    def phase_series(self, journey: str, location: str | None, span: Range, most: int = 300) -> list[dict[str, Any]]:
        """The phases of each step's documents over the newest runs that passed, the oldest first."""
        with self._store.connected() as connection:
            here = _here(runs, journey, location, runs.c.started_at, span.start, span.end)
            newest = (
                select(runs.c.id, runs.c.started_at, runs.c.attempts)
                .where(*here, runs.c.status == "passed")
                .order_by(runs.c.started_at.desc())
                .limit(most)
                .subquery()
            )
            wanted = (
                select(newest.c.id.label("run"), newest.c.started_at, steps.c.name, navigations)
                .join(steps, and_(steps.c.run_id == newest.c.id, steps.c.attempt == newest.c.attempts))
                .join(navigations, navigations.c.step_id == steps.c.id)
                .order_by(newest.c.started_at, steps.c.index)
            )
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def reasons(self, journey: str | None, location: str | None, span: Range, most: int = 50) -> list[Reason]:
        """Why runs of the span did not pass: one entry a reason, the newest first.

        Messages that differ in their numbers and ids alone are one reason.
        """
        with self._store.connected() as connection:
            here = [runs.c.started_at >= span.start, runs.c.started_at < span.end]
            here += [runs.c.journey == journey] if journey is not None else []
            here += [runs.c.location == location] if location is not None else []
            columns = [runs.c[name] for name in ("id", "started_at", "status")]
            columns += [runs.c[f"failure_{name}"] for name in ("kind", "step", "message")]
            wanted = select(*columns).where(*here, *_ended(("failed", "error"))).order_by(runs.c.started_at.desc())
            groups: dict[tuple[Any, ...], list[Any]] = {}
            for row in connection.execute(wanted.limit(20_000)):
                message = (row.failure_message or "").partition("\n")[0]
                key = (row.status, row.failure_kind, row.failure_step, VARYING.sub("#", message))
                groups.setdefault(key, []).append(row)
        return [
            Reason(
                kind=rows[0].failure_kind or "",
                step=rows[0].failure_step,
                message=(rows[0].failure_message or "").partition("\n")[0],
                status=rows[0].status,
                count=len(rows),
                first_at=rows[-1].started_at,
                last_at=rows[0].started_at,
                last_run=rows[0].id,
            )
            for rows in list(groups.values())[:most]
        ]

    # Runs

    def runs(
        self,
        span: Range,
        journey: str | None = None,
        location: str | None = None,
        statuses: Sequence[str] = (),
        before: str | None = None,
        most: int = 50,
    ) -> list[RunRow]:
        """Runs of the span, the newest first; `before` is the id of the last of the page before."""
        where = [runs.c.started_at >= span.start, runs.c.started_at < span.end]
        where += [runs.c.journey == journey] if journey else []
        where += [runs.c.location == location] if location else []
        where += _ended(statuses)
        with self._store.connected() as connection:
            if before is not None:
                last = connection.execute(select(runs.c.started_at).where(runs.c.id == before)).scalar()
                if last is not None:
                    # Said twice, so that the index is entered at the last one and not at the newest.
                    where += [runs.c.started_at <= last, or_(runs.c.started_at < last, runs.c.id < before)]
            return _runs(connection, and_(*where), most)

    def run(self, identity: str) -> RunRow | None:
        """One run."""
        with self._store.connected() as connection:
            return next(iter(_runs(connection, runs.c.id == identity)), None)

    def folder(self, identity: str) -> str | None:
        """Where a run was saved when it was stored."""
        with self._store.connected() as connection:
            return connection.execute(select(runs.c.folder).where(runs.c.id == identity)).scalar()

    def artifact(self, number: int) -> tuple[RunRow, str, str] | None:
        """The run, kind and path of an artifact by its id."""
        with self._store.connected() as connection:
            found = connection.execute(select(artifacts).where(artifacts.c.id == number)).mappings().first()
            if found is None:
                return None
            run = next(iter(_runs(connection, runs.c.id == found["run_id"])), None)
            return (run, found["kind"], found["path"]) if run else None

    def artifacts(self, identity: str) -> list[dict[str, Any]]:
        """What a run has left behind, with the id of each."""
        with self._store.connected() as connection:
            wanted = select(artifacts).where(artifacts.c.run_id == identity).order_by(artifacts.c.id)
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def last_passed(self, run: RunRow) -> RunRow | None:
        """The newest run of the same journey and place that passed before this one."""
        with self._store.connected() as connection:
            same = and_(runs.c.journey == run.journey, runs.c.location == run.location, runs.c.status == "passed")
            return next(iter(_runs(connection, and_(same, runs.c.started_at < run.started_at), 1)), None)

    # What is now

    def open_alerts(self) -> list[dict[str, Any]]:
        """What is known to be wrong, the newest first."""
        with self._store.connected() as connection:
            wanted = select(alerts).where(alerts.c.closed_at.is_(None)).order_by(alerts.c.opened_at.desc())
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def missed(self, span: Range, most: int = 100) -> list[dict[str, Any]]:
        """Slots of the span that were not run, the newest first."""
        with self._store.connected() as connection:
            wanted = (
                select(slots)
                .where(slots.c.state.in_(("missed", "paused")), slots.c.slot_at >= span.start, slots.c.slot_at < span.end)
                .order_by(slots.c.slot_at.desc())
                .limit(most)
            )
            return [dict(row) for row in connection.execute(wanted).mappings()]


def _line(name: str, points: Sequence[Point]) -> StepLine:
    total = Sketch.of(point.p50 for point in points if point.p50 is not None)
    return StepLine(step=name, points=tuple(points), p50=total.quantile(0.5), p95=total.quantile(0.95))


def _here(table: Any, journey: str, location: str | None, at: Any, start: datetime, end: datetime) -> list[Any]:
    where = [table.c.journey == journey, at >= start, at < end]
    return where + ([table.c.location == location] if location is not None else [])


def _of(table: Table, journey: str | None, location: str | None) -> list[Any]:
    """Of a journey and a place, if they are given. The places of a journey are named, as sums are kept by place before time."""
    where = [table.c.journey == journey] if journey is not None else []
    if location is not None:
        return [*where, table.c.location == location]
    if journey is not None and table not in (runs, journeys):
        where.append(table.c.location.in_(select(journeys.c.location).where(journeys.c.journey == journey)))
    return where


def _ended(statuses: Sequence[str]) -> list[Any]:
    """Runs that ended so; of those that did not pass, as their index says it."""
    if not statuses:
        return []
    found: list[Any] = [runs.c.status.in_(statuses)]
    return found if "passed" in statuses else [*found, text("runs.status <> 'passed'")]


def _pieces(
    hours: Table, days: Table, span: Range, longest: timedelta
) -> list[tuple[Table, Column[datetime], datetime, datetime]]:
    """Which sums a span is added up of, and from when to when: hours up to the longest, of a longer one the whole days."""
    start = hour_of(span.start)
    if span.length <= longest:
        return [(hours, hours.c.hour, start, span.end)]
    first, last = day_of(start + DAY - HOUR), day_of(span.end)
    cut = [
        (hours, hours.c.hour, start, first),
        (days, days.c.day, first, last),
        (hours, hours.c.hour, last, span.end),
    ]
    return [piece for piece in cut if piece[2] < piece[3]]


def _runs(connection: Connection, where: Any, most: int | None = None) -> list[RunRow]:
    columns = [runs.c[name] for name in RunRow.__struct_fields__]
    wanted = select(*columns).where(where).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(most)
    return [RunRow(**row) for row in connection.execute(wanted).mappings()]


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for one in tallies:
        total.merge(one)
    return total


def _width(span: Range, most: int, hours: timedelta) -> timedelta:
    """The shortest whole number of hours, or of days for a span longer than `hours`, that cuts it into no more than `most` parts."""
    unit = HOUR if span.length <= hours else DAY
    return unit * max(math.ceil(span.length / unit / most), 1)


def _floor(at: datetime, width: timedelta) -> datetime:
    start = datetime(2000, 1, 1, tzinfo=at.tzinfo)
    return start + (at - start) // width * width


def _coarser(tallies: dict[datetime, Tally], span: Range, most: int) -> dict[datetime, Tally]:
    """The same in no more than `most` spans."""
    if span.length <= CLOSE:
        return tallies
    width = _width(span, most, HOURS)
    found: dict[datetime, Tally] = {}
    for at, tally in tallies.items():
        found.setdefault(_floor(at, width), Tally()).merge(tally)
    return found
