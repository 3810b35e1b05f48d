"""What to make of a journey's state beside the errors of the real users on the pages that it loads."""

import math
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection

from reports.users.rollup_queries import HOUR, MINUTE, Filter, Tally, read_groups
from reports.web.view_models.real_users.metric_tiles import ENOUGH
from runner.store.queries.page_loads import StoredLoad
from runner.store.queries.runs import History
from runner.store.queries.time_range import Range

FEW = 5
"""Loads by journeys, and page views with an error, below which nothing is said."""
RISE = 1.5
SURE = 2.33
"""Errors are up when their share is so many times that of before, and more than this many standard errors above it: 1 % by chance."""
NOW = 0.25
"""The last part of the time range, which is compared with the rest."""

State = Literal["green", "red", "unknown"]
Trend = Literal["up", "flat", "unknown"]
Verdict = Literal["outage", "probe problem", "users hurt but untested", "ok", "cannot tell"]


class Triage(Struct, frozen=True, kw_only=True):
    """A journey, or the pages that none of them loads, with what to make of it."""

    journey: str | None
    """None: the pages that no journey loads."""
    state: State
    """Red when the newest run failed, unknown when there is none, or the monitor itself failed."""
    newest_run: str | None
    trend: Trend
    """Of the share of real page views with an error, on the pages that the journey loads; unknown for too few page views."""
    share: float | None
    """Of the last quarter of the span …"""
    share_before: float | None
    """… and of the rest."""
    views: int
    """Of the last quarter."""
    pages: int
    verdict: Verdict


def read_triage(
    connection: Connection,
    which: Filter,
    when: Range,
    since: datetime,
    by_page: dict[str, list[StoredLoad]],
    loaded: set[str],
    same_site: bool,
) -> tuple[Triage, ...]:
    """`loaded` are the journeys that have loaded any page."""
    before, now = Range(when.start, since), Range(since, when.end)
    early = {one.value: one.tally for one in read_groups(connection, "page", which, before, [])} if when.start < since else {}
    late = {one.value: one.tally for one in read_groups(connection, "page", which, now, [])}
    pages_of: dict[str, set[str]] = {}
    for page, some in by_page.items():
        for one in some:
            pages_of.setdefault(one.journey, set()).add(page)
    newest: dict[str, tuple[State, str | None]] = {}
    for row in History(connection).journeys(when):
        run = row.newest
        if run is None or run.started_at < when.start or run.status not in ("passed", "failed"):
            state: State = "unknown"
        else:
            state = "green" if run.status == "passed" else "red"
        # The worst of several locations counts.
        known = newest.get(row.journey)
        if known is None or known[0] == "unknown" or state == "red":
            newest[row.journey] = (state, run.id if run else None)
    known_pages = set(by_page) if same_site else {*early, *late}
    found = [
        _judged(journey, *newest[journey], pages_of.get(journey, set()), early, late)
        for journey in sorted(newest)
        # A journey that loads pages, but none of the app's, is about another one; one that loads nothing may have found the site down.
        if pages_of.get(journey, set()) & known_pages or (journey not in loaded and newest[journey][0] != "unknown")
    ]
    untested = {*early, *late} - set(by_page)
    if untested:
        found.append(_judged(None, "unknown", None, untested, early, late))
    return tuple(found)


def _judged(
    journey: str | None, state: State, run: str | None, pages: set[str], early: dict[str, Tally], late: dict[str, Tally]
) -> Triage:
    views, failed = _sum(pages, late)
    views_before, failed_before = _sum(pages, early)
    trend = judge_trend(failed, views, failed_before, views_before)
    return Triage(
        journey=journey,
        state=state,
        newest_run=run,
        trend=trend,
        share=failed / views if views else None,
        share_before=failed_before / views_before if views_before else None,
        views=views,
        pages=len(pages),
        verdict=find_verdict(state if journey is not None else "green", trend),
    )


def _sum(pages: set[str], tallies: dict[str, Tally]) -> tuple[int, int]:
    here = [tallies[page] for page in pages if page in tallies]
    return sum(one.views for one in here), sum(one.failed for one in here)


def judge_trend(failed: int, views: int, failed_before: int, views_before: int) -> Trend:
    """Whether a share has risen beyond what chance does (the two-proportion z test, pooled).

    >>> judge_trend(30, 400, 20, 1200), judge_trend(7, 400, 20, 1200), judge_trend(3, 4, 0, 10)
    ('up', 'flat', 'unknown')
    """
    if views < ENOUGH or views_before < ENOUGH:
        return "unknown"
    share, share_before = failed / views, failed_before / views_before
    pooled = (failed + failed_before) / (views + views_before)
    error = math.sqrt(pooled * (1 - pooled) * (1 / views + 1 / views_before))
    surely = share > share_before if error == 0 else (share - share_before) / error > SURE
    return "up" if failed >= FEW and share > share_before * RISE and surely else "flat"


def find_verdict(state: State, trend: Trend) -> Verdict:
    """The verdict from both.

    >>> find_verdict("red", "up"), find_verdict("red", "flat"), find_verdict("green", "up"), find_verdict("green", "flat")
    ('outage', 'probe problem', 'users hurt but untested', 'ok')
    """
    if state == "unknown" or trend == "unknown":
        return "cannot tell"
    if state == "red":
        return "outage" if trend == "up" else "probe problem"
    return "users hurt but untested" if trend == "up" else "ok"


def last_quarter_start(when: Range) -> datetime:
    """When the last quarter of a range begins, at a whole hour, or minute of a short one.

    >>> last_quarter_start(Range(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, 22, tzinfo=UTC))).hour
    16
    """
    length = (when.end - when.start) * (1 - NOW)
    step = MINUTE if when.end - when.start <= timedelta(hours=6) else HOUR
    return datetime.fromtimestamp((when.start + length).timestamp() // step * step, UTC)
