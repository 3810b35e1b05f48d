"""Which releases of a site the runs of a journey have walked, and from when to when."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select

from runner.store.queries.filters import at_place, named
from runner.store.queries.time_range import Range
from runner.store.tables.runs import runs

MOST = 200
"""Releases that are told, the newest ones: a site that is released at every commit has more in a year than a page can hold."""


class Release(Struct, frozen=True, kw_only=True):
    """A release in a span of time."""

    release: str
    first_at: datetime
    """When the first of these runs began."""
    last_at: datetime
    runs: int
    """All of them, however they ended."""


def releases(connection: Connection, journey: str, location: str | None, span: Range) -> list[Release]:
    """The releases that the runs of a span have named, in the order in which they came; from an index alone."""
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
