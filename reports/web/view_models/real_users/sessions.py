"""Sessions of real users, and one session with everything that happened in it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection

from reports.replay.recording import read_recording_starts
from reports.users.page_view_queries import Seen, read_session_views
from reports.users.rollup_queries import Filter
from reports.users.session_queries import Session, StoredEvent, read_marks, read_newest_sessions, read_session
from runner.store.queries.time_range import Range
from runner.store.tables.histogram import THRESHOLDS
from runner.store.tables.page_views import METRICS, Metric

PAGE = 50
"""Sessions that are listed at a time."""
VIEWS = 200
"""Of a session that are shown."""


class Listed(Struct, frozen=True, kw_only=True):
    """A page of the list of sessions, the newest first."""

    app: str
    start: datetime
    end: datetime
    sessions: tuple[Session, ...]
    more: bool
    """Whether there are older ones that fit."""


class Slow(Struct, frozen=True, kw_only=True):
    """A value of a page view that is worse than good."""

    metric: Metric
    value: float
    poor: bool


class Visit(Struct, frozen=True, kw_only=True):
    """A page view of a session, with what happened in it."""

    seen: Seen
    end: datetime
    """When it was left, as far as is known: when it was last looked at, or when the next one began."""
    marks: tuple[StoredEvent, ...]
    slow: tuple[Slow, ...]


class SessionList(Struct, frozen=True, kw_only=True):
    """A page of the list, with what was recorded of it."""

    listed: Listed
    recorded: dict[str, float]
    """Of the sessions that were recorded, when the recording begins, in seconds since the epoch."""


class SessionData(Struct, frozen=True, kw_only=True):
    """A session."""

    session: Session
    visits: tuple[Visit, ...]
    more: int
    """Page views that are not shown."""


def read_sessions(
    connection: Connection,
    which: Filter,
    when: Range,
    failed: bool = False,
    longer: float = 0.0,
    before: str | None = None,
    most: int = PAGE,
    frustrated: bool = False,
) -> Listed:
    """Matching sessions. Reads along the index of sessions by time until a page is full.

    Those with an error, and those with frustration, have an index of their own; those of one page are looked for among its newest 20,000 views.
    """
    found = read_newest_sessions(connection, which, when, most + 1, before, failed, longer, frustrated=frustrated)
    return Listed(app=which.app, start=when.start, end=when.end, sessions=tuple(found[:most]), more=len(found) > most)


def read_session_list(
    connection: Connection,
    which: Sequence[Filter],
    when: Range,
    failed: bool,
    longer: float,
    before: str | None,
    frustrated: bool,
) -> SessionList:
    """The same of one or several apps, with the recordings. Reads a page of each app."""
    found = [read_sessions(connection, one, when, failed, longer, before, frustrated=frustrated) for one in which]
    merged = sorted((one for some in found for one in some.sessions), key=lambda one: (one.started_at, one.id), reverse=True)
    listed = Listed(
        app=which[0].app if len(which) == 1 else "",
        start=when.start,
        end=when.end,
        sessions=tuple(merged[:PAGE]),
        more=len(merged) > PAGE or any(one.more for one in found),
    )
    return SessionList(listed=listed, recorded=read_recording_starts(connection, [one.id for one in listed.sessions]))


def read_session_with_recording(connection: Connection, identity: str) -> tuple[SessionData, float | None] | None:
    """One session, and when its recording begins, in seconds since the epoch; None in its place if it was not recorded."""
    data = read_session_data(connection, identity)
    return (data, read_recording_starts(connection, [identity]).get(identity)) if data else None


def read_session_data(connection: Connection, identity: str) -> SessionData | None:
    """One session; None when it is not stored (any more). Reads its rows alone, by key."""
    known = read_session(connection, identity)
    if known is None:
        return None
    views = [one for one in read_session_views(connection, identity) if one.type != "report"]
    marks: dict[str, list[StoredEvent]] = {}
    for one in read_marks(connection, identity):
        marks.setdefault(one.view, []).append(one)
    shown = []
    for place, view in enumerate(views[:VIEWS]):
        following = views[place + 1].started_at if place + 1 < len(views) else known.seen_at
        shown.append(
            Visit(seen=view, end=_end(view, following), marks=tuple(marks.get(view.id, ())), slow=tuple(slow_values(view)))
        )
    return SessionData(session=known, visits=tuple(shown), more=len(views) - len(shown))


def slow_values(view: Seen) -> list[Slow]:
    """What of a page view is worse than good."""
    found = []
    for metric in METRICS:
        value = view.load_seconds if metric == "load" else view.vitals.get(metric)
        good, poor = THRESHOLDS[metric]
        if value is not None and value > good:
            found.append(Slow(metric=metric, value=value, poor=value > poor))
    return found


def _end(view: Seen, following: datetime) -> datetime:
    if view.visible_seconds is not None:
        return view.started_at + timedelta(seconds=view.visible_seconds)
    return max(following, view.started_at)
