"""What real users' browsers measured over a time range: tiles, lines, a distribution, tables; all from the roll-ups.

For ten million page views of a month this reads hours and days: the rows of the range three times for the tallies, and two or three
times for each metric (tiles with the splits, lines, table of pages), some hundred thousand a time. Only the interactions and the errors of
one page look at page views, at most 20,000, and the errors of all pages at the newest few of each reason.
"""

import math
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from reports.users.error_queries import Reason, read_reasons, read_reasons_met
from reports.users.page_view_queries import Seen, read_slowest_views, read_views_with_error
from reports.users.rollup_queries import (
    Filter,
    Group,
    Tally,
    read_groups,
    read_points,
    read_splits,
    read_step_seconds,
    widen_points,
)
from reports.users.session_queries import ActionCount, read_actions
from reports.web.view_models.real_users.metric_tiles import HEAD, Tile, make_tile, percentile_if_enough
from runner.store.queries.time_range import Range
from runner.store.tables.histogram import EDGES, Distribution
from runner.store.tables.page_views import METRICS, SIGN_COLUMNS, Metric

SHOWN: tuple[Metric, ...] = ("lcp", "inp", "cls", "fcp", "ttfb", "load")
"""In the order of the tiles."""
SORTS = ("impact", "views", "load", "lcp", "inp", "cls", "failed", "frustration", "page")
LISTED = 15
"""Slow views, reasons of errors and interactions."""
MOST_PAGES = 30
"""Rows of the table of pages."""
POINTS = 72
"""The maximum for a line."""
SAMPLES = 10
"""Newest views with an error that tell on which pages it was."""


class Moment(Struct, frozen=True, kw_only=True):
    """The page views that began in a part of the span."""

    at: datetime
    views: int
    sessions: int
    failed: int
    p75: dict[Metric, float | None]
    count: dict[Metric, int]


class Bucket(Struct, frozen=True, kw_only=True):
    """Page views that took longer than `above` seconds, and no longer than `up_to`; the last bucket has no upper edge."""

    above: float
    up_to: float | None
    count: int


class Row(Struct, frozen=True, kw_only=True):
    """The page views of one page, device, browser or release."""

    value: str
    views: int
    failed: int
    rage_clicks: int
    error_clicks: int
    dead_clicks: int
    quick_backs: int
    frustration: float
    """Signs of frustration per page view."""
    p75: dict[Metric, float | None]
    """None where fewer than ENOUGH reported it."""
    count: dict[Metric, int]
    impact: float
    """Seconds that its users waited: the 75th percentile of the load time, times how many loads there were."""


class Error(Struct, frozen=True, kw_only=True):
    """Errors of the same reason."""

    reason: str
    kind: str
    type: str
    message: str
    place: str
    """The file and line of the original code, if a source map says so."""
    count: int
    views: int
    first_at: datetime
    last_at: datetime
    """Of all that is stored, not of the span alone."""
    pages: tuple[str, ...]
    """On which it was, by its newest views."""
    newest_view: str | None
    """A page view that met it; None once retention has removed them all."""


class Users(Struct, frozen=True, kw_only=True):
    """Real users over a span."""

    app: str
    start: datetime
    end: datetime
    step_seconds: int
    """Of each of the moments."""
    tally: Tally
    tiles: tuple[Tile, ...]
    moments: tuple[Moment, ...]
    load: tuple[Bucket, ...]
    pages: tuple[Row, ...]
    more_pages: int
    """Pages that are not listed."""
    slowest: tuple[Seen, ...]
    errors: tuple[Error, ...]
    """Of every kind of traffic and all pages; of one page, those of the views that fit."""
    actions: tuple[ActionCount, ...]
    devices: tuple[Row, ...]
    browsers: tuple[Row, ...]
    releases: tuple[Row, ...]


def read_users(connection: Connection, which: Filter, when: Range, sort: str = "impact", most: int = MOST_PAGES) -> Users:
    """The figures of the page, with at most `most` pages."""
    total, splits = read_splits(connection, ("device", "browser", "release"), which, when, METRICS)
    step = step_width(read_step_seconds(connection, when), when)
    listed = _sorted(read_pages(connection, which, when), sort)
    return Users(
        app=which.app,
        start=when.start,
        end=when.end,
        step_seconds=step,
        tally=total.tally,
        tiles=tuple(make_tile(total.distributions[metric]) for metric in SHOWN),
        moments=read_moments(connection, which, when, step),
        load=trim_buckets(total.distributions["load"]),
        pages=tuple(listed[:most]),
        more_pages=max(len(listed) - most, 0),
        slowest=tuple(read_slowest_views(connection, "load", which, when, LISTED)),
        errors=read_errors(connection, which, when),
        actions=tuple(read_actions(connection, which, when, LISTED)),
        devices=_rows(splits["device"]),
        browsers=_rows(splits["browser"]),
        releases=_rows(splits["release"]),
    )


