"""The releases of a site that a journey was run against, and when."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, func, select

from runner.store.queries.filters import at_place, named
from runner.store.queries.time_range import Range
from runner.store.tables.runs import runs

MOST = 200
"""The maximum number of releases, the newest: a site released at every commit has more in a year than a page can hold."""


ALL_OF_THEM = 2**31 - 1
"""Runs; more than there are."""


class Release(Struct, frozen=True, kw_only=True):
    """A release in a time range."""

    release: str
    first_at: datetime
    """When the first run with this release began."""
    last_at: datetime
    runs: int
    """The number of runs with this release, whatever their status."""


def releases(connection: Connection, journey: str, location: str | None, span: Range) -> list[Release]:
    """The releases of the runs of a span, in order of their first run; read from an index alone."""
    rows = connection.execute(_group(journey, location, span)).all()
    return [Release(release=name, first_at=at, last_at=last, runs=count) for name, at, last, count in reversed(rows)]


def _group(journey: str, location: str | None, span: Range) -> Select[Any]:
    where = [*at_place(journey, location), runs.c.started_at >= span.start, runs.c.started_at < span.end, named()]
    # The limit keeps SQLite from grouping in the query that reads: for that it would choose an index without the release, and read every row.
    each = select(runs.c.release, runs.c.started_at).where(*where).limit(ALL_OF_THEM).subquery()
    first = func.min(each.c.started_at)
    grouped = select(each.c.release, first, func.max(each.c.started_at), func.count()).group_by(each.c.release)
    return grouped.order_by(first.desc()).limit(MOST)
