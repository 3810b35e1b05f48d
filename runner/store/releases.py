"""Which releases of a site the runs of a journey have walked, and from when to when."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, func, literal_column, select

from runner.store.history import Range
from runner.store.rollups import journeys
from runner.store.schema import runs
from runner.store.store import Store

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


def releases(store: Store, journey: str, location: str | None, span: Range) -> list[Release]:
    """The releases that the runs of a span have named, in the order in which they came; from an index alone."""
    first = func.min(runs.c.started_at)
    wanted = (
        select(runs.c.release, first, func.max(runs.c.started_at), func.count())
        .where(*at_place(journey, location), runs.c.started_at >= span.start, runs.c.started_at < span.end, named())
        .group_by(runs.c.release)
        .order_by(first.desc())
        .limit(MOST)
    )
    with store.connected() as connection:
        rows = connection.execute(wanted).all()
    return [Release(release=name, first_at=at, last_at=last, runs=count) for name, at, last, count in reversed(rows)]


def at_place(journey: str, location: str | None) -> list[ColumnElement[bool]]:
    """Runs of a journey at a place, or at all of its places by name: the indices have the place before the time."""
    if location is not None:
        return [runs.c.journey == journey, runs.c.location == location]
    return [
        runs.c.journey == journey,
        runs.c.location.in_(select(journeys.c.location).where(journeys.c.journey == journey)),
    ]


def named() -> ColumnElement[bool]:
    """That a run has named one; with the value in the text, since a partial index is used for no other."""
    return runs.c.release != literal_column("''")
