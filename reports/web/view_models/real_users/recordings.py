"""Recordings of sessions and of runs in one list."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, false, func, literal, literal_column, or_, select

from reports.web.query.page_view_filter import LONGEST_VALUE
from reports.web.query.time_range import BadRequest, TimeRange
from runner.archive.run_id import lowest_run_id
from runner.settings.duration import parse_duration
from runner.settings.parsers.values import Traffic
from runner.store.tables.day_numbers import began_within
from runner.store.tables.page_views import page_views, sessions
from runner.store.tables.replays import replay_chunks
from runner.store.tables.runs import artifacts, runs

PAGE = 50
"""Recordings that are listed at a time."""
CHOICES = 200
"""Pages and releases that are offered to choose from."""
EARLIER = timedelta(days=2)
"""More than a run's id can be older than the run: it may wait for a worker before it begins."""
TRAFFIC: tuple[Traffic, ...] = get_args(Traffic)


class RecordingFilter(Struct, frozen=True, kw_only=True):
    """Which recordings; empty fields match all."""

    app: str = ""
    page: str = ""
    """By its route template: those that came to it."""
    release: str = ""
    traffic: str = ""
    """`synthetic` are the runs of journeys."""
    failed: bool = False
    """Only visits with an error, and runs that did not pass."""
    longer: float = 0.0
    """Minimum duration in seconds."""
    before: str = ""
    """Where the last list ended: its `older`."""


class Recorded(Struct, frozen=True, kw_only=True):
    """One recording."""

    id: str
    """Of the session, or of the run."""
    name: str
    """The app, or the journey."""
    traffic: Traffic
    started_at: datetime
    seconds: float
    first_page: str
    """Empty for a run."""
    errors: int
    """That the pages of a visit reported; 1 for a run that did not pass."""
    release: str
    bytes: int
    """On the disk."""


class Recordings(Struct, frozen=True, kw_only=True):
    """A list of recordings, the newest first."""

    recordings: tuple[Recorded, ...]
    older: str | None
    """What to ask for as `before`; None at the end."""


class Choices(Struct, frozen=True, kw_only=True):
    """What the recordings of a span can be chosen by."""

    apps: tuple[str, ...]
    pages: tuple[str, ...]
    releases: tuple[str, ...]


def parse_recording_filter(asked: Mapping[str, Any]) -> RecordingFilter:
    """The filter of an address. Raises BadRequest."""
    given = {name: asked.get(name) or "" for name in ("app", "page", "release", "traffic", "before")}
    for name, value in given.items():
        if len(value) > LONGEST_VALUE:
            raise BadRequest(f"{name}: {value[:40]!r}… is longer than {LONGEST_VALUE} characters; no {name} is")
    failed, longer = asked.get("errors") or "", asked.get("longer") or ""
    if failed not in {"", "yes"}:
        raise BadRequest(f"errors: {failed[:40]!r} is not valid; write errors=yes for those with an error, or leave it out")
    try:
        seconds = parse_duration(longer) if longer else 0.0
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"longer: {error}") from error
    return RecordingFilter(**given, failed=bool(failed), longer=seconds)


def read_recordings(connection: Connection, time_range: TimeRange, wanted: RecordingFilter, most: int = PAGE) -> Recordings:
    """The matching recordings of a time range, newest first. Raises BadRequest.

    Reads the rows of all chunks that came in the span, and the runs that were recorded in it.
    """
    if wanted.traffic and wanted.traffic not in TRAFFIC:
        raise BadRequest(f"traffic: {wanted.traffic[:40]!r} is not valid; choose one of {', '.join(TRAFFIC)}")
    place = _place(wanted.before)
    visited = connection.execute(_of_visits(time_range, wanted, place, most + 1)).mappings()
    found = [(float(row["began"]), _visit(row)) for row in visited]
    ran = connection.execute(_of_runs(time_range, wanted, place, most + 1)).mappings()
    found += [(row["started_at"].timestamp(), _run(row)) for row in ran]
    found.sort(key=lambda one: (one[0], one[1].id), reverse=True)
    older = None
    if len(found) > most:
        at, last = found[most - 1]
        older = f"{at!r}/{last.id}"
    return Recordings(recordings=tuple(one for _, one in found[:most]), older=older)


def read_choices(connection: Connection, time_range: TimeRange) -> Choices:
    """The available choices."""
    table = replay_chunks.c

    def all_of(column: ColumnElement[str]) -> tuple[str, ...]:
        chosen = select(column).where(*_came(time_range), column != "").distinct().order_by(column).limit(CHOICES)
        return tuple(connection.execute(chosen).scalars())

    return Choices(apps=all_of(table.app), pages=all_of(table.page), releases=all_of(table.release))


def _place(before: str) -> tuple[float, str] | None:
    if not before:
        return None
    at, _, id_ = before.partition("/")
    try:
        # Also rejects numbers that are not a time.
        return datetime.fromtimestamp(float(at), UTC).timestamp(), id_
    except (ValueError, OverflowError, OSError):
        raise BadRequest(
            f"before: {before[:60]!r} is not a position in the list; use the `older` of the previous page"
        ) from None


def _came(time_range: TimeRange) -> tuple[ColumnElement[bool], ...]:
    at = replay_chunks.c.received_at
    return (at >= time_range.start.timestamp(), at < time_range.end.timestamp())


