"""Single page views, sessions and errors, as they were stored: what a figure is made of, and the way from it to a session.

All lists are of one app and a range, `limit` at a time. Each is read along an index, so its cost is that of the rows it looks at.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, Table, desc, func, or_, select, text, tuple_

from reports.collector.figures import DIMENSIONS, Filter, Range, step_of
from reports.collector.metrics import SCRIPT_KINDS
from runner.store import Store
from runner.store.schema import PHASES
from runner.store.views import (
    Metric,
    interactions,
    page_errors,
    page_views,
    reason_tallies,
    reasons,
    sessions,
    slow_requests,
    vitals,
)

LONGEST = 86_400.0
"""Seconds that a session goes on at the most; our agent ends it after four hours."""


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
    vitals: dict[str, float] = {}


_SAME = tuple(name for name in Seen.__struct_fields__ if name not in ("load_seconds", "vitals"))
"""Fields that are columns of the same name."""


class Measured(Struct, frozen=True, kw_only=True):
    """A vital of a view, with what it came from."""

    name: str
    id: str
    value: float
    attribution: dict[str, Any]


class Acted(Struct, frozen=True, kw_only=True):
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
    interactions: tuple[Acted, ...]
    errors: tuple[Failed, ...]
    requests: tuple[Requested, ...]


class Session(Struct, frozen=True, kw_only=True):
    """What one visitor did without a long pause."""

    id: str
    started_at: datetime
    seen_at: datetime
    first_page: str
    last_page: str
    traffic: str
    environment: str
    release: str
    browser: str
    system: str
    device: str
    views: int
    interactions: int
    errors: int
    requests: int


class Mark(Struct, frozen=True, kw_only=True):
    """Something that happened in a session."""

    view: str
    kind: Literal["interaction", "error", "request"]
    at: datetime
    text: str


class Reason(Struct, frozen=True, kw_only=True):
    """Errors that are the same but for numbers and ids: how often in the range, by how many views; first and last seen at all."""

    id: str
    kind: str
    type: str
    message: str
    source: str
    stack: str
    first_at: datetime
    last_at: datetime
    count: int
    views: int


class Action(Struct, frozen=True, kw_only=True):
    """What users do on a page, and how often."""

    page: str
    type: str
    role: str
    name: str
    test_id: str
    count: int


def newest(store: Store, which: Filter, when: Range, limit: int = 50, before: str | None = None) -> list[Seen]:
    """Page views, the newest first; `before` is the id of the last one of the page before.

    Reads as many rows as it takes to find `limit` that fit the labels other than app and page, at the most those of the range.
    """
    with store.connected() as connection:
        rows = _listed(page_views, which, when).where(page_views.c.type != "report")
        rows = rows.order_by(page_views.c.started_at.desc(), page_views.c.number.desc())
        if before is not None:
            place = select(page_views.c.started_at, page_views.c.number).where(page_views.c.id == before)
            last = connection.execute(place).first()
            if last is None:
                return []
            rows = rows.where(tuple_(page_views.c.started_at, page_views.c.number) < tuple_(*last))
        return _seen(connection, rows.limit(limit))


def slowest(store: Store, metric: Metric, which: Filter, when: Range, limit: int = 50) -> list[Seen]:
    """The page views with the largest values, one for each minute, hour or day of the range and combination of labels at the most.

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
    with store.connected() as connection:
        step, start, end = step_of(connection, when)
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


