"""What visitors clicked on a page, counted from the interactions that their browsers reported, by element."""

from typing import Literal, get_args

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, case, desc, func, select

from reports.users.rollup_queries import Filter
from reports.users.row_filters import select_rows
from runner.store.queries.time_range import Range
from runner.store.tables.page_views import interactions, page_views
from runner.store.tables.replays import replay_chunks

Width = Literal["phone", "tablet", "desktop"]
WIDTHS: tuple[Width, ...] = get_args(Width)
BOUNDS: dict[Width, tuple[int, int]] = {"phone": (1, 600), "tablet": (600, 1024), "desktop": (1024, 1_000_001)}
"""From which width of the window on, in CSS pixels, and below which: layouts change between them, so they are never counted together."""
AMONG = 20_000
CANDIDATES = 200
"""Recorded pages that are looked at for one of the right width."""


class ClickCount(Struct, frozen=True, kw_only=True):
    """Clicks on one element."""

    element: str
    """A CSS selector of ids, tags and classes; empty for clicks that an earlier agent reported."""
    role: str
    name: str
    test_id: str
    count: int
    dead: int
    """Of these, the dead ones."""


class PageSnapshot(Struct, frozen=True, kw_only=True):
    """A moment of a recording at which the page was on the screen."""

    chunk: int
    session: str
    at: float
    """Seconds since the epoch."""


def in_width(width: Width) -> ColumnElement[bool]:
    """The condition for page views of a width class."""
    low, high = BOUNDS[width]
    return (page_views.c.viewport_width >= low) & (page_views.c.viewport_width < high)


def read_click_counts(
    connection: Connection, which: Filter, when: Range, width: Width, limit: int = 100
) -> tuple[int, list[ClickCount]]:
    """The page views, and what was clicked most. Reads the newest 20,000 views of the page, and all of their interactions."""
    some = (
        select_rows(page_views, which, when)
        .where(in_width(width), page_views.c.type != "report")
        .with_only_columns(page_views.c.number)
        .order_by(page_views.c.started_at.desc())
        .limit(AMONG)
        .subquery()
    )
    act = interactions.c
    what = (act.element, act.role, act.name, act.test_id)
    clicked = func.sum(case((act.type == "click", 1), else_=0))
    dead = func.sum(case((act.type == "dead-click", 1), else_=0))
    counted = (
        select(*what, clicked, dead)
        .join_from(some, interactions, act.view == some.c.number)
        .where(act.type.in_(("click", "dead-click")))
        .group_by(*what)
        .order_by(desc(clicked), *what)
        .limit(limit)
    )
    found = [
        # A dead click was reported as a click too, but perhaps in a beacon that was lost.
        ClickCount(element=element, role=role, name=name, test_id=test_id, count=max(count, wrong), dead=wrong)
        for element, role, name, test_id, count, wrong in connection.execute(counted)
    ]
    return connection.execute(select(func.count()).select_from(some)).scalar_one(), found


def find_snapshot(connection: Connection, which: Filter, when: Range, width: Width) -> PageSnapshot | None:
    """The newest recorded moment of a page in a width class; None if there is no recording of it. Looks at 200 recorded pages at most."""
    chunk = replay_chunks.c
    rows = connection.execute(
        select(chunk.id, chunk.session, chunk.first_at, chunk.last_at)
        .where(chunk.app == which.app, chunk.page == which.page, chunk.has_full_snapshot)
        .where(chunk.received_at >= when.start.timestamp(), chunk.received_at < when.end.timestamp())
        .order_by(chunk.received_at.desc())
        .limit(CANDIDATES)
    ).all()
    seen = page_views.c
    for row in rows:
        views = connection.execute(
            select(seen.page, seen.started_at, in_width(width).label("fits"))
            .where(seen.session == row.session, seen.started_at <= row.last_at)
            .order_by(seen.started_at.desc())
            .limit(10)
        ).all()
        following = row.last_at
        for view in views:
            if view.page == which.page and view.fits:
                return PageSnapshot(chunk=row.id, session=row.session, at=max(following, row.first_at))
            # The page was left for this one.
            following = view.started_at - 0.05
    return None