def _of_visits(time_range: TimeRange, wanted: RecordingFilter, place: tuple[float, str] | None, most: int) -> Select[Any]:
    chunk = replay_chunks.c
    began = func.min(chunk.first_at)
    ended = func.max(chunk.last_at)
    errors = func.coalesce(func.max(sessions.c.errors), 0)
    query = (
        select(
            chunk.session,
            func.min(chunk.app).label("app"),
            func.min(chunk.traffic).label("traffic"),
            began.label("began"),
            (ended - began).label("seconds"),
            errors.label("errors"),
            func.max(chunk.release).label("release"),
            func.sum(chunk.bytes).label("bytes"),
            _first_page().label("first_page"),
        )
        .select_from(replay_chunks.outerjoin(sessions, sessions.c.id == chunk.session))
        .where(*_came(time_range))
        .group_by(chunk.session)
        .order_by(began.desc(), chunk.session.desc())
        .limit(most)
    )
    if wanted.traffic == "synthetic":
        query = query.where(false())
    elif wanted.traffic:
        query = query.where(chunk.traffic == wanted.traffic)
    if wanted.app:
        query = query.where(chunk.app == wanted.app)
    if wanted.release:
        query = query.where(chunk.release == wanted.release)
    if wanted.page:
        seen = page_views.c
        other = replay_chunks.alias("other").c
        reporting = select(other.session).where(
            other.received_at >= time_range.start.timestamp(),
            other.received_at < time_range.end.timestamp(),
            other.page == wanted.page,
        )
        # Asked of each session of the span: a page may have been seen more often than there are recordings.
        opened = exists().where(
            seen.session == chunk.session,
            seen.page == wanted.page,
            seen.started_at >= time_range.start.timestamp(),
            seen.started_at < time_range.end.timestamp(),
            began_within(seen.number, time_range.start, time_range.end),
        )
        query = query.where(or_(chunk.session.in_(reporting), opened))
    if wanted.failed:
        query = query.having(errors > 0)
    if wanted.longer:
        query = query.having(ended - began >= wanted.longer)
    if place is not None:
        query = query.having(or_(began < place[0], and_(began == place[0], chunk.session < place[1])))
    return query


def _first_page() -> ColumnElement[str]:
    """The page at which a session's recording begins."""
    first = replay_chunks.alias("first")
    return (
        select(first.c.page)
        .where(first.c.session == replay_chunks.c.session, first.c.page != "")
        .order_by(first.c.first_at)
        .limit(1)
        .scalar_subquery()
    )


def _of_runs(time_range: TimeRange, wanted: RecordingFilter, place: tuple[float, str] | None, most: int) -> Select[Any]:
    run = runs.c
    file = artifacts.c
    # From the few that were recorded, not from all runs of the span. The kind is in the text of the query, as the partial index asks for.
    kept = (
        select(file.run_id, func.sum(file.bytes).label("bytes"))
        .where(file.kind == literal_column("'replay'"), file.run_id >= lowest_run_id(time_range.start - EARLIER))
        .group_by(file.run_id)
        .subquery()
    )
    query = (
        select(run.id, run.journey, run.status, run.started_at, run.duration_seconds, run.release, kept.c.bytes)
        .select_from(kept.join(runs, run.id == kept.c.run_id))
        .where(run.started_at >= time_range.start, run.started_at < time_range.end)
        .order_by(run.started_at.desc(), run.id.desc())
        .limit(most)
    )
    # A run is of no app.
    if wanted.app or wanted.traffic not in {"", "synthetic"}:
        query = query.where(false())
    if wanted.release:
        query = query.where(run.release == wanted.release)
    if wanted.page:
        seen = page_views.c
        query = query.where(exists().where(seen.run == run.id, seen.page == wanted.page))
    if wanted.failed:
        query = query.where(run.status != "passed")
    if wanted.longer:
        query = query.where(run.duration_seconds >= wanted.longer)
    if place is not None:
        at = literal(datetime.fromtimestamp(place[0], UTC), runs.c.started_at.type)
        query = query.where(or_(run.started_at < at, and_(run.started_at == at, run.id < place[1])))
    return query


def _visit(row: Any) -> Recorded:
    return Recorded(
        id=row["session"],
        name=row["app"],
        traffic=row["traffic"],
        started_at=datetime.fromtimestamp(row["began"], UTC),
        seconds=row["seconds"],
        first_page=row["first_page"] or "",
        errors=row["errors"],
        release=row["release"],
        bytes=row["bytes"],
    )


def _run(row: Any) -> Recorded:
    return Recorded(
        id=row["id"],
        name=row["journey"],
        traffic="synthetic",
        started_at=row["started_at"],
        seconds=row["duration_seconds"],
        first_page="",
        errors=int(row["status"] != "passed"),
        release=row["release"],
        bytes=row["bytes"],
    )


def query_of_filter(wanted: RecordingFilter) -> Sequence[tuple[str, str]]:
    """The query parameters for the same filter, without the position in the list."""
    said = [(name, getattr(wanted, name)) for name in ("app", "page", "release", "traffic")]
    said += [("errors", "yes" if wanted.failed else ""), ("longer", f"{wanted.longer:g}s" if wanted.longer else "")]
    return [(name, value) for name, value in said if value]
