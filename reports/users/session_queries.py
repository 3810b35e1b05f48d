"""What visitors did: their sessions, what happened in each, and which actions are usual.

All lists are of one app and a range, `limit` at a time. Each is read along an index, so its cost is that of the rows it looks at.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, Table, desc, func, select, text, tuple_

from reports.collector.beacon import OBSERVATIONS
from reports.collector.frustration import BACK_TYPES, Click, FrustrationSign, Step, find_frustration, find_quick_back
from reports.users.rollup_queries import Filter
from reports.users.row_filters import from_epoch, make_struct, newest_views, select_rows
from runner.store.queries.time_range import Range
from runner.store.tables.day_numbers import began_within
from runner.store.tables.page_views import interactions, page_errors, page_views, sessions, slow_requests

LONGEST = 86_400.0
"""Maximum seconds of a session; our agent ends it after four hours."""


class Session(Struct, frozen=True, kw_only=True):
    """What one visitor did without a long pause."""

    id: str
    app: str
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
    frustrations: int
    """Signs of frustration: rage clicks, error clicks, dead clicks, quick backs."""


class StoredEvent(Struct, frozen=True, kw_only=True):
    """Something that happened in a session."""

    view: str
    kind: Literal["interaction", "error", "request", "frustration"]
    at: datetime
    text: str


class ActionCount(Struct, frozen=True, kw_only=True):
    """What users do on a page, and how often."""

    page: str
    type: str
    role: str
    name: str
    test_id: str
    count: int


def read_session(connection: Connection, identity: str) -> Session | None:
    """One session; None when it is not there (any more)."""
    row = connection.execute(select(sessions).where(sessions.c.id == identity)).mappings().first()
    return None if row is None else make_struct(Session, row)


def read_newest_sessions(
    connection: Connection,
    which: Filter,
    when: Range,
    limit: int = 50,
    before: str | None = None,
    failed: bool = False,
    longer: float = 0.0,
    among: int = 20_000,
    frustrated: bool = False,
) -> list[Session]:
    """Sessions, the newest first; `failed` ones have an error, those `longer` lasted so many seconds. Cost as `read_newest_views`.

    In `frustrated` ones a visitor showed frustration.

    With `which.page` those that came to this page: of its newest `among` views, each of which is looked at.
    """
    rows = select_rows(sessions, which, when, page=False).where(sessions.c.views > 0)
    if longer:
        rows = rows.where(sessions.c.seen_at - sessions.c.started_at >= longer)
    rows = rows.order_by(sessions.c.started_at.desc(), sessions.c.id.desc())
    if failed:
        # As the index of those says it.
        rows = rows.where(text("errors > 0"))
    if frustrated:
        rows = rows.where(text("frustrations > 0"))
    if before is not None:
        last = connection.execute(select(sessions.c.started_at, sessions.c.id).where(sessions.c.id == before)).first()
        if last is None:
            return []
        rows = rows.where(tuple_(sessions.c.started_at, sessions.c.id) < tuple_(*last))
        # A session that began earlier has not gone on for longer than this.
        when = Range(when.start, min(when.end, from_epoch(last.started_at + LONGEST)))
    if which.page is not None:
        came = (
            select(page_views.c.session)
            .where(page_views.c.app == which.app, page_views.c.page == which.page)
            .where(page_views.c.started_at >= when.start.timestamp(), page_views.c.started_at < when.end.timestamp())
            .where(began_within(page_views.c.number, when.start, when.end))
            .order_by(page_views.c.started_at.desc())
            .limit(among)
        )
        rows = rows.where(sessions.c.id.in_(came))
    return [make_struct(Session, row) for row in connection.execute(rows.limit(limit)).mappings()]


def read_marks(connection: Connection, session: str, limit: int = 2_000) -> list[StoredEvent]:
    """What happened in the page views of a session, in order. Reads its views, and all that belongs to them."""
    rows = connection.execute(
        select(*(page_views.c[name] for name in ("number", "id", "started_at", "series", "page", "url", "type")))
        .where(page_views.c.session == session)
        .order_by(page_views.c.started_at)
        .limit(limit)
    )
    views = {row.number: row for row in rows}

    def of(table: Table) -> Sequence[Any]:
        return connection.execute(select(table).where(table.c.view.in_(views)).limit(limit)).mappings().all()

    errors, requests = of(page_errors), of(slow_requests)
    acts = sorted(of(interactions), key=lambda one: (one["view"], one["index"]))
    found = [
        StoredEvent(
            view=views[one["view"]].id,
            kind="interaction",
            at=from_epoch(views[one["view"]].started_at + at),
            text=f"{one['type']} {_describe(one)}".strip(),
        )
        for one, at in zip(acts, _ordered_times(acts), strict=True)
        if one["type"] not in OBSERVATIONS
    ]
    found += [
        StoredEvent(view=views[one["view"]].id, kind="error", at=from_epoch(one["at"]), text=one["message"]) for one in errors
    ]
    found += [
        StoredEvent(
            view=views[one["view"]].id,
            kind="request",
            at=from_epoch(views[one["view"]].started_at + one["at_seconds"]),
            text=f"{one['method']} {one['url']} {one['status'] or one['failure']}",
        )
        for one in requests
    ]
    # Interactions that seem to be of one moment stay in their order.
    signs = [*_find_frustration(views, acts, errors, requests), *_find_quick_backs(views, acts)]
    return sorted([*found, *signs], key=lambda one: one.at)


def _find_frustration(
    views: Mapping[int, Any], acts: Sequence[Any], errors: Sequence[Any], requests: Sequence[Any]
) -> Iterator[StoredEvent]:
    """The signs of frustration in the rows of page views, by the times within each."""
    for number, view in views.items():
        clicks = [Click(one["at_seconds"], _describe(one)) for one in acts if one["view"] == number and one["type"] == "click"]
        failures = [one["at"] - view.started_at for one in errors if one["view"] == number]
        failures += [
            one["at_seconds"] for one in requests if one["view"] == number and (one["failure"] or one["status"] >= 400)
        ]
        signs = find_frustration(clicks, failures) if clicks else []
        signs += [
            FrustrationSign(one["at_seconds"], "dead click", _describe(one) or one["element"])
            for one in acts
            if one["view"] == number and one["type"] == "dead-click"
        ]
        for sign in signs:
            text = f"{sign.kind}: {sign.what}" if sign.what else sign.kind
            yield StoredEvent(view=view.id, kind="frustration", at=from_epoch(view.started_at + sign.at), text=text)


def _find_quick_backs(views: Mapping[int, Any], acts: Sequence[Any]) -> Iterator[StoredEvent]:
    """The views of a session that were left by a quick back, each at that moment."""
    back = {one["view"] for one in acts if one["type"] == "back"}
    steps: list[Step] = []
    for number, view in views.items():
        now = Step(number, view.series, view.started_at, view.page, view.url)
        left = find_quick_back(steps[-2:], now) if view.type in BACK_TYPES or number in back else None
        if left is not None:
            text = f"quick back from {left.page}"
            yield StoredEvent(view=views[left.number].id, kind="frustration", at=from_epoch(view.started_at), text=text)
        steps.append(now)


def _describe(act: Any) -> str:
    """What was acted on."""
    return " ".join(part for part in (act["role"], f"“{act['name']}”" if act["name"] else "") if part)


def _ordered_times(acts: Sequence[Any]) -> Iterator[float]:
    """The time of each interaction in its view, none before that of the one before.

    A click has the time of the mouse, a change that of its event: on a busy page the click with which a user leaves a field seems to
    be earlier than the change that it causes. They are numbered as the page has seen them.
    """
    view, latest = None, 0.0
    for one in acts:
        latest = one["at_seconds"] if one["view"] != view else max(latest, one["at_seconds"])
        view = one["view"]
        yield latest


def read_actions(
    connection: Connection, which: Filter, when: Range, limit: int = 100, among: int = 20_000
) -> list[ActionCount]:
    """The most frequent actions. Reads the newest `among` matching page views and all of their interactions: some µs each."""
    some = newest_views(which, when, among, "number", "page")
    columns = (some.c.page, *(interactions.c[name] for name in ("type", "role", "name", "test_id")))
    counted = (
        select(*columns, func.count().label("count"))
        .join(interactions, interactions.c.view == some.c.number)
        .where(interactions.c.type.not_in(OBSERVATIONS))
        .group_by(*columns)
        .order_by(desc("count"), *columns)
        .limit(limit)
    )
    return [make_struct(ActionCount, row) for row in connection.execute(counted).mappings()]