def view(store: Store, identity: str) -> Whole | None:
    """A page view whole; None when it is not there (any more). Six look-ups by key."""
    with store.connected() as connection:
        row = connection.execute(select(page_views).where(page_views.c.id == identity)).mappings().first()
        if row is None:
            return None
        number = row["number"]

        def of(table: Table, *order: Any) -> Sequence[Any]:
            return connection.execute(select(table).where(table.c.view == number).order_by(*order)).mappings().all()

        errors = connection.execute(
            select(page_errors, reasons.c.kind, reasons.c.type, reasons.c.source, reasons.c.stack)
            .join(reasons, reasons.c.id == page_errors.c.reason)
            .where(page_errors.c.view == number)
            .order_by(page_errors.c.at)
        ).mappings()
        return Whole(
            app=row["app"],
            seen=_as_seen(row["total"], row, {one["name"]: one["value"] for one in of(vitals)}),
            received_at=_moment(row["received_at"]),
            **{name: row[name] for name in ("referrer", "hidden", "ended", "protocol", "transfer_bytes", "connection")},
            **{name: row[name] for name in ("journey", "step", "location")},
            phases={phase: row[phase] for phase in PHASES if row[phase] is not None},
            viewport=None if row["viewport_width"] is None else (row["viewport_width"], row["viewport_height"]),
            vitals=tuple(_struct(Measured, one) for one in of(vitals, vitals.c.name)),
            interactions=tuple(_struct(Acted, one) for one in of(interactions, interactions.c.index)),
            errors=tuple(_struct(Failed, one) for one in errors),
            requests=tuple(_struct(Requested, one) for one in of(slow_requests, slow_requests.c.index)),
        )


def session_views(store: Store, identity: str, limit: int = 1_000) -> list[Seen]:
    """The page views of a session in the order in which they began. Reads these rows."""
    rows = select(page_views).where(page_views.c.session == identity).order_by(page_views.c.started_at, page_views.c.number)
    with store.connected() as connection:
        return _seen(connection, rows.limit(limit))


def run_views(store: Store, run: str, limit: int = 1_000) -> list[Seen]:
    """The page views of a journey's run, as the page's own agent saw them. Reads these rows."""
    rows = select(page_views).where(page_views.c.run == run).order_by(page_views.c.started_at, page_views.c.number)
    with store.connected() as connection:
        return _seen(connection, rows.limit(limit))


def session(store: Store, identity: str) -> Session | None:
    """One session; None when it is not there (any more)."""
    with store.connected() as connection:
        row = connection.execute(select(sessions).where(sessions.c.id == identity)).mappings().first()
    return None if row is None else _struct(Session, row)


def newest_sessions(
    store: Store,
    which: Filter,
    when: Range,
    limit: int = 50,
    before: str | None = None,
    failed: bool = False,
    longer: float = 0.0,
    among: int = 20_000,
) -> list[Session]:
    """Sessions, the newest first; `failed` ones met an error, those `longer` lasted so many seconds. Cost as `newest`.

    With `which.page` those that came to this page: of its newest `among` views, each of which is looked at.
    """
    rows = _listed(sessions, which, when, page=False).where(sessions.c.views > 0)
    if longer:
        rows = rows.where(sessions.c.seen_at - sessions.c.started_at >= longer)
    rows = rows.order_by(sessions.c.started_at.desc(), sessions.c.id.desc())
    if failed:
        # As the index of those says it.
        rows = rows.where(text("errors > 0"))
    with store.connected() as connection:
        if before is not None:
            last = connection.execute(select(sessions.c.started_at, sessions.c.id).where(sessions.c.id == before)).first()
            if last is None:
                return []
            rows = rows.where(tuple_(sessions.c.started_at, sessions.c.id) < tuple_(*last))
            # A session that began earlier has not gone on for longer than this.
            when = Range(when.start, min(when.end, _moment(last.started_at + LONGEST)))
        if which.page is not None:
            came = (
                select(page_views.c.session)
                .where(page_views.c.app == which.app, page_views.c.page == which.page)
                .where(page_views.c.started_at >= when.start.timestamp(), page_views.c.started_at < when.end.timestamp())
                .order_by(page_views.c.started_at.desc())
                .limit(among)
            )
            rows = rows.where(sessions.c.id.in_(came))
        return [_struct(Session, row) for row in connection.execute(rows.limit(limit)).mappings()]


