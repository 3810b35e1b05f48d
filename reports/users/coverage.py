"""What real users do and no journey covers: pages and named actions, by how much they are used.

The agent marks a journey's own page views, so the site must have it on its pages. Names that differ only in numbers (`Cart 2`)
count as one.
"""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, Subquery, case, exists, func, select, true

from runner.store.queries.time_range import Range
from runner.store.tables.day_numbers import began_within
from runner.store.tables.page_views import interactions, page_views
from runner.store.tables.replays import replay_chunks

Key = TypeVar("Key")
ACTIONS = ("click", "change", "submit", "keyboard")
"""The kinds of interactions that a journey can do."""
AMONG = 20_000
"""The newest page views of a range that are examined."""


class Page(Struct, frozen=True, kw_only=True):
    """A page, by its route template, that no journey has opened."""

    page: str
    views: int
    sessions: int
    session: str
    """The newest in which it was seen, of those that were recorded if there is one."""
    recorded: bool
    """Whether a journey can be made from it."""


class Action(Struct, frozen=True, kw_only=True):
    """Something that is done on a page and that no journey does there."""

    page: str
    role: str
    name: str
    """The accessible name, with `#` for numbers; else the test id."""
    count: int
    session: str
    recorded: bool


class Coverage(Struct, frozen=True, kw_only=True):
    """How much of what real users do the journeys do too."""

    app: str
    views: int
    """Of real users."""
    views_covered: int
    """Of pages that a journey opens."""
    actions: int
    actions_covered: int
    untouched_pages: tuple[Page, ...]
    """Those with most views first."""
    untouched_actions: tuple[Action, ...]
    """Those that are done most first."""
    among: int | None = None
    """How many of the newest page views were looked at, where the span has more."""

    @property
    def share_of_views(self) -> float | None:
        """From 0 to 1; None where there are none."""
        return self.views_covered / self.views if self.views else None

    @property
    def share_of_actions(self) -> float | None:
        """From 0 to 1; None where there are none."""
        return self.actions_covered / self.actions if self.actions else None


class _Use(Struct):
    """How often something was seen, and the numbers of the newest view, and of the newest whose session was recorded."""

    count: int = 0
    sessions: int = 0
    newest: int = 0
    recorded: int = 0

    @property
    def best(self) -> int:
        """The view whose session is named."""
        return self.recorded or self.newest


def read_coverage(connection: Connection, app: str, when: Range, limit: int = 50, among: int = AMONG) -> Coverage:
    """The coverage of an app in a range, with at most `limit` pages and actions.

    Reads the views of the range, at most the newest `among`.
    """
    some = _newest(app, when, among)
    looked_at = connection.execute(select(func.count()).select_from(some)).scalar_one()
    pages, opened = _pages(connection, some)
    actions, done = _actions(connection, some)
    left_pages = _most(((page, use) for page, use in pages.items() if page not in opened), limit)
    left_actions = _most(((key, use) for key, use in actions.items() if key not in done), limit)
    sessions = _sessions(connection, [use.best for _, use in (*left_pages, *left_actions)])
    return Coverage(
        app=app,
        views=sum(use.count for use in pages.values()),
        views_covered=sum(use.count for page, use in pages.items() if page in opened),
        actions=sum(use.count for use in actions.values()),
        actions_covered=sum(use.count for key, use in actions.items() if key in done),
        untouched_pages=tuple(
            Page(page=page, views=use.count, sessions=use.sessions, session=sessions[use.best], recorded=bool(use.recorded))
            for page, use in left_pages
        ),
        untouched_actions=tuple(
            Action(
                page=key[0], role=key[1], name=key[2], count=use.count, session=sessions[use.best], recorded=bool(use.recorded)
            )
            for key, use in left_actions
        ),
        among=among if looked_at == among else None,
    )


def read_visited_apps(connection: Connection) -> list[str]:
    """Every app that page views are stored of, also those of the last minute, which no roll-up has yet."""
    found: list[str] = []
    app = page_views.c.app
    # One look into the index for each: `DISTINCT` would read all of it.
    while (after := connection.execute(select(func.min(app)).where(*[app > one for one in found[-1:]])).scalar()) is not None:
        found.append(after)
    return found


def _newest(app: str, when: Range, among: int) -> Subquery:
    view = page_views.c
    return (
        select(view.number, view.page, view.traffic, view.type, view.session)
        .where(
            view.app == app,
            view.started_at >= when.start.timestamp(),
            view.started_at < when.end.timestamp(),
            began_within(view.number, when.start, when.end),
            view.type != "report",
        )
        .order_by(view.started_at.desc())
        .limit(among)
        .subquery()
    )


def _pages(connection: Connection, some: Subquery) -> tuple[dict[str, _Use], set[str]]:
    """The pages of real users, and those that journeys have opened."""
    view = some.c
    rows = connection.execute(
        select(
            view.page,
            view.traffic,
            func.count(),
            func.count(view.session.distinct()),
            func.max(view.number),
            _newest_recorded(some),
        ).group_by(view.page, view.traffic)
    ).all()
    real = {
        page: _Use(count, sessions, newest, recorded or 0)
        for page, traffic, count, sessions, newest, recorded in rows
        if traffic == "real"
    }
    return real, {page for page, traffic, *_ in rows if traffic == "synthetic"}


def _actions(connection: Connection, some: Subquery) -> tuple[dict[tuple[str, str, str], _Use], set[tuple[str, str, str]]]:
    """The named actions of real users, and those of journeys: page, role and name."""
    view, acted = some.c, interactions.c
    rows = connection.execute(
        select(
            view.page,
            view.traffic,
            acted.role,
            acted.name,
            acted.test_id,
            func.count(),
            func.max(view.number),
            _newest_recorded(some),
        )
        .join_from(some, interactions, view.number == acted.view)
        .where(acted.type.in_(ACTIONS))
        .group_by(view.page, view.traffic, acted.role, acted.name, acted.test_id)
    ).all()
    real: dict[tuple[str, str, str], _Use] = {}
    done = set()
    for page, traffic, role, name, test_id, count, newest, recorded in rows:
        called = re.sub(r"\d+", "#", name) or test_id
        if not called:
            continue
        key = (page, role, called)
        if traffic == "synthetic":
            done.add(key)
        elif traffic == "real":
            use = real.setdefault(key, _Use())
            use.count += count
            use.newest = max(use.newest, newest)
            use.recorded = max(use.recorded, recorded or 0)
    return real, done


def _newest_recorded(some: Subquery) -> Any:
    """The newest view of a session that can be played."""
    playable = exists().where(replay_chunks.c.session == some.c.session, replay_chunks.c.has_full_snapshot == true())
    return func.max(case((playable, some.c.number)))


def _most(uses: Iterable[tuple[Key, _Use]], limit: int) -> list[tuple[Key, _Use]]:
    return sorted(uses, key=lambda one: (-one[1].count, str(one[0])))[:limit]


def _sessions(connection: Connection, numbers: list[int]) -> dict[int, str]:
    """The session of each view, by its number."""
    view = page_views.c
    rows = connection.execute(select(view.number, view.session).where(view.number.in_(set(numbers))))
    return {number: session for number, session in rows}  # noqa: C416 (rows are not tuples to mypy)
