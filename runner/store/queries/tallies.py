"""How many runs ended how, at each moment of a span of time, out of sums by the hour and the day.

Spans longer than `CLOSE` are answered to the hour in which they begin; shorter ones run by run. What is asked of longer ones
still is added up of whole days, and of hours at both ends.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct, field
from sqlalchemy import Column, Connection, Table, select

from runner.store.quantile_sketch import Sketch
from runner.store.queries.filters import here, of
from runner.store.queries.time_range import Grain, Range, cut_range
from runner.store.rollups import STATUSES, day_of, hour_of, run_days, run_hours
from runner.store.tables.runs import runs

CLOSE = timedelta(hours=6)
"""Up to this length every run is looked at."""
HOURS = timedelta(days=8)
"""Up to this length all journeys are added up of hours."""
SPANS = 240
"""Of time, at most, that what is drawn of a longer span is cut into."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


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


def tallies(
    connection: Connection, span: Range, journey: str | None = None, location: str | None = None
) -> dict[tuple[str, str], dict[datetime, Tally]]:
    """By journey and location, then by the moment at which an hour or a day begins; of a short span, a twelfth of an hour."""
    found: dict[tuple[str, str], dict[datetime, Tally]] = defaultdict(dict)
    if span.length > CLOSE:
        for table, at, start, end in pieces(run_hours, run_days, span, HOURS):
            where = [at >= start, at < end, *of(table, journey, location)]
            for one in connection.execute(select(table).where(*where)).mappings():
                found[one["journey"], one["location"]][one[at.name]] = Tally(
                    **{name: one[name] for name in (*STATUSES, "flaky", "over_budget", "contended")},
                    durations=Sketch.read(one["durations"]),
                )
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


def long_enough_for_hours(span: Range) -> Range:
    """The span, or a longer one with the same start: so long that its tallies are those of whole hours."""
    return Range(span.start, max(span.end, span.start + CLOSE + timedelta(seconds=1)))


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    found = Tally()
    for one in tallies:
        found.merge(one)
    return found


def coarser(tallies: dict[datetime, Tally], span: Range, most: int) -> dict[datetime, Tally]:
    """The same in no more than `most` spans."""
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
    """Which sums a span is added up of, and from when to when: hours up to the longest, of a longer one the whole days."""
    start = hour_of(span.start)
    if span.length <= longest:
        return [(hours, hours.c.hour, start, span.end)]
    tables: dict[Grain, tuple[Table, Column[datetime]]] = {"fine": (hours, hours.c.hour), "coarse": (days, days.c.day)}
    parts = cut_range(start, day_of(start + DAY - HOUR), day_of(span.end), span.end)
    return [(*tables[grain], begin, end) for grain, begin, end in parts]


def width_of(span: Range, most: int, hours: timedelta) -> timedelta:
    """The shortest whole number of hours, or of days for a span longer than `hours`, that cuts it into no more than `most` parts."""
    unit = HOUR if span.length <= hours else DAY
    return unit * max(math.ceil(span.length / unit / most), 1)


def floor(at: datetime, width: timedelta) -> datetime:
    """When the part of such a width begins in which a moment lies."""
    start = datetime(2000, 1, 1, tzinfo=at.tzinfo)
    return start + (at - start) // width * width
