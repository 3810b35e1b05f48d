"""Single page views, as they were stored: what a figure is made of.

All lists are of a range, `limit` at a time. Each is read along an index, so its cost is that of the rows it looks at.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, Table, func, select, text, tuple_

from reports.source_maps.frames import OriginalFrame, read_frames
from reports.users.rollup_queries import Filter, choose_step
from reports.users.row_filters import from_epoch, make_struct, select_rows
from runner.store.queries.time_range import Range
from runner.store.tables.page_views import Metric, interactions, page_errors, page_views, reasons, slow_requests, vitals
from runner.store.tables.runs import PHASES


class Seen(Struct, frozen=True, kw_only=True):
    """A page view in a list."""

    id: str
    session: str
    page: str
    url: str
    title: str
    type: str
    started_at: datetime
    traffic: str
    environment: str
    release: str
    browser: str
    system: str
    device: str
    load_seconds: float | None
    visible_seconds: float | None
    status: int
    interactions: int
    errors: int
    requests: int
    run: str | None
    trace: str | None
    vitals: dict[str, float] = {}


_SAME = tuple(name for name in Seen.__struct_fields__ if name not in ("load_seconds", "vitals"))
"""Fields that are columns of the same name."""


class Measured(Struct, frozen=True, kw_only=True):
    """A vital of a view, with what it came from."""

    name: str
    id: str
    value: float
    attribution: dict[str, Any]


class StoredInteraction(Struct, frozen=True, kw_only=True):
    """An interaction of a view."""

    type: str
    at_seconds: float
    role: str
    name: str
    test_id: str


class Failed(Struct, frozen=True, kw_only=True):
    """An error of a view."""

    reason: str
    kind: str
    type: str
    message: str
    at: datetime
    count: int
    source: str
    line: int
    column: int
    stack: str
    """That of the first error with this reason."""
    error_group: str
    """The error that it is shown as."""
    frames: tuple[OriginalFrame, ...] = ()
    """The stack in the original code, if there is a source map for it."""


class Requested(Struct, frozen=True, kw_only=True):
    """A request of a view that failed or was slow."""

    url: str
    method: str
    kind: str
    at_seconds: float
    duration_seconds: float
    status: int
    failure: str


class Whole(Struct, frozen=True, kw_only=True):
    """All that is known of a page view."""

    app: str
    seen: Seen
    received_at: datetime
    referrer: str
    hidden: bool
    ended: bool
    phases: dict[str, float]
    protocol: str
    transfer_bytes: int
    connection: str
    viewport: tuple[int, int] | None
    journey: str | None
    step: str | None
    location: str | None
    vitals: tuple[Measured, ...]
    interactions: tuple[StoredInteraction, ...]
    errors: tuple[Failed, ...]
    requests: tuple[Requested, ...]


def read_newest_views(
    connection: Connection, which: Filter, when: Range, limit: int = 50, before: str | None = None
) -> list[Seen]:
    """Page views, the newest first; `before` is the id of the last one of the page before.

    Reads rows until `limit` match the labels other than app and page, at most those of the range.
    """
    rows = select_rows(page_views, which, when).where(page_views.c.type != "report")
    rows = rows.order_by(page_views.c.started_at.desc(), page_views.c.number.desc())
    if before is not None:
        place = select(page_views.c.started_at, page_views.c.number).where(page_views.c.id == before)
        last = connection.execute(place).first()
        if last is None:
            return []
        rows = rows.where(tuple_(page_views.c.started_at, page_views.c.number) < tuple_(*last))
    return _seen(connection, rows.limit(limit))


def read_slowest_views(connection: Connection, metric: Metric, which: Filter, when: Range, limit: int = 50) -> list[Seen]:
    """The page views with the largest values, at most one per minute, hour or day of the range and combination of labels.

    Reads the roll-up, which holds the worst view of each row, then `limit` views by their number. Views that retention has removed
    are left out.
    """
    table = "histograms"
    condition, parameters = which.series()
    sql = text(
        f"SELECT {table}.view FROM {table} CROSS JOIN series "
        f"WHERE metric = :metric AND step = :step AND at >= :start AND at < :end AND series.id = {table}.series AND {condition} "
        f"AND {table}.view >= :oldest ORDER BY worst DESC LIMIT :limit"
    )
    step, start, end = choose_step(connection, when)
    oldest = connection.execute(select(func.min(page_views.c.number))).scalar() or 0
    bounds = {
        "metric": metric,
        "step": step,
        "start": start,
        "end": end,
        "limit": limit,
        "oldest": oldest,
    }
    numbers = list(connection.execute(sql, parameters | bounds).scalars())
    found = _seen(connection, select(page_views).where(page_views.c.number.in_(numbers)))
    return sorted(found, key=lambda one: -((one.load_seconds if metric == "load" else one.vitals.get(metric)) or 0.0))


def read_view(connection: Connection, identity: str) -> Whole | None:
    """A page view whole; None when it is not there (any more). Six look-ups by key."""
    row = connection.execute(select(page_views).where(page_views.c.id == identity)).mappings().first()
    if row is None:
        return None
    number = row["number"]

    def of(table: Table, *order: Any) -> Sequence[Any]:
        return connection.execute(select(table).where(table.c.view == number).order_by(*order)).mappings().all()

    of_reason = [reasons.c[name] for name in ("kind", "type", "source", "stack", "error_group", "original")]
    errors = connection.execute(
        select(page_errors, *of_reason)
        .join(reasons, reasons.c.id == page_errors.c.reason)
        .where(page_errors.c.view == number)
        .order_by(page_errors.c.at)
    ).mappings()
    return Whole(
        app=row["app"],
        seen=_as_seen(row["total"], row, {one["name"]: one["value"] for one in of(vitals)}),
        received_at=from_epoch(row["received_at"]),
        **{name: row[name] for name in ("referrer", "hidden", "ended", "protocol", "transfer_bytes", "connection")},
        **{name: row[name] for name in ("journey", "step", "location")},
        phases={phase: row[phase] for phase in PHASES if row[phase] is not None},
        viewport=None if row["viewport_width"] is None else (row["viewport_width"], row["viewport_height"]),
        vitals=tuple(make_struct(Measured, one) for one in of(vitals, vitals.c.name)),
        interactions=tuple(make_struct(StoredInteraction, one) for one in of(interactions, interactions.c.index)),
        errors=tuple(make_struct(Failed, {**one, "frames": read_frames(one["original"])}) for one in errors),
        requests=tuple(make_struct(Requested, one) for one in of(slow_requests, slow_requests.c.index)),
    )


def read_session_views(connection: Connection, identity: str, limit: int = 1_000) -> list[Seen]:
    """The page views of a session in the order in which they began. Reads these rows."""
    rows = select(page_views).where(page_views.c.session == identity).order_by(page_views.c.started_at, page_views.c.number)
    return _seen(connection, rows.limit(limit))


def read_views_with_error(connection: Connection, group: str, when: Range, limit: int = 50) -> list[Seen]:
    """The page views with an error of this group, the newest first. Reads as many rows of each of its newest `limit` reasons."""
    found = read_meetings(connection, group, when, limit)
    return sorted((seen for seen, _ in found), key=lambda one: one.started_at, reverse=True)


def read_meetings(connection: Connection, group: str, when: Range, limit: int) -> list[tuple[Seen, datetime]]:
    """As `read_views_with_error`, with the moment of the error in each, by which they are sorted, the newest first."""
    start, end = when.start.timestamp(), when.end.timestamp()
    # The newest views are among those of the reasons that were seen last.
    of_group = select(reasons.c.id).where(reasons.c.error_group == group, reasons.c.last_at >= start)
    newest = connection.execute(of_group.order_by(reasons.c.last_at.desc()).limit(limit)).scalars().all()
    moments: dict[int, float] = {}
    for reason in newest:
        met = select(page_errors.c.view, page_errors.c.at).where(
            page_errors.c.reason == reason, page_errors.c.at >= start, page_errors.c.at < end
        )
        for view, at in connection.execute(met.order_by(page_errors.c.at.desc()).limit(limit)):
            moments[view] = max(at, moments.get(view, 0.0))
    latest = sorted(moments, key=lambda view: -moments[view])[:limit]
    rows = connection.execute(select(page_views.c.number, page_views.c.id).where(page_views.c.number.in_(latest)))
    at_of = {row.id: moments[row.number] for row in rows}
    found = _seen(connection, select(page_views).where(page_views.c.number.in_(latest)))
    met_at = [(one, from_epoch(at_of[one.id])) for one in found]
    return sorted(met_at, key=lambda pair: pair[1], reverse=True)


def _seen(connection: Connection, rows: Select[Any]) -> list[Seen]:
    wanted = rows.with_only_columns(page_views.c.number, page_views.c.total, *(page_views.c[name] for name in _SAME))
    views = connection.execute(wanted).all()
    values: dict[int, dict[str, float]] = {}
    measured = select(vitals.c.view, vitals.c.name, vitals.c.value).where(vitals.c.view.in_([number for number, *_ in views]))
    for number, name, value in connection.execute(measured):
        values.setdefault(number, {})[name] = value
    return [_as_seen(load, dict(zip(_SAME, same, strict=True)), values.get(number, {})) for number, load, *same in views]


def _as_seen(load: float | None, row: Any, values: dict[str, float]) -> Seen:
    same: dict[str, Any] = {name: from_epoch(row[name]) if name == "started_at" else row[name] for name in _SAME}
    return Seen(**same, load_seconds=load, vitals=values)
