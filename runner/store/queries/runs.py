"""Queries of the runs of a span. All are answered from indices and roll-ups."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from runner.result import Status
from runner.store.queries.filters import ended, here, named, of
from runner.store.queries.tallies import SPANS, Tally, coarser, merge_places, tallies, total
from runner.store.queries.time_range import Range
from runner.store.rollups import journeys
from runner.store.tables.runs import artifacts, runs, slots

VARYING = re.compile(r"\b(?=[a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b|\d+", re.IGNORECASE)
"""The parts of a message that differ from run to run: numbers, and ids in hexadecimal digits."""
MOST_FAILURES = 20_000
"""Runs whose reasons are read, the newest."""


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
    set_aside: bool = False
    """Whether all that went wrong was in quarantine."""
    browser: str = ""
    """The engine of its browser; empty for a check, and where no browser was started."""


class JourneyRow(Struct, frozen=True, kw_only=True):
    """A journey at a location, over a span."""

    journey: str
    location: str
    newest: RunRow | None
    tally: Tally
    series: tuple[tuple[datetime, Tally], ...]
    """Per hour or longer; per twelfth of an hour when the span is short."""


class TroubleMark(Struct, frozen=True, kw_only=True):
    """A time at which runs did not pass or were measured on a busy machine: one run, or a part of the span with `count` of them."""

    at: datetime
    failed: int
    errors: int
    contended: int
    count: int = 1
    """The number of all runs there."""
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
    """Answers questions about runs over one connection: all answers are of one state of the database (`Store.snapshot`)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    # All journeys

    def mark(self) -> str:
        """A text that changes whenever a run is stored; reads no run."""
        newest = select(func.count(), func.max(journeys.c.newest_at), func.max(journeys.c.newest_run))
        return "/".join(str(value) for value in self.connection.execute(newest).one())

    def journeys(self, span: Range, location: str | None = None) -> list[JourneyRow]:
        """Every journey that was ever run, with the results of its runs in the span; by name.

        Reads one row per journey and hour, per journey and day for spans longer than HOURS, per run for spans up to CLOSE.
        """
        known = select(journeys.c.journey, journeys.c.location, journeys.c.newest_run).order_by(
            journeys.c.journey, journeys.c.location
        )
        if location is not None:
            known = known.where(journeys.c.location == location)
        keys = {(row.journey, row.location): row.newest_run for row in self.connection.execute(known)}
        newest = {one.id: one for one in read_run_rows(self.connection, runs.c.id.in_(list(keys.values())))}
        found = tallies(self.connection, span, location=location)
        series = {key: coarser(found[key], span, 60) for key in keys}
        return [
            JourneyRow(
                journey=name,
                location=place,
                newest=newest.get(run),
                tally=total(series[name, place].values()),
                series=tuple(sorted(series[name, place].items())),
            )
            for (name, place), run in keys.items()
        ]

    # One journey

    def knows(self, journey: str, location: str | None = None) -> bool:
        """Whether the journey was ever run; at the location if one is given."""
        wanted = select(journeys.c.journey).where(*of(journeys, journey, location)).limit(1)
        return self.connection.execute(wanted).first() is not None

    def places(self) -> list[tuple[str, str]]:
        """Every journey that was ever run with each of its locations; by name."""
        wanted = select(journeys.c.journey, journeys.c.location).order_by(journeys.c.journey, journeys.c.location)
        return [(row.journey, row.location) for row in self.connection.execute(wanted)]

    def tally_over_time(self, journey: str, location: str | None, span: Range) -> dict[datetime, Tally]:
        """How the runs of a journey in the span ended, by the time at which an hour or a day begins; of spans up to CLOSE, five minutes.

        One read, of which `total`, `sum_by_day` and `marks_over_time` are made.
        """
        return merge_places(tallies(self.connection, span, journey, location))

    def run_marks(self, journey: str, location: str | None, span: Range) -> list[TroubleMark]:
        """The runs of the span that did not pass or were measured on a busy machine, in the order of time."""
        wanted = (
            select(runs.c.id, runs.c.started_at, runs.c.status, runs.c.contended)
            .where(*here(span, journey, location), or_(runs.c.status.in_(("failed", "error")), runs.c.contended))
            .order_by(runs.c.started_at)
        )
        return [
            TroubleMark(
                at=row.started_at,
                failed=int(row.status == "failed"),
                errors=int(row.status == "error"),
                contended=int(row.contended),
                run=row.id,
            )
            for row in self.connection.execute(wanted)
        ]

    def reasons(self, journey: str | None, location: str | None, span: Range, most: int = 50) -> list[Reason]:
        """Why runs of the span did not pass: one entry per reason, the newest first.

        Messages that differ only in numbers and ids are one reason.
        """
        rows = read_failures(self.connection, *here(span, journey, location), *ended(("failed", "error")))
        return group_reasons(rows)[:most]

    # Runs

    def runs(
        self,
        span: Range,
        journey: str | None = None,
        location: str | None = None,
        statuses: Sequence[str] = (),
        release: str | None = None,
        before: str | None = None,
        most: int = 50,
        browser: str | None = None,
    ) -> list[RunRow]:
        """Runs of the span, newest first; `before` is the id of the last run of the previous page."""
        where = [*here(span, journey or None, location or None), *ended(statuses)]
        where += [runs.c.release == release, named()] if release else []
        where += [runs.c.browser == browser] if browser else []
        if before is not None:
            last = self.connection.execute(select(runs.c.started_at).where(runs.c.id == before)).scalar()
            if last is not None:
                # The time twice, so that the index is entered at the last run and not at the newest.
                where += [runs.c.started_at <= last, or_(runs.c.started_at < last, runs.c.id < before)]
        return read_run_rows(self.connection, and_(*where), most)

    def run(self, identity: str) -> RunRow | None:
        """One run."""
        return next(iter(read_run_rows(self.connection, runs.c.id == identity)), None)

    def folder(self, identity: str) -> str | None:
        """The folder in which a run was saved when it was stored."""
        return self.connection.execute(select(runs.c.folder).where(runs.c.id == identity)).scalar()

    def artifact(self, number: int) -> tuple[RunRow, str, str] | None:
        """The run, kind and path of an artifact by its id."""
        found = self.connection.execute(select(artifacts).where(artifacts.c.id == number)).mappings().first()
        if found is None:
            return None
        run = next(iter(read_run_rows(self.connection, runs.c.id == found["run_id"])), None)
        return (run, found["kind"], found["path"]) if run else None

    def artifacts(self, identity: str) -> list[dict[str, Any]]:
        """The artifacts of a run, each with its id."""
        wanted = select(artifacts).where(artifacts.c.run_id == identity).order_by(artifacts.c.id)
        return [dict(row) for row in self.connection.execute(wanted).mappings()]

    # The present

    def missed(self, span: Range, most: int = 100) -> list[dict[str, Any]]:
        """Slots of the span that were not run, newest first."""
        wanted = (
            select(slots)
            .where(slots.c.state.in_(("missed", "paused")), slots.c.slot_at >= span.start, slots.c.slot_at < span.end)
            .order_by(slots.c.slot_at.desc())
            .limit(most)
        )
        return [dict(row) for row in self.connection.execute(wanted).mappings()]


