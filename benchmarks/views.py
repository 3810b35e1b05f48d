"""What the dashboard's questions cost, and how much room page views take, as their number grows.

Stores so many page views of thirty days (the roll-ups are made as they are in use), then asks each question of reports/collector/figures
and records, and the same in bare SQL over the rows: the sum, order or count that a reader would write without roll-ups. Run:
`python -m benchmarks.views [--views 10000 100000 1000000] [--database URL] [--keep FILE]`; the table is in docs/views.md.
"""

import argparse
import heapq
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.visits import Visits
from reports.collector.accepted_beacon import Arrival
from reports.collector.storage.beacon_batch import store_beacons
from reports.collector.storage.retention import MINUTES, measure_usage
from reports.collector.storage.rollup import AT_ONCE, Sums, roll_up
from reports.collector.storage.rollup_delta import METRIC_NUMBERS, ViewChange
from reports.collector.storage.series import DAY, Directory
from reports.users.error_queries import read_reasons
from reports.users.page_view_queries import read_newest_views, read_session_views, read_slowest_views, read_view
from reports.users.rollup_queries import Filter, read_groups, read_points, read_total
from reports.users.session_queries import read_actions, read_newest_sessions
from runner.store import Store
from runner.store.bulk_insert import Insert, Link
from runner.store.queries.time_range import Range
from runner.store.tables.page_views import histograms, interactions, page_views, tallies, vitals

DAYS = 30
TABLES = ("page_views", "vitals", "interactions", "histograms", "tallies", "sessions")
SHOP = Filter(app="shop")
VITALS: tuple[Any, ...] = ("load", "lcp", "inp", "cls")


def beacons(number: int, until: float) -> Iterator[Arrival]:
    """So many beacons of thirty days, in the order in which they come in."""
    visits = Visits()
    began = until - DAYS * DAY
    # So many page views has a visitor on average.
    every = DAYS * DAY / number * 4.5
    waiting: list[tuple[float, int, Arrival]] = []
    made, at = 0, began
    while True:
        for arrival, moment in visits.session(at):
            heapq.heappush(waiting, (moment, made, arrival))
            made += 1
        at += every
        while waiting and waiting[0][0] <= at:
            yield heapq.heappop(waiting)[2]


def fill(store: Store, number: int, until: float) -> float:
    """Stores and rolls up so many; returns the seconds that each has taken, without the making of it."""
    link, directory, turn = Link(store), Directory(), threading.Lock()
    source = islice(beacons(number, until), number)
    spent = 0.0
    since = 0
    while given := list(islice(source, 256)):
        began = time.perf_counter()
        with link.transaction():
            store_beacons(link, directory, given)
        directory.settle()
        since += len(given)
        if since >= AT_ONCE or len(given) < 256:
            since = 0
            while roll_up(link, turn, until - MINUTES):
                pass
            with link.transaction():
                link.execute("DELETE FROM beacons WHERE received_at < ?", given[-1].received_at.timestamp() - DAY)
        spent += time.perf_counter() - began
    if not link.sqlite:
        with link.reading():
            link.execute("ANALYZE")
    link.close()
    return spent / number


