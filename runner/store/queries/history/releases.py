"""The releases of a site that a journey was run against, and when."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select

from runner.store.queries.filters import at_place, named
from runner.store.queries.time_range import Range
from runner.store.tables.runs import runs

MOST = 200
"""The maximum number of releases, the newest: a site released at every commit has more in a year than a page can hold."""


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
    first = func.min(runs.c.started_at)
    wanted = (
        select(runs.c.release, first, func.max(runs.c.started_at), func.count())
        .where(*at_place(journey, location), runs.c.started_at >= span.start, runs.c.started_at < span.end, named())
        .group_by(runs.c.release)
        .order_by(first.desc())
        .limit(MOST)
    )
    rows = connection.execute(wanted).all()
    return [Release(release=name, first_at=at, last_at=last, runs=count) for name, at, last, count in reversed(rows)]
