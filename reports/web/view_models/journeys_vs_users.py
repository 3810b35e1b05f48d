"""Journeys compared with real users: how fast both load the same pages, and whether both see the site as broken.

Real users' figures are read from the roll-ups, the journeys' from at most 1,440 runs over the span
(runner/store/queries/page_loads.py); the users' site is taken from their newest page views.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct
from sqlalchemy import Connection

from reports.collector.privacy.route_template import route_template
from reports.users.page_view_queries import read_newest_views
from reports.users.rollup_queries import HOUR, MINUTE, Filter, Tally, read_groups, read_points, read_step_seconds, widen_points
from reports.web.view_models.users import ENOUGH, percentile_if_enough, step_width
from runner.store.queries.page_loads import PARTS, StoredLoad, loads
from runner.store.queries.runs import History
from runner.store.queries.time_range import Range

FEW = 5
"""Loads by journeys, and page views with an error, below which nothing is said."""
RISE = 1.5
SURE = 2.33
"""Errors are up when their share is so many times that of before, and more than this many standard errors above it: 1 % by chance."""
NEWEST = 200
"""Page views whose addresses identify the users' site."""
NOW = 0.25
"""The last part of the time range, which is compared with the rest."""

State = Literal["green", "red", "unknown"]
Trend = Literal["up", "flat", "unknown"]
Verdict = Literal["outage", "probe problem", "users hurt but untested", "ok", "cannot tell"]


class Beside(Struct, frozen=True, kw_only=True):
    """A page as journeys and as real users load it; medians of the load time in seconds."""

    page: str
    real: float | None
    """None for fewer than ENOUGH page views."""
    real_count: int
    synthetic: float | None
    """None for fewer than FEW loads."""
    synthetic_count: int
    ratio: float | None
    """The real median in terms of the journeys'."""
    journeys: tuple[str, ...]


class Both(Struct, frozen=True, kw_only=True):
    """A page in a part of the span; as `Beside`, of however few, beside how many they are."""

    at: datetime
    real: float | None
    real_count: int
    synthetic: float | None
    synthetic_count: int
    ratio: float | None


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


class Against(Struct, frozen=True, kw_only=True):
    """Journeys beside real users, over a span."""

    app: str
    start: datetime
    end: datetime
    pages: tuple[Beside, ...]
    """Those that journeys load and users visit, by page views."""
    page: str | None
    """The one that is shown over time."""
    over_time: tuple[Both, ...]
    triage: tuple[Triage, ...]
    since: datetime
    """From when on is the last quarter."""
    same_site: bool
    """Whether the journeys' addresses are on the site that users visit; else pages are compared that have the same path."""
    sites: tuple[str, ...]
    """Where the journeys have loaded these pages from."""
    real_sites: tuple[str, ...]


def read_journeys_vs_users(connection: Connection, which: Filter, when: Range, rules: Sequence[str] = ()) -> Against:
    """The figures of the page. `rules` are the app's routes, as its page views are named by; `which.page` is shown over time."""
    everywhere = Filter(
        app=which.app, traffic=which.traffic, environment=which.environment, release=which.release, device=which.device,
        browser=which.browser,
    )  # fmt: skip
    real_sites = _sites(one.url for one in read_newest_views(connection, everywhere, when, NEWEST))
    seen = loads(connection, when)
    here = [one for one in seen if site_of(one.url) in real_sites]
    same = bool(here)
    by_page: dict[str, list[StoredLoad]] = {}
    for one in here or seen:
        by_page.setdefault(route_template(one.url, rules), []).append(one)
    real = {one.value: one for one in read_groups(connection, "page", everywhere, when, ["load"])}
    pages = [
        _beside(
            page,
            percentile_if_enough(real[page].distributions["load"], 0.5),
            real[page].distributions["load"].count,
            by_page[page],
        )
        for page in real
        if page in by_page
    ]
    chosen = which.page if which.page in by_page or which.page in real else (pages[0].page if pages else None)
    since = last_quarter_start(when)
    return Against(
        app=which.app,
        start=when.start,
        end=when.end,
        pages=tuple(pages),
        page=chosen,
        over_time=_over_time(connection, everywhere, when, chosen, by_page.get(chosen, [])) if chosen else (),
        triage=_triage(connection, everywhere, when, since, by_page, {one.journey for one in seen}, same),
        since=since,
        same_site=same,
        sites=tuple(sorted(_sites(one.url for some in by_page.values() for one in some))),
        real_sites=tuple(sorted(real_sites)),
    )


def site_of(address: str) -> str:
    """Scheme, host and port of an address.

    >>> site_of("https://shop.example/item/7?x=1")
    'https://shop.example'
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()


def _sites(addresses: Iterable[str]) -> set[str]:
    return {found for one in addresses if (found := site_of(one)).startswith("http")}


def _beside(page: str, median: float | None, count: int, some: Sequence[StoredLoad]) -> Beside:
    times = [one.total_seconds for one in some if one.passed and one.total_seconds]
    synthetic = round(statistics.median(times), 6) if len(times) >= FEW else None
    return Beside(
        page=page,
        real=median,
        real_count=count,
        synthetic=synthetic,
        synthetic_count=len(times),
        ratio=_ratio(median, synthetic),
        journeys=tuple(sorted({one.journey for one in some})),
    )


def _ratio(real: float | None, synthetic: float | None) -> float | None:
    return round(real / synthetic, 3) if real is not None and synthetic else None


def _over_time(connection: Connection, which: Filter, when: Range, page: str, some: Sequence[StoredLoad]) -> tuple[Both, ...]:
    step = step_width(read_step_seconds(connection, when), when, PARTS)
    here = Filter(
        app=which.app, page=page, traffic=which.traffic, environment=which.environment, release=which.release, device=which.device,
        browser=which.browser,
    )  # fmt: skip
    points = widen_points(read_points(connection, here, when, ["load"]), step)
    real = {int(one.at.timestamp()): one.distributions["load"] for one in points}
    times: dict[int, list[float]] = {}
    for one in some:
        if one.passed and one.total_seconds:
            times.setdefault(int(one.started_at.timestamp()) // step * step, []).append(one.total_seconds)
    found = []
    for at in sorted({*real, *times}):
        median = real[at].percentile(0.5) if at in real else None
        synthetic = round(statistics.median(times[at]), 6) if at in times else None
        found.append(
            Both(
                at=datetime.fromtimestamp(at, UTC),
                real=median,
                real_count=real[at].count if at in real else 0,
                synthetic=synthetic,
                synthetic_count=len(times.get(at, ())),
                ratio=_ratio(median, synthetic),
            )
        )
    return tuple(found)


def last_quarter_start(when: Range) -> datetime:
    """When the last quarter of a range begins, at a whole hour, or minute of a short one.

    >>> last_quarter_start(Range(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, 22, tzinfo=UTC))).hour
    16
    """
    length = (when.end - when.start) * (1 - NOW)
    step = MINUTE if when.end - when.start <= timedelta(hours=6) else HOUR
    return datetime.fromtimestamp((when.start + length).timestamp() // step * step, UTC)


def _triage(
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
        verdict=judge(state if journey is not None else "green", trend),
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


def judge(state: State, trend: Trend) -> Verdict:
    """The verdict from both.

    >>> judge("red", "up"), judge("red", "flat"), judge("green", "up"), judge("green", "flat")
    ('outage', 'probe problem', 'users hurt but untested', 'ok')
    """
    if state == "unknown" or trend == "unknown":
        return "cannot tell"
    if state == "red":
        return "outage" if trend == "up" else "probe problem"
    return "users hurt but untested" if trend == "up" else "ok"