def marks(store: Store, session: str, limit: int = 2_000) -> list[Mark]:
    """What happened in the page views of a session, in order. Reads its views, and all that belongs to them."""
    with store.connected() as connection:
        rows = connection.execute(
            select(page_views.c.number, page_views.c.id, page_views.c.started_at)
            .where(page_views.c.session == session)
            .order_by(page_views.c.started_at)
            .limit(limit)
        )
        views = {row.number: row for row in rows}

        def of(table: Table) -> Sequence[Any]:
            return connection.execute(select(table).where(table.c.view.in_(views)).limit(limit)).mappings().all()

        found = [
            Mark(
                view=views[one["view"]].id,
                kind="interaction",
                at=_moment(views[one["view"]].started_at + one["at_seconds"]),
                text=" ".join(part for part in (one["type"], one["role"], f"“{one['name']}”" if one["name"] else "") if part),
            )
            for one in of(interactions)
        ]
        found += [
            Mark(view=views[one["view"]].id, kind="error", at=_moment(one["at"]), text=one["message"])
            for one in of(page_errors)
        ]
        found += [
            Mark(
                view=views[one["view"]].id,
                kind="request",
                at=_moment(views[one["view"]].started_at + one["at_seconds"]),
                text=f"{one['method']} {one['url']} {one['status'] or one['failure']}",
            )
            for one in of(slow_requests)
        ]
    return sorted(found, key=lambda one: (one.at, one.kind, one.text))