class Failure(Struct, frozen=True, kw_only=True):
    """Runs of a journey that did not pass, with one message."""

    journey: str
    status: Status
    kind: str | None
    step: str | None
    message: str | None
    count: int
    first_at: datetime
    last_at: datetime
    last_run: str


def read_failures(connection: Connection, *where: ColumnElement[bool]) -> list[Failure]:
    """The runs that match, which did not pass: the newest MOST_FAILURES, those that are alike together."""
    same = [runs.c[name] for name in ("journey", "status", "failure_kind", "failure_step", "failure_message")]
    newest = select(*same, runs.c.id, runs.c.started_at).where(*where).order_by(runs.c.started_at.desc()).limit(MOST_FAILURES)
    one = newest.subquery()
    keys = [one.c[column.name] for column in same]
    # Ids begin with the time.
    sums = (func.count(), func.min(one.c.started_at), func.max(one.c.started_at), func.max(one.c.id))
    names = Failure.__struct_fields__
    return [Failure(**dict(zip(names, row, strict=True))) for row in connection.execute(select(*keys, *sums).group_by(*keys))]


def group_reasons(failures: Iterable[Failure]) -> list[Reason]:
    """Runs that did not pass by their reasons, the newest first. Messages that differ only in numbers and ids are one reason."""
    groups: dict[tuple[Any, ...], list[Failure]] = {}
    for one in failures:
        message = (one.message or "").partition("\n")[0]
        groups.setdefault((one.status, one.kind, one.step, VARYING.sub("#", message)), []).append(one)
    return sorted(map(_join, groups.values()), key=lambda one: one.last_at, reverse=True)


def _join(same: Sequence[Failure]) -> Reason:
    newest = max(same, key=lambda one: one.last_at)
    return Reason(
        kind=newest.kind or "",
        step=newest.step,
        message=(newest.message or "").partition("\n")[0],
        status=newest.status,
        count=sum(one.count for one in same),
        first_at=min(one.first_at for one in same),
        last_at=newest.last_at,
        last_run=newest.last_run,
    )


def sum_by_day(by_time: Mapping[datetime, Tally]) -> list[tuple[datetime, Tally]]:
    """The tallies of hours or days, day by day (UTC); days without runs are left out."""
    days: dict[datetime, Tally] = {}
    for at, tally in by_time.items():
        days.setdefault(at.replace(hour=0, minute=0), Tally()).merge(tally)
    return sorted(days.items())


def marks_over_time(by_time: dict[datetime, Tally], span: Range) -> list[TroubleMark]:
    """Where runs did not pass or were measured on a busy machine, in at most SPANS parts of the span."""
    return [
        TroubleMark(at=at, failed=one.failed, errors=one.error, contended=one.contended, count=one.total)
        for at, one in sorted(coarser(by_time, span, SPANS).items())
        if one.failed or one.error or one.contended
    ]


def read_run_rows(connection: Connection, where: Any, most: int | None = None) -> list[RunRow]:
    """The runs that match a condition, the newest first."""
    columns = [runs.c[name] for name in RunRow.__struct_fields__]
    wanted = select(*columns).where(where).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(most)
    return [RunRow(**row) for row in connection.execute(wanted).mappings()]