def copy(store: Store, number: int, times: int, until: float) -> None:
    """Stores each of the first so many page views again, some minutes earlier or later: rows, and what they are in the roll-ups.

    So that more can be asked than can be made in a reasonable time. Sessions and errors are not copied.
    """
    link = Link(store)
    columns = ", ".join(f'"{name}"' for name in Insert(page_views).names[2:])
    with link.reading():
        ((done,),) = link.select("SELECT max(number) FROM page_views")
        wholes = dict(map(tuple, link.select("SELECT id, whole FROM series")))
        if link.sqlite:
            # Only for what is made here; nothing of this is measured.
            for setting in ("cache_size = -800000", "synchronous = OFF", "wal_autocheckpoint = 100000"):
                link.execute(f"PRAGMA {setting}")
    for nth in range(1, times + 1):
        moved = f"((number * {7919 * nth + 13}) % 3600 - 1800)"
        values = columns.replace('"started_at"', f"started_at + {moved}").replace('"received_at"', f"received_at + {moved}")
        shift = number * nth
        for start in range(0, number, 20_000):
            end = min(start + 20_000, number)
            if shift + end <= done:
                continue
            part = f"BETWEEN {start + 1} AND {end}"
            with link.transaction():
                link.execute(
                    f"INSERT INTO page_views (number, id, {columns}) "
                    f"SELECT number + {shift}, id || '-{nth}', {values} FROM page_views WHERE number {part}"
                )
                for table in (vitals, interactions):
                    rest = ", ".join(f'"{name}"' for name in Insert(table).names[1:])
                    link.execute(
                        f"INSERT INTO {table.name} (view, {rest}) SELECT view + {shift}, {rest} FROM {table.name} WHERE view {part}"
                    )
                vitals_of: dict[int, list[tuple[int, float | None, float]]] = {}
                for view, name, value in link.select(f"SELECT view, name, value FROM vitals WHERE view {part}"):
                    vitals_of.setdefault(view, []).append((METRIC_NUMBERS[name], None, value))
                sums = Sums()
                query = f"SELECT number, series, started_at + {moved}, total, interactions, requests FROM page_views WHERE number {part}"
                for view, series, at, load, acted, requests in link.select(query):
                    every = [(0, None, load), *vitals_of.get(view, [])]
                    sums.add(ViewChange(series, int(at // 60), view + shift, 1, 0, 0, 0, acted, requests, every))
                sums.add_wholes(wholes)
                sums.write(link, until - MINUTES)
    link.close()


def multiply(store: Store, number: int, times: int) -> None:
    """Stores each of the first so many page views again in the minute in which it began; what is in the roll-ups is that many times more.

    Quicker than `copy`, as SQL does it alone, but there come no more rows in the roll-ups. Sessions and errors are not copied.
    """
    link = Link(store)
    columns = ", ".join(f'"{name}"' for name in Insert(page_views).names[2:])
    with link.reading():
        for setting in ("cache_size = -2000000", "synchronous = OFF", "wal_autocheckpoint = 100000"):
            link.execute(f"PRAGMA {setting}")
    for nth in range(1, times + 1):
        moved = f"CAST(started_at / 60 AS INTEGER) * 60 + (started_at + {nth * 0.59}) % 60"
        values = columns.replace('"started_at"', moved)
        shift = number * nth
        with link.transaction():
            link.execute(
                f"INSERT INTO page_views (number, id, {columns}) "
                f"SELECT number + {shift}, id || '-{nth}', {values} FROM page_views WHERE number BETWEEN 1 AND {number} ORDER BY number"
            )
            for table in (vitals, interactions):
                rest = ", ".join(f'"{name}"' for name in Insert(table).names[1:])
                link.execute(
                    f"INSERT INTO {table.name} (view, {rest}) "
                    f"SELECT view + {shift}, {rest} FROM {table.name} WHERE view BETWEEN 1 AND {number} ORDER BY view"
                )
    with link.transaction():
        for table, kept in ((histograms, {"worst", "view"}), (tallies, {"sessions", "failed", "errors"})):
            names = [column.name for column in table.columns if not column.primary_key and column.name not in kept]
            link.execute(f"UPDATE {table.name} SET {', '.join(f'{name} = {name} * {times + 1}' for name in names)}")
    link.close()


def percentile(rows: str, value: str) -> str:
    """Bare SQL for the 75th percentile of a column of some rows."""
    return (
        f"SELECT {value} FROM {rows} AND {value} IS NOT NULL ORDER BY {value} "
        f"LIMIT 1 OFFSET (SELECT count({value}) * 3 / 4 FROM {rows} AND {value} IS NOT NULL)"
    )


def asked(store: Store, question: Callable[..., Any], *given: Any, **more: Any) -> Any:
    """One question over a snapshot of its own."""
    with store.snapshot() as connection:
        return question(connection, *given, **more)


def questions(store: Store, until: float) -> Iterator[tuple[str, Callable[[], Any], list[str]]]:
    """What is asked, as a function of ours, and as statements."""
    now = datetime.fromtimestamp(until, UTC)
    with store.connected() as connection:
        rare = connection.exec_driver_sql("SELECT id, session FROM page_views WHERE page = '/category/34/:id' LIMIT 1").one()
    for name, hours in (("6 hours", 6), ("24 hours", 24), ("7 days", 168), ("30 days", 720)):
        when = Range(now - timedelta(hours=hours), now)
        since = f"app = 'shop' AND traffic = 'real' AND started_at >= {when.start.timestamp()}"
        views = f"page_views WHERE {since}"
        joined = f"page_views JOIN vitals ON view = number WHERE {since}"
        tiles = [percentile(views, "total"), *(percentile(f"{joined} AND name = '{one}'", "value") for one in VITALS[1:])]
        yield f"tiles: 4 p75 and shares, {name}", partial(asked, store, read_total, SHOP, when, VITALS), tiles
        step = 60 if hours <= 6 else 3600 if hours <= 192 else 86_400
        grouped = f"SELECT CAST(started_at AS bigint) / {step} AS step, avg(value), count(*) FROM {joined} AND name = 'lcp' GROUP BY 1"
        yield f"LCP over time, {name}", partial(asked, store, read_points, SHOP, when, ["lcp"]), [grouped]
        of_page = [
            percentile(f"{joined} AND name = 'lcp' AND page = '/item/:id'", "value"),
            f"SELECT page, count(*), avg(total) FROM {views} GROUP BY page",
        ]
        yield f"table of 40 pages by LCP, {name}", partial(asked, store, read_groups, "page", SHOP, when, ["lcp"]), of_page
        one_page = Filter(app="shop", page="/item/:id")
        by_browser = (
            f"SELECT browser, avg(value), count(*) FROM {joined} AND name = 'lcp' AND page = '/item/:id' GROUP BY browser"
        )
        yield (
            f"a page by browser, {name}",
            partial(asked, store, read_groups, "browser", one_page, when, ["lcp"]),
            [by_browser],
        )
        slow = f"SELECT number, value FROM {joined} AND name = 'lcp' ORDER BY value DESC LIMIT 50"
        yield f"50 slowest LCP, {name}", partial(asked, store, read_slowest_views, "lcp", SHOP, when), [slow]
        met = f"SELECT reason, count(*), sum(count) FROM page_errors JOIN page_views ON number = view WHERE {since} GROUP BY reason"
        yield f"errors by reason, {name}", partial(asked, store, read_reasons, "shop", when), [met]
    rarely = Filter(app="shop", page="/category/34/:id")
    newest = "SELECT * FROM page_views WHERE app = 'shop' AND page = '/category/34/:id' ORDER BY started_at DESC LIMIT 50"
    yield "50 newest views of a rare page", partial(asked, store, read_newest_views, rarely, when), [newest]
    failed = "SELECT * FROM sessions WHERE app = 'shop' AND errors > 0 ORDER BY started_at DESC LIMIT 50"
    yield "50 newest sessions with errors", partial(asked, store, read_newest_sessions, SHOP, when, failed=True), [failed]
    session = f"SELECT * FROM page_views JOIN vitals ON view = number WHERE session = '{rare.session}'"
    yield "a session", partial(asked, store, read_session_views, rare.session), [session]
    yield (
        "a page view whole",
        partial(asked, store, read_view, rare.id),
        [f"SELECT * FROM page_views WHERE id = '{rare.id}'"],
    )
    day = Range(now - timedelta(hours=24), now)
    acted = f"SELECT role, name, count(*) FROM interactions JOIN page_views ON number = view WHERE app = 'shop' AND started_at >= {day.start.timestamp()} GROUP BY 1, 2"  # noqa: E501
    yield "what users do, 24 hours", partial(asked, store, read_actions, SHOP, day), [acted]


def seconds(what: Callable[[], Any], times: int) -> float:
    """The median of some runs; one run if that takes long."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        taken.append(time.perf_counter() - began)
        if sum(taken) > 10:
            break
    return statistics.median(taken)


def bare(store: Store, statements: list[str]) -> None:
    """Asks in SQL."""
    with store.connected() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement).all()


def size(store: Store, number: int) -> str:
    """How much room there is taken, a view and in all."""
    link = Link(store)
    with link.reading():
        _, taken = measure_usage(link)
        counts = {table: link.select(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
        steps = dict(link.select("SELECT step, count(*) FROM histograms GROUP BY step ORDER BY step"))
    link.close()
    rows = ", ".join(f"{table} {count:,}" for table, count in counts.items())
    return f"{taken / number:,.0f} bytes a view ({taken / 1e6:,.0f} MB); rows: {rows}; histograms by step: {steps}"


def main() -> None:
    """Prints a Markdown table for each number of views."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--database", help="an empty PostgreSQL database instead of a file; only with one number")
    parser.add_argument("--folder", help="where the files of SQLite are made and left")
    parser.add_argument("--copies", type=int, default=0, help="store each view so many times more, a little moved in time")
    parser.add_argument(
        "--no-bare", action="store_true", help="do not ask in SQL too, which takes minutes each for ten millions"
    )
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    until = time.time() // 3600 * 3600 - 1800
    for number in given.views:
        with tempfile.TemporaryDirectory() as folder:
            every = number * (1 + given.copies)
            file = Path(given.folder or folder) / f"views-{every}.db"
            there = file.exists()
            with Store(given.database or f"sqlite:///{file}") as store:
                if there:
                    with store.connected() as connection:
                        until = connection.execute(text("SELECT max(received_at) FROM page_views")).scalar_one()
                else:
                    each = fill(store, number, until)
                    copy(store, number, given.copies, until)
                    print(
                        f"\n{every:,} page views, {each * 1e6:.0f} µs each with their roll-ups; {size(store, every)}\n",
                        flush=True,
                    )
                print("| question | ours, ms | bare SQL, ms | ratio |\n| --- | --: | --: | --: |")
                for name, ask, statements in questions(store, until):
                    ours = seconds(ask, given.rounds)
                    theirs = 0.0 if given.no_bare else seconds(partial(bare, store, statements), given.rounds)
                    shown = f"{theirs * 1000:.1f} | {ours / theirs:.3f}" if theirs else "– | –"
                    print(f"| {name} | {ours * 1000:.1f} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
