"""Visitors of a shop, and journeys through it, for the pages about real users: a day of them, the same each time."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from time import time
from typing import Any

from benchmarks.visits import Visits
from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import View
from reports.collector.storage.beacon_batch import store_beacons
from reports.collector.storage.rollup import roll_up
from reports.collector.storage.series import Directory
from runner.archive.run_id import run_id
from runner.result import Navigation, RunResult, StepResult
from runner.store import Store
from runner.store.bulk_insert import Link
from runner.store.queries.time_range import Range
from tests.reports.collector.arrivals import arrival, click, error, request, view, vital
from tests.reports.samples import FAILURE, MADE_WITH

HOUR = 3600.0
NOW = time() // HOUR * HOUR
DAY = Range(datetime.fromtimestamp(NOW - 24 * HOUR, UTC), datetime.fromtimestamp(NOW, UTC))
EVIL = "</script><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
EVIL_ID = "01b80000-0000-7000-8000-00000000e411"
EVIL_SESSION = "01b80000-0000-7000-8000-00000000e412"


@cache
def visits() -> tuple[Arrival, ...]:
    """What browsers sent: visitors of all day, a page that hardly anybody sees, errors that rise on another, and a bad visitor."""
    source = Visits(7)
    sent = []
    at = NOW - 30 * HOUR
    while at < NOW - 1800:
        sent += [one for one, left in source.session(at) if left < NOW]
        at += 300
    dice = Random(3)
    for number in range(400):
        began = NOW - 23.5 * HOUR + number * 210
        # Of the last six hours every third view met an error, before one of fifty.
        bad = number % (3 if began >= NOW - 6 * HOUR else 50) == 0
        sent.append(
            seen("/pay", began, 0.5 + dice.random(), errors=(error("the card is refused"),) if bad else (), release="2.0")
        )
    sent += [seen("/rare", NOW - 2 * HOUR + number, 9.0 + number, release="2.0") for number in range(3)]
    sent += [seen("/robots", NOW - 2 * HOUR + number, 1.0, traffic="bot") for number in range(40)]
    sent.append(
        seen(
            EVIL, NOW - HOUR, 31.0, id=EVIL_ID, trace=TRACE, session=EVIL_SESSION, title=EVIL, url=f"https://shop.example/{EVIL}",
            referrer=EVIL,
            errors=(error(EVIL, stack=EVIL, source=EVIL),), interactions=(click(EVIL),), requests=(request(EVIL),),
            vitals=(vital("lcp", 7.0, EVIL[:40]),), release="2.0", environment="live",
        )
    )  # fmt: skip
    return tuple(sorted(sent, key=lambda one: one.received_at))


def seen(page: str, at: float, load: float, *, session: str | None = None, traffic: str = "real", **more: Any) -> Arrival:
    """A page view of ten seconds."""
    labels = {name: more.pop(name) for name in ("release", "environment") if name in more}
    usual = {"started_at": at, "phases": {"total": load}, "visible_seconds": 10.0, "url": f"https://shop.example{page}"}
    made: View = view(**usual | more)
    return arrival(made, at=at + 10, page=page, session=session or run_id(), traffic=traffic, **labels)


def runs() -> list[RunResult]:
    """A journey that passes and loads two pages, one that fails and loads another, every half hour."""
    made = []
    for number in range(48):
        at = datetime.fromtimestamp(NOW - 23.75 * HOUR + number * HOUR / 2, UTC)
        made.append(run("buy", at, ["/item/42", "/pay"], 0.4))
        made.append(run("find", at, ["/search?q=tea", "/"], 0.2, failed=number > 40))
    return made


def run(journey: str, at: datetime, paths: list[str], load: float, failed: bool = False) -> RunResult:
    """A run with a document for each path."""
    documents = tuple(
        Navigation(
            url=f"https://shop.example{path}", type="navigate", started_at=at + timedelta(seconds=place), status=200,
            phases={"ttfb": load / 4, "total": load + place / 10},
        )
        for place, path in enumerate(paths)
    )  # fmt: skip
    status: Any = "failed" if failed else "passed"
    step = StepResult(
        name="walk", index=0, status=status, latency_seconds=load, wall_seconds=load, started_at=at, navigations=documents,
        failure=FAILURE if failed else None,
    )  # fmt: skip
    return RunResult(
        id=run_id(), journey=journey, status=status, started_at=at, ended_at=at + timedelta(seconds=2), duration_seconds=2.0,
        location="here", steps=(step,), failure=FAILURE if failed else None, environment=MADE_WITH,
    )  # fmt: skip


def fill(store: Store, sent: Sequence[Arrival], ran: list[RunResult]) -> None:
    """Stores all of it, with its roll-ups."""
    link, directory = Link(store), Directory()
    with link.transaction():
        store_beacons(link, directory, sent)
    directory.settle()
    while roll_up(link, threading.Lock(), NOW - 48 * HOUR):
        pass
    link.close()
    for one in ran:
        store.add(one)
