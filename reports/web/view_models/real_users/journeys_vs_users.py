"""Journeys compared with real users: how fast both load the same pages, and whether both see the site as broken.

Real users' figures are read from the roll-ups, the journeys' from at most 1,440 runs over the span
(runner/store/queries/page_loads.py); the users' site is taken from their newest page views.
"""

import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import Struct
from sqlalchemy import Connection

from reports.collector.privacy.route_template import route_template
from reports.users.page_view_queries import read_newest_views
from reports.users.rollup_queries import Filter, read_groups, read_points, read_step_seconds, widen_points
from reports.web.view_models.real_users.metric_tiles import percentile_if_enough
from reports.web.view_models.real_users.triage import FEW, Triage, last_quarter_start, read_triage
from reports.web.view_models.real_users.users import step_width
from runner.store.queries.page_loads import PARTS, StoredLoad, loads
from runner.store.queries.time_range import Range

NEWEST = 200
"""Page views whose addresses identify the users' site."""


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
        triage=read_triage(connection, everywhere, when, since, by_page, {one.journey for one in seen}, same),
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
