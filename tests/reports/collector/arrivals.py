"""Beacons for tests, and what the roll-ups have to be by what the rows say."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import Beacon, Interaction, ScriptError, SlowRequest, View, Vital
from runner.archive.run_id import run_id
from runner.store.tables.histogram import EDGES
from runner.store.tables.page_views import BUCKETS, METRICS, STEPS, Metric

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
AT = NOON.timestamp()


def view(**given: Any) -> View:
    """A page view with a load time; what is given replaces what it has."""
    usual: dict[str, Any] = {
        "id": run_id(),
        "url": "https://shop.example/item/7",
        "started_at": AT - 30,
        "phases": {"ttfb": 0.2, "total": 1.4},
    }
    return View(**usual | given)


def vital(name: Any, value: float, identity: str = "v5-1") -> Vital:
    """A vital with something that it came from."""
    return Vital(name=name, id=f"{name}-{identity}", value=value, attribution={"target": "main>h1"})


def error(message: str, **given: Any) -> ScriptError:
    """An uncaught error."""
    return ScriptError(kind="error", message=message, type="TypeError", **given)


def arrival(*views: View, at: float = AT, page: str = "/item/:id", browser: str = "Chrome 156", **given: Any) -> Arrival:
    """A beacon about these views, sent and received at a moment."""
    about = views or (view(),)
    device = given.pop("device", "desktop")
    traffic = given.pop("traffic", "real")
    usual: dict[str, Any] = {
        "id": run_id(),
        "app": "shop",
        "session": run_id(),
        "sent_at": at,
        "release": "1.0",
        "environment": "live",
    }
    return Arrival(
        beacon=Beacon(views=about, **usual | given), received_at=datetime.fromtimestamp(at, UTC), pages=(page,) * len(about),
        browser=browser, system="Linux", device=device, traffic=traffic,
    )  # fmt: skip


def click(name: str) -> Interaction:
    """A click on a button."""
    return Interaction(type="click", at_seconds=2.5, role="button", name=name)


def request(url: str) -> SlowRequest:
    """A request that failed."""
    return SlowRequest(url=url, kind="fetch", status=503, duration_seconds=0.3)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of the test's own."""
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    """What a query answers."""
    with connected(url) as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def check_rollups(url: str) -> None:
    """Fails unless the roll-ups of every step are what the rows say."""
    tallies: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0] * 6)
    buckets: dict[tuple[Metric, int, int, int], list[int]] = defaultdict(lambda: [0] * len(BUCKETS))
    sums: dict[tuple[Metric, int, int, int], float] = defaultdict(float)
    where = {}
    begun: set[str] = set()
    wholes = dict(rows(url, "SELECT id, whole FROM series"))
    assert rows(
        url,
        "SELECT count(*) FROM series JOIN series AS w ON series.whole = w.id WHERE w.page <> '' OR w.whole <> w.id OR w.app <> series.app",
    ) == [(0,)]
    values: list[tuple[Metric, int, float]] = []
    columns = "number, series, started_at, session, errors, interactions, requests, hidden, total, type, status"
    for number, series, at, session, errors, acted, requested, hidden, total, kind, status in rows(
        url, f"SELECT {columns} FROM page_views ORDER BY number"
    ):
        where[number] = (series, at, hidden)
        for step in STEPS:
            seen = int(kind != "report")
            counted = (seen, seen and session not in begun, seen and (errors > 0 or status >= 500), errors, acted, requested)
            for one in (series, wholes[series]):
                key = (step, int(at // step * step), one)
                tallies[key] = [a + b for a, b in zip(tallies[key], counted, strict=True)]
        if kind != "report":
            begun.add(session)
        if total is not None and not hidden:
            values.append(("load", number, total))
    for number, name, value in rows(url, "SELECT view, name, value FROM vitals"):
        if not (where[number][2] and name in ("fcp", "lcp")):
            values.append((name, number, value))
    for metric, number, value in values:
        series, at, _ = where[number]
        for step, one in product(STEPS, (series, wholes[series])):
            cell = (metric, step, int(at // step * step), one)
            buckets[cell][bisect_left(EDGES[metric], value)] += 1
            sums[cell] += value
    names = "views, sessions, failed, errors, interactions, requests"
    stored = {row[:3]: list(row[3:]) for row in rows(url, f"SELECT step, at, series, {names} FROM tallies")}
    assert stored == dict(tallies)
    found = rows(url, f"SELECT metric, step, at, series, count, sum, {', '.join(BUCKETS)} FROM histograms")
    assert {row[:4]: list(row[6:]) for row in found if any(row[6:])} == dict(buckets)
    assert all(row[4] == sum(row[6:]) and row[0] in METRICS for row in found)
    assert {row[:4]: row[5] for row in found if row[4]} == pytest.approx(dict(sums))
