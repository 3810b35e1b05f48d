"""The number of runs by status over a span, from roll-ups by the hour and the day.

Spans up to `CLOSE` are counted run by run; longer spans are rounded to the hour in which they begin, and the longest are added up from
whole days, with hours at both ends.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct, field
from sqlalchemy import Column, Connection, Table, Text, cast, select

from runner.store.quantile_sketch import Sketch
from runner.store.queries.filters import here, of
from runner.store.queries.time_range import Grain, Range, cut_range
from runner.store.rollups import STATUSES, day_of, hour_of, run_days, run_hours
from runner.store.tables.runs import runs

CLOSE = timedelta(hours=6)
"""Spans up to this length are counted run by run."""
HOURS = timedelta(days=8)
"""Spans up to this length are added up from hours, when all journeys are asked for."""
SPANS = 240
"""The maximum number of parts into which a longer span is divided for drawing."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Tally(Struct, kw_only=True):
    """The number of runs by status."""

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
        """The number of all runs."""
        return self.passed + self.failed + self.error + self.cancelled

    @property
    def availability(self) -> float | None:
        """The share of passed runs among those that passed or failed; errors of the monitor itself say nothing about the site."""
        judged = self.passed + self.failed
        return self.passed / judged if judged else None

    @property
    def flaky_rate(self) -> float | None:
        """The share of passed runs that needed another attempt."""
        return self.flaky / self.passed if self.passed else None

    def merge(self, other: "Tally") -> None:
        """Adds the numbers of another tally."""
        self.passed += other.passed
        self.failed += other.failed
        self.error += other.error
        self.cancelled += other.cancelled
        self.flaky += other.flaky
        self.over_budget += other.over_budget
        self.contended += other.contended
        self.durations.merge(other.durations)


TalliesByPlace = dict[tuple[str, str], dict[datetime, Tally]]
"""By journey and location, then by time."""


def tallies(connection: Connection, span: Range, journey: str | None = None, location: str | None = None) -> TalliesByPlace:
    """Tallies by journey and location, then by the start of the hour or day; of the twelfth of an hour for a short span."""
    found: dict[tuple[str, str], dict[datetime, Tally]] = defaultdict(dict)
    if span.length > CLOSE:
        for table, at, start, end in pieces(run_hours, run_days, span, HOURS):
            for name, place, moment, tally in _read_sums(connection, table, at, Range(start, end), journey, location):
                found[name, place][moment] = tally
        return found
    columns = ("journey", "location", "started_at", "status", "flaky", "over_budget", "contended", "duration_seconds")
    for row in connection.execute(select(*(runs.c[name] for name in columns)).where(*here(span, journey, location))):
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


def _read_sums(
    connection: Connection, table: Table, at: Column[datetime], span: Range, journey: str | None, location: str | None
) -> Iterator[tuple[str, str, datetime, Tally]]:
    names = (*STATUSES, "flaky", "over_budget", "contended")
    columns = [table.c.journey, table.c.location, at, cast(table.c.durations, Text), *(table.c[name] for name in names)]
    wanted = select(*columns).where(at >= span.start, at < span.end, *of(table, journey, location))
    # By position, and the sketches as text: there are thousands of rows.
    for name, place, moment, durations, passed, failed, error, cancelled, flaky, slow, contended in connection.execute(wanted):
        yield name, place, moment, Tally(
            passed=passed,
            failed=failed,
            error=error,
            cancelled=cancelled,
            flaky=flaky,
            over_budget=slow,
            contended=contended,
            durations=Sketch.parse(durations),
        )  # fmt: skip


def merge_places(by_place: TalliesByPlace, location: str | None = None) -> dict[datetime, Tally]:
    """The tallies of all places together, or of one of them."""
    merged: dict[datetime, Tally] = {}
    for (_, place), spans in by_place.items():
        for at, tally in spans.items():
            if location in {None, place}:
                merged.setdefault(at, Tally()).merge(tally)
    return merged


def long_enough_for_hours(span: Range) -> Range:
    """The span, or a longer one with the same start: so long that its tallies are those of whole hours."""
    return Range(span.start, max(span.end, span.start + CLOSE + timedelta(seconds=1)))


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of all tallies."""
    found = Tally()
    for one in tallies:
        found.merge(one)
    return found


def coarser(tallies: dict[datetime, Tally], span: Range, most: int) -> dict[datetime, Tally]:
    """The same tallies in at most `most` parts."""
    if span.length <= CLOSE:
        return tallies
    width = width_of(span, most, HOURS)
    found: dict[datetime, Tally] = {}
    for at, tally in tallies.items():
        found.setdefault(floor(at, width), Tally()).merge(tally)
    return found


def pieces(
    hours: Table, days: Table, span: Range, longest: timedelta
) -> list[tuple[Table, Column[datetime], datetime, datetime]]:
    """The roll-ups from which a span is added up, each with its start and end: hours up to `hours`, whole days for a longer span."""
    start = hour_of(span.start)
    if span.length <= longest:
        return [(hours, hours.c.hour, start, span.end)]
    tables: dict[Grain, tuple[Table, Column[datetime]]] = {"fine": (hours, hours.c.hour), "coarse": (days, days.c.day)}
    parts = cut_range(start, day_of(start + DAY - HOUR), day_of(span.end), span.end)
    return [(*tables[grain], begin, end) for grain, begin, end in parts]


def width_of(span: Range, most: int, hours: timedelta) -> timedelta:
    """The shortest whole number of hours, or of days for a span longer than `hours`, that divides it into at most `most` parts."""
    unit = HOUR if span.length <= hours else DAY
    return unit * max(math.ceil(span.length / unit / most), 1)


def floor(at: datetime, width: timedelta) -> datetime:
    """The start of the part of this width that contains a time."""
    start = datetime(2000, 1, 1, tzinfo=at.tzinfo)
    return start + (at - start) // width * width
