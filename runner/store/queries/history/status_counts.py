"""How many runs of some journeys ended how, exactly between two moments, with or without those that no schedule has made."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, case, func, select

from runner.store.queries.tallies import CLOSE, HOUR, pieces
from runner.store.queries.time_range import Range
from runner.store.rollups import STATUSES, hour_of, run_days, run_hours
from runner.store.tables.runs import runs

DAYS_FROM = timedelta(days=2)
"""Spans of this length are added up from whole days, with hours at both ends."""


Places = Sequence[tuple[str, str]]
"""Journeys, each with one of its locations."""


def count_statuses(connection: Connection, places: Places, span: Range, scheduled: bool) -> Counter[str]:
    """The number of runs of journeys, at all of their locations, that began in the span, by status; with a slot only if `scheduled`.

    Long spans are added up from roll-ups, except for the parts of an hour at both ends. As roll-ups do not tell which runs have a slot, those
    without one are taken off: there is an index of these alone.
    """
    counts = _count_all(connection, places, span)
    if scheduled:
        counts.subtract(_count_runs(connection, places, span, runs.c.slot_at.is_(None)))
    return counts


def _count_all(connection: Connection, places: Places, span: Range) -> Counter[str]:
    if span.length <= CLOSE:
        return _count_runs(connection, places, span)
    first = hour_of(span.start) if hour_of(span.start) == span.start else hour_of(span.start) + HOUR
    last = hour_of(span.end)
    counts = _count_runs(connection, places, Range(span.start, first)) + _count_runs(connection, places, Range(last, span.end))
    for table, at, start, end in pieces(run_hours, run_days, Range(first, last), DAYS_FROM):
        counts += _sum_up(connection, places, table, at, Range(start, end))
    return counts


def _count_runs(connection: Connection, places: Places, span: Range, *which: ColumnElement[bool]) -> Counter[str]:
    names = {journey for journey, _ in places}
    within = and_(runs.c.journey.in_(names), runs.c.started_at >= span.start, runs.c.started_at < span.end, *which)
    return _read(connection, [case((runs.c.status == one, 1), else_=0) for one in STATUSES], within)


def _sum_up(connection: Connection, places: Places, table: Table, at: Column[datetime], span: Range) -> Counter[str]:
    # All columns of the key, or every hour of a journey would be read.
    names, locations = ({one[column] for one in places} for column in (0, 1))
    within = and_(table.c.journey.in_(names), table.c.location.in_(locations), at >= span.start, at < span.end)
    return _read(connection, [table.c[one] for one in STATUSES], within)


def _read(connection: Connection, numbers: Sequence[ColumnElement[int]], where: ColumnElement[bool]) -> Counter[str]:
    wanted = select(*(func.coalesce(func.sum(one), 0) for one in numbers)).where(where)
    return Counter(dict(zip(STATUSES, map(int, connection.execute(wanted).one()), strict=True)))
