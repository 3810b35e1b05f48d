"""How far visitors came along a series of pages: by session, in order, within a time from the first page to the last."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, select

from reports.users.rollup_queries import Filter
from reports.users.row_filters import from_epoch, make_struct, select_rows
from reports.users.session_queries import Session
from runner.store.queries.time_range import Range
from runner.store.tables.page_views import page_views, sessions

AMONG = 20_000
"""Page views of each page that are read, the newest."""
Visit = tuple[float, str]
"""When a page was opened, and which."""
Times = tuple[float, ...]
"""When each of the first steps was reached."""


class FunnelStep(Struct, frozen=True, kw_only=True):
    """A page of the funnel, and how many came to it by all steps before it."""

    page: str
    sessions: int
    share: float
    """Of the sessions at the first step."""
    dropped: int
    """Sessions that did not come to the next step."""
    seconds: float | None
    """Median time since the step before; None for the first step, and where nobody came."""


class FunnelCount(Struct, frozen=True, kw_only=True):
    """The steps, and how far each session came."""

    steps: tuple[FunnelStep, ...]
    since: datetime
    """From when on page views were read: later than the range's start where there are too many."""
    reached: dict[str, Times]
    """Of each session."""


def count_funnel(
    connection: Connection, which: Filter, when: Range, steps: Sequence[str], within: float, among: int = AMONG
) -> FunnelCount:
    """Sessions whose first step is in the range. Reads the newest `among` views of each page, along the index of pages."""
    # Who began at the end of the range may go on after it.
    span = Range(when.start, when.end + timedelta(seconds=within))
    visits: dict[str, list[Visit]] = defaultdict(list)
    since = when.start.timestamp()
    for page in dict.fromkeys(steps):
        rows = (
            select_rows(page_views, replace(which, page=page), span)
            .where(page_views.c.type != "report")
            .with_only_columns(page_views.c.session, page_views.c.started_at)
            .order_by(page_views.c.started_at.desc())
            .limit(among)
        )
        found = connection.execute(rows).all()
        if len(found) == among:
            # Of before that, this page would be missing, and everybody would seem to have given up.
            since = max(since, found[-1].started_at)
        for session, at in found:
            visits[session].append((at, page))
    end = when.end.timestamp()
    reached = {}
    for session, seen in visits.items():
        times = follow_steps(sorted(one for one in seen if one[0] >= since), steps, within, end)
        if times:
            reached[session] = times
    return FunnelCount(steps=_count_steps(steps, reached), since=from_epoch(since), reached=reached)


def follow_steps(seen: Iterable[Visit], steps: Sequence[str], within: float, begins_before: float = float("inf")) -> Times:
    """When each step was reached by the session that came furthest; other pages may be between two steps.

    The same rule as ClickHouse's windowFunnel: every visit of the first page may be the beginning.

    >>> follow_steps([(0, "/"), (9, "/cart"), (100, "/"), (130, "/cart"), (140, "/thanks")], ["/", "/cart", "/thanks"], 60)
    (100, 130, 140)
    """
    chains: list[Times] = [()] * len(steps)
    best: Times = ()
    for at, page in seen:
        # From the last to the first, so that one visit is one step.
        for place in range(len(steps) - 1, -1, -1):
            if page != steps[place]:
                continue
            if place == 0:
                if at < begins_before:
                    chains[0] = (at,)
            elif chains[place - 1] and at - chains[place - 1][0] <= within:
                chains[place] = (*chains[place - 1], at)
            if len(chains[place]) > len(best):
                best = chains[place]
    return best


def read_dropped(connection: Connection, reached: Mapping[str, Times], step: int, limit: int) -> list[Session]:
    """The newest sessions that came to this step (the first is 1) and no further. Reads them by key."""
    last = {session: times[-1] for session, times in reached.items() if len(times) == step}
    newest = sorted(last, key=lambda one: -last[one])[:limit]
    rows = connection.execute(select(sessions).where(sessions.c.id.in_(newest))).mappings()
    found = {row["id"]: make_struct(Session, row) for row in rows}
    return [found[one] for one in newest if one in found]


def _count_steps(steps: Sequence[str], reached: Mapping[str, Times]) -> tuple[FunnelStep, ...]:
    counts = [sum(len(times) > place for times in reached.values()) for place in range(len(steps))]
    counted = []
    for place, page in enumerate(steps):
        times = [one[place] - one[place - 1] for one in reached.values() if len(one) > place] if place else []
        following = counts[place + 1] if place + 1 < len(steps) else counts[place]
        counted.append(
            FunnelStep(
                page=page,
                sessions=counts[place],
                share=round(counts[place] / counts[0], 4) if counts[0] else 0.0,
                dropped=counts[place] - following,
                seconds=round(median(times), 3) if times else None,
            )
        )
    return tuple(counted)