def step_width(step: int, when: Range, most: int = POINTS) -> int:
    """The shortest whole number of steps, in seconds, that cuts a range into no more than `most` parts.

    >>> from datetime import UTC
    >>> step_width(3600, Range(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 8, tzinfo=UTC)))
    10800
    """
    return step * math.ceil((when.end - when.start).total_seconds() / step / most)


def read_moments(connection: Connection, which: Filter, when: Range, step: int) -> tuple[Moment, ...]:
    """Each part of the span in which there was a view; a percentile is given of however few, beside how many they are."""
    return tuple(
        Moment(
            at=point.at,
            views=point.tally.views,
            sessions=point.tally.sessions,
            failed=point.tally.failed,
            p75={metric: point.distributions[metric].percentile(0.75) for metric in SHOWN},
            count={metric: point.distributions[metric].count for metric in SHOWN},
        )
        for point in widen_points(read_points(connection, which, when, SHOWN), step)
    )


def trim_buckets(values: Distribution) -> tuple[Bucket, ...]:
    """A distribution between its edges, without the empty ends."""
    edges = EDGES[values.metric]
    found = [
        Bucket(above=edges[place - 1] if place else 0.0, up_to=edges[place] if place < len(edges) else None, count=count)
        for place, count in enumerate(values.buckets)
    ]
    filled = [place for place, one in enumerate(found) if one.count]
    return tuple(found[filled[0] : filled[-1] + 1]) if filled else ()


def read_pages(connection: Connection, which: Filter, when: Range) -> tuple[Row, ...]:
    """One for each page, those with most views first."""
    return _rows(read_groups(connection, "page", which, when, HEAD))


def _rows(groups: Sequence[Group]) -> tuple[Row, ...]:
    return tuple(_row(one) for one in groups if one.tally.views)


def _row(group: Group) -> Row:
    load = group.distributions["load"]
    return Row(
        value=group.value,
        views=group.tally.views,
        failed=group.tally.failed,
        **{name: getattr(group.tally, name) for name in SIGN_COLUMNS},
        frustration=round(group.tally.frustrations / group.tally.views, 4),
        p75={metric: percentile_if_enough(group.distributions[metric], 0.75) for metric in HEAD},
        count={metric: group.distributions[metric].count for metric in HEAD},
        impact=round((load.percentile(0.75) or 0.0) * load.count, 3),
    )


def _sorted(rows: Sequence[Row], sort: str) -> list[Row]:
    """The largest first, except for the names."""
    if sort == "page":
        return sorted(rows, key=lambda one: one.value)
    if sort == "frustration":
        return sorted(rows, key=lambda one: (-one.frustration, -one.views, one.value))
    if sort == "failed":
        return sorted(rows, key=lambda one: (-one.failed / one.views, -one.views, one.value))
    if sort in HEAD:
        metric: Metric = next(one for one in HEAD if one == sort)
        return sorted(rows, key=lambda one: (-(one.p75[metric] or 0.0), -one.views, one.value))
    return sorted(rows, key=lambda one: (-(one.views if sort == "views" else one.impact), one.value))


def read_errors(connection: Connection, which: Filter, when: Range) -> tuple[Error, ...]:
    """The reasons that most views met, each with its newest views.

    Of a page, those that its newest 20,000 views that fit have met; of all pages, those of every kind of traffic, from the roll-up:
    one look along an index for each.
    """
    if which.page is not None:
        return tuple(_error(one, (which.page,), newest) for one, newest in read_reasons_met(connection, which, when, LISTED))
    # Reasons are counted per hour.
    whole = Range(when.start.replace(minute=0, second=0, microsecond=0), when.end)
    found = []
    for one in read_reasons(connection, which.app, when, LISTED):
        newest = read_views_with_error(connection, one.id, whole, SAMPLES)
        found.append(_error(one, tuple(dict.fromkeys(seen.page for seen in newest)), newest[0].id if newest else None))
    return tuple(found)


def _error(one: Reason, pages: tuple[str, ...], newest_view: str | None) -> Error:
    return Error(
        reason=one.id,
        kind=one.kind,
        type=one.type,
        message=one.message,
        place=one.place,
        count=one.count,
        views=one.views,
        first_at=one.first_at,
        last_at=one.last_at,
        pages=pages,
        newest_view=newest_view,
    )