def errors(
    store: Store, app: str, when: Range, limit: int = 100, kinds: Iterable[str] = tuple(sorted(SCRIPT_KINDS))
) -> list[Reason]:
    """The reasons of errors in a range of whole hours, most views first; `kinds` are those of a beacon's errors.

    Reads a row for each hour and reason.
    """
    start, end = int(when.start.timestamp() // 3600) * 3600, when.end.timestamp()
    counted = (
        select(func.sum(reason_tallies.c.count).label("errors"), func.sum(reason_tallies.c.views).label("views"), reasons.c.id)
        .join(reasons, reasons.c.id == reason_tallies.c.reason)
        .where(reasons.c.app == app, reasons.c.last_at >= start, reasons.c.kind.in_(list(kinds)))
        .where(reason_tallies.c.at >= start, reason_tallies.c.at < end)
        .group_by(reasons.c.id)
        .order_by(desc("views"), desc("errors"), reasons.c.id)
        .limit(limit)
    )
    with store.connected() as connection:
        rows = {row.id: row for row in connection.execute(counted)}
        found = connection.execute(select(reasons).where(reasons.c.id.in_(rows))).mappings()
        made = [
            _struct(Reason, {**one, "count": int(rows[one["id"]].errors), "views": int(rows[one["id"]].views)}) for one in found
        ]
    return sorted(made, key=lambda one: (-one.views, -one.count, one.id))


def errors_met(
    store: Store,
    which: Filter,
    when: Range,
    limit: int = 100,
    among: int = 20_000,
    kinds: Iterable[str] = tuple(sorted(SCRIPT_KINDS)),
) -> list[tuple[Reason, str]]:
    """As `errors`, of the page views that fit alone, each with the newest view that met it. Looks at the newest `among` of them."""
    some = (
        _listed(page_views, which, when)
        .with_only_columns(page_views.c.number, page_views.c.errors)
        .order_by(page_views.c.started_at.desc())
        .limit(among)
        .subquery()
    )
    counted = (
        select(
            func.sum(page_errors.c.count).label("errors"),
            func.count().label("views"),
            func.max(some.c.number).label("newest"),
            reasons.c.id,
        )
        .join(page_errors, page_errors.c.view == some.c.number)
        .join(reasons, reasons.c.id == page_errors.c.reason)
        .where(some.c.errors > 0, reasons.c.kind.in_(list(kinds)))
        .group_by(reasons.c.id)
        .order_by(desc("views"), desc("errors"), reasons.c.id)
        .limit(limit)
    )
    with store.connected() as connection:
        rows = connection.execute(counted).all()
        known = {
            one["id"]: one
            for one in connection.execute(select(reasons).where(reasons.c.id.in_([row.id for row in rows]))).mappings()
        }
        wanted = select(page_views.c.number, page_views.c.id).where(page_views.c.number.in_([row.newest for row in rows]))
        newest = {row.number: row.id for row in connection.execute(wanted)}
    return [
        (_struct(Reason, {**known[row.id], "count": int(row.errors), "views": int(row.views)}), newest[row.newest])
        for row in rows
    ]


def views_with_error(store: Store, reason: str, when: Range, limit: int = 50) -> list[Seen]:
    """The page views that met an error of this reason, the newest first. Reads these rows."""
    start, end = when.start.timestamp(), when.end.timestamp()
    with store.connected() as connection:
        met = (
            select(page_errors.c.view)
            .where(page_errors.c.reason == reason, page_errors.c.at >= start, page_errors.c.at < end)
            .order_by(page_errors.c.at.desc())
            .limit(limit)
        )
        numbers = list(connection.execute(met).scalars())
        found = _seen(connection, select(page_views).where(page_views.c.number.in_(numbers)))
    return sorted(found, key=lambda one: one.started_at, reverse=True)


def actions(store: Store, which: Filter, when: Range, limit: int = 100, among: int = 20_000) -> list[Action]:
    """What users do most. Looks at the newest `among` page views that fit, and at every interaction of those: some µs for each."""
    some = (
        _listed(page_views, which, when)
        .with_only_columns(page_views.c.number, page_views.c.page)
        .order_by(page_views.c.started_at.desc())
        .limit(among)
        .subquery()
    )
    columns = (some.c.page, *(interactions.c[name] for name in ("type", "role", "name", "test_id")))
    counted = (
        select(*columns, func.count().label("count"))
        .join(interactions, interactions.c.view == some.c.number)
        .group_by(*columns)
        .order_by(desc("count"), *columns)
        .limit(limit)
    )
    with store.connected() as connection:
        return [_struct(Action, row) for row in connection.execute(counted).mappings()]


def _listed(table: Table, which: Filter, when: Range, page: bool = True) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [
        table.c.app == which.app,
        table.c.started_at >= when.start.timestamp(),
        table.c.started_at < when.end.timestamp(),
    ]
    for name in DIMENSIONS:
        wanted = getattr(which, name)
        if wanted is None or (name == "page" and not page):
            continue
        if name == "browser":
            conditions.append(or_(table.c.browser == wanted, table.c.browser.startswith(f"{wanted} ", autoescape=True)))
        else:
            conditions.append(table.c[name] == wanted)
    return select(table).where(*conditions)


def _seen(connection: Connection, rows: Select[Any]) -> list[Seen]:
    wanted = rows.with_only_columns(page_views.c.number, page_views.c.total, *(page_views.c[name] for name in _SAME))
    views = connection.execute(wanted).all()
    values: dict[int, dict[str, float]] = {}
    measured = select(vitals.c.view, vitals.c.name, vitals.c.value).where(vitals.c.view.in_([number for number, *_ in views]))
    for number, name, value in connection.execute(measured):
        values.setdefault(number, {})[name] = value
    return [_as_seen(load, dict(zip(_SAME, same, strict=True)), values.get(number, {})) for number, load, *same in views]


def _as_seen(load: float | None, row: Any, values: dict[str, float]) -> Seen:
    same: dict[str, Any] = {name: _moment(row[name]) if name == "started_at" else row[name] for name in _SAME}
    return Seen(**same, load_seconds=load, vitals=values)


def _struct(kind: Any, row: Any) -> Any:
    """The fields of a struct from the columns of the same names, moments as such."""
    moments = ("at", "started_at", "seen_at", "first_at", "last_at")
    return kind(**{name: _moment(row[name]) if name in moments else row[name] for name in kind.__struct_fields__})


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
