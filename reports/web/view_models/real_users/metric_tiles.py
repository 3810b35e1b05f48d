"""One metric of real users over a time range: percentiles, shares and their rating."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from reports.users.rollup_queries import Filter, read_apps, read_total
from runner.store.queries.time_range import Range
from runner.store.tables.histogram import THRESHOLDS, Distribution, Shares
from runner.store.tables.page_views import Metric

ENOUGH = 30
"""Fewer values have no percentile that is worth showing."""
HEAD: tuple[Metric, ...] = ("lcp", "inp", "cls", "load")
"""On the overview, and in tables."""


class Tile(Struct, frozen=True, kw_only=True):
    """One metric over the span."""

    metric: Metric
    count: int
    """How many page views reported it."""
    p75: float | None
    """Seconds, except for `cls`; None for fewer than ENOUGH."""
    p50: float | None
    shares: Shares | None
    good: float
    poor: float
    """The thresholds."""

    @property
    def worth(self) -> str:
        """What the 75th percentile is worth: `good`, `fair` or `poor`; empty where there is none."""
        return rate_value(self.metric, self.p75)


def read_tiles(
    connection: Connection, when: Range, wanted: Sequence[Filter] | None = None
) -> list[tuple[str, int, tuple[Tile, ...]]]:
    """Of each app that sent something in the span: name, page views, figures. One pass over the histogram of each of four metrics an app."""
    found = []
    for one in wanted or [Filter(app=app) for app in read_apps(connection)]:
        total = read_total(connection, one, when, HEAD)
        if total.tally.views:
            found.append((one.app, total.tally.views, tuple(make_tile(total.distributions[metric]) for metric in HEAD)))
    return found


def make_tile(values: Distribution) -> Tile:
    """One metric."""
    good, poor = THRESHOLDS[values.metric]
    return Tile(
        metric=values.metric, count=values.count, p75=percentile_if_enough(values, 0.75), p50=percentile_if_enough(values, 0.5),
        shares=values.shares, good=good, poor=poor,
    )  # fmt: skip


def percentile_if_enough(values: Distribution, share: float) -> float | None:
    """The percentile, where there are enough values for one."""
    return values.percentile(share) if values.count >= ENOUGH else None


def rate_value(metric: Metric, value: float | None) -> str:
    """The rating of a value: `good`, `fair` or `poor`.

    >>> rate_value("lcp", 2.5), rate_value("lcp", 2.6), rate_value("cls", 0.3), rate_value("cls", None)
    ('good', 'fair', 'poor', '')
    """
    if value is None:
        return ""
    good, poor = THRESHOLDS[metric]
    return "good" if value <= good else "poor" if value > poor else "fair"
