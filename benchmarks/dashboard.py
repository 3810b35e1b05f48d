"""How quick the dashboard's pages are, and what their questions cost, as runs and page views grow.

For each size a store of SQLite is made: runs as forty schedules make them (so a larger store is a longer past at the same pace), and
page views of thirty days. `journey serve` serves it, and a real Chromium loads each page. Then each question of the pages is asked as
they ask it, and the very statements that it has sent are sent once more in bare `sqlite3` on the same file: the reference.
Run: `python -m benchmarks.dashboard [--quick] [--runs 10000 …] [--views 100000 …] [--folder FOLDER]`; the tables are in
docs/dashboard-speed.md.
"""

import argparse
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import event

from benchmarks import runs, views
from reports.users.page_view_queries import read_session_views, read_slowest_views, read_view
from reports.users.rollup_queries import Filter, read_points, read_total
from reports.users.session_queries import read_actions, read_newest_sessions
from reports.web.view_models.real_users.journeys_vs_users import read_journeys_vs_users
from reports.web.view_models.real_users.metric_tiles import HEAD
from reports.web.view_models.real_users.users import LISTED, SHOWN, read_errors, read_pages
from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.browser.chromium import find
from runner.result import Navigation, Request, Requests, RunResult, StepResult, Vitals
from runner.store import Store
from runner.store.alerts.mutes import read_alert_states
from runner.store.queries.page_loads import loads
from runner.store.queries.runs import History
from runner.store.queries.step_series import phase_series, step_series
from runner.store.queries.time_range import Range

REAL = 1_000_000
"""Page views that are stored one by one; of more, copies of these, each in the same minute."""
SHOP = Filter(app="shop")
PAGE = "/item/:id"


class Figures(Struct):
    """Medians in seconds of one page."""

    first_byte: float
    loaded: float


class Asked(Struct):
    """A question: medians in seconds of ours and of its bare statements, and how many those are."""

    ours: float
    bare: float
    statements: int


def make(here: Path, number: int, page_views: int, until: float) -> str:
    """A folder as `journey serve` finds one, with so many runs and page views; a run that is saved whole. A folder that is there is used."""
    saved = here / "run"
    if saved.exists():
        return saved.read_text()
    file = here / "runs" / "journeys.db"
    file.parent.mkdir(parents=True)
    real = min(page_views, REAL)
    base = here.parent / f"views-{real}.db"
    if not base.exists():
        with Store(f"sqlite:///{base}") as store:
            views.fill(store, real, until)
    shutil.copy(base, file)
    with Store(f"sqlite:///{file}") as store:
        if page_views > real:
            views.multiply(store, real, page_views // real - 1)
        runs.fill(file, number, until)
        result = whole(until)
        archive = Archive(here / "runs")
        store.add(result, archive.save(result, archive.scratch(result.id)))
    saved.write_text(result.id)
    return result.id


def whole(at: float) -> RunResult:
    """A run with all that its page shows."""
    began = datetime.fromtimestamp(at, UTC)
    steps = tuple(
        StepResult(
            name=name, index=index, status="passed", started_at=began + timedelta(seconds=index), latency_seconds=0.3,
            wall_seconds=0.4, clock="page", cause="navigation", ended_by="load",
            navigations=(
                Navigation(
                    url=runs.SITE + path, type="navigate", started_at=began + timedelta(seconds=index), status=200,
                    phases={"dns": 0.01, "connect": 0.02, "request": 0.1, "response": 0.03, "dom": 0.1, "load": 0.01, "total": 0.3},
                ),
            ),
            vitals=Vitals(ttfb=0.1, fcp=0.15, lcp=0.2, cls=0.01),
            requests=Requests(
                ok=40, transfer_bytes=90_000,
                entries=tuple(
                    Request(url=f"{runs.SITE}/{nth}.png", method="GET", kind="image", at_seconds=nth / 200, duration_seconds=0.05, status=200)
                    for nth in range(40)
                ),
            ),
        )
        for index, (name, path) in enumerate(zip(runs.STEPS, runs.PATHS, strict=True))
    )  # fmt: skip
    return RunResult(
        id=run_id(), journey=runs.JOURNEYS[0], status="passed", started_at=began, ended_at=began + timedelta(seconds=2),
        duration_seconds=2.0, location=runs.LOCATIONS[0], steps=steps,
    )  # fmt: skip


SETTINGS = f"""
[slo.walks]
journeys = ["walk_*"]
objective = "99%"
window = "30d"

[funnels.checkout]
app = "shop"
steps = ["/", "{PAGE}"]

[status_page.journeys]
{runs.JOURNEYS[0]} = "The shop"
{runs.JOURNEYS[1]} = "The checkout"
"""
"""Of the server, so that each page has something to show."""


def pages(store: Store, run: str) -> dict[str, str]:
    """The addresses that are loaded, by what they show."""
    with store.connected() as connection:
        number = "SELECT id, session FROM page_views WHERE page = '/item/:id' ORDER BY started_at DESC LIMIT 1"
        view = connection.exec_driver_sql(number).one()
    journey = f"/journeys/{runs.JOURNEYS[0]}"
    return {
        "a page without a question": "/metrics-chart",
        "overview, 24 hours": "/?range=24h",
        "overview, 90 days": "/?range=90d",
        "a journey, 24 hours": f"{journey}?range=24h",
        "a journey, 30 days": f"{journey}?range=30d",
        "a journey, 90 days": f"{journey}?range=90d",
        "runs, 24 hours": "/runs?range=24h",
        "runs that failed, 90 days": "/runs?range=90d&status=failed",
        "a run": f"/runs/{run}",
        "objectives, 30 days": "/objectives",
        "locations": "/locations",
        "incidents": "/incidents",
        "status page, 90 days": "/status/",
        "real users, 24 hours": "/users?range=24h",
        "real users, 30 days": "/users?range=30d",
        "a page view": f"/users/views/{view.id}",
        "journeys beside real users, 24 hours": "/users/journeys?range=24h",
        "journeys beside real users, 30 days": "/users/journeys?range=30d",
        "sessions, 24 hours": "/sessions?range=24h",
        "sessions with an error, 30 days": "/sessions?range=30d&errors=yes",
        "a session": f"/sessions/{view.session}",
        "errors, 30 days": "/errors?range=30d&app=shop",
        "where a page is clicked, 30 days": f"/clicks?range=30d&app=shop&page={quote(PAGE, safe='')}",
        "a funnel, 30 days": "/funnels?range=30d&funnel=checkout",
        "coverage by journeys, 30 days": "/coverage?range=30d&app=shop",
        "recordings": "/recordings?range=30d",
    }


def questions(store: Store, until: float) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What the pages ask, as they ask it."""
    end = datetime.fromtimestamp(until, UTC)
    asked = partial(views.asked, store)

    def asked_of_history(question: Callable[..., Any], *given: Any, **more: Any) -> Any:
        return asked(lambda connection: question(History(connection), *given, **more))

    one = runs.JOURNEYS[0]
    with store.connected() as connection:
        view = connection.exec_driver_sql("SELECT id, session FROM page_views ORDER BY number DESC LIMIT 1").one()
    for name, days in (("24 hours", 1), ("30 days", 30), ("90 days", 90)):
        span = Range(end - timedelta(days=days), end)
        yield f"all journeys with their tallies, {name}", partial(asked_of_history, History.journeys, span)
        yield f"steps of a journey over time, {name}", partial(asked, step_series, one, None, span)
        yield f"a journey day by day, {name}", partial(asked_of_history, History.tally_over_time, one, None, span)
        yield f"why its runs did not pass, {name}", partial(asked_of_history, History.reasons, one, None, span)
        yield f"50 newest runs, {name}", partial(asked_of_history, History.runs, span)
        yield f"50 newest runs that failed, {name}", partial(asked_of_history, History.runs, span, statuses=("failed",))
        yield f"slots that were not run, {name}", partial(asked_of_history, History.missed, span)
        yield f"what journeys have loaded, {name}", partial(asked, loads, span)
    yield "phases of its newest runs", partial(asked, phase_series, one, None, span)
    yield "what is wrong now", partial(asked, read_alert_states, end)
    for name, days in (("24 hours", 1), ("30 days", 30)):
        when = Range(end - timedelta(days=days), end)
        yield f"four p75 with shares, {name}", partial(asked, read_total, SHOP, when, HEAD)
        yield f"six metrics over time, {name}", partial(asked, read_points, SHOP, when, SHOWN)
        yield f"table of pages, {name}", partial(asked, read_pages, SHOP, when)
        yield f"slowest page views, {name}", partial(asked, read_slowest_views, "load", SHOP, when, LISTED)
        yield f"errors with their pages, {name}", partial(asked, read_errors, SHOP, when)
        yield f"errors of a page, {name}", partial(asked, read_errors, Filter(app="shop", page=PAGE), when)
        yield f"what users do, {name}", partial(asked, read_actions, SHOP, when, LISTED)
        yield f"sessions, {name}", partial(asked, read_newest_sessions, SHOP, when)
        yield f"journeys beside real users, {name}", partial(asked, read_journeys_vs_users, SHOP, when)
    yield "a page view whole", partial(asked, read_view, view.id)
    yield "a session's page views", partial(asked, read_session_views, view.session)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """`journey serve` in a folder; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    # Nothing is to be removed while it is measured.
    keep = {"JOURNEY_KEEP_VIEWS": "400d", "JOURNEY_KEEP_VIEWS_SIZE": "900GB"}
    command = [sys.executable, "-m", "runner.cli", "serve", "--listen", address]
    (folder / "journey.toml").write_text(SETTINGS)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **keep})
    try:
        ends = time.monotonic() + 60
        while time.monotonic() < ends and process.poll() is None:
            try:
                urllib.request.urlopen(f"http://{address}/readyz", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit((folder / "log").read_text())
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(30)


def load(browser: Browser, address: str, rounds: int) -> Figures:
    """A page in the browser, whose cache is warm: the first byte and the load event, from the start of the navigation."""
    first, loaded = [], []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    for nth in range(rounds + 1):
        answer = page.goto(address)
        if answer is None or answer.status != 200:
            raise SystemExit(f"{address} answers {answer.status if answer else 'nothing'}")
        page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        entry = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
        if nth:
            first.append(entry["responseStart"] / 1000)
            loaded.append(entry["loadEventEnd"] / 1000)
    context.close()
    return Figures(statistics.median(first), statistics.median(loaded))


def ask(store: Store, file: Path, what: Callable[[], Any], rounds: int) -> Asked:
    """A question as the pages ask it, and its statements as they are, through `sqlite3` alone."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement != "BEGIN":
            sent.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    what()
    event.remove(store.engine, "before_cursor_execute", note)
    bare = sqlite3.connect(file)

    def send() -> None:
        for statement, parameters in sent:
            bare.execute(statement, parameters).fetchall()

    send()
    found = Asked(views.seconds(what, rounds), views.seconds(send, rounds), len(sent))
    bare.close()
    return found


def measured(folder: Path, run: str, until: float, rounds: int) -> tuple[dict[str, Figures], dict[str, Asked]]:
    """The pages and the questions of one size."""
    file = folder / "runs" / "journeys.db"
    with Store(f"sqlite:///{file}") as store:
        with serving(folder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find().path)
            loaded = {name: load(browser, address + path, rounds) for name, path in pages(store, run).items()}
            browser.close()
        asked = {name: ask(store, file, what, rounds) for name, what in questions(store, until)}
    return loaded, asked


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a Markdown table; the columns after the first are numbers."""
    print(f"\n| {' | '.join(head)} |\n| --- |{' --: |' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def ms(seconds: float) -> str:
    """Milliseconds."""
    return f"{seconds * 1000:,.1f}" if seconds < 0.01 else f"{seconds * 1000:,.0f}"


def main() -> None:
    """Prints two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--views", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000], help="of each size")
    parser.add_argument("--quick", action="store_true", help="1,000 and 10,000 runs, 2,000 page views")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the stores are made, left, and found again")
    given = parser.parse_args()
    if len(given.runs) != len(given.views):
        parser.error(f"--runs has {len(given.runs)} sizes and --views {len(given.views)}; give one of each for each store")
    sizes = [(1_000, 2_000), (10_000, 2_000)] if given.quick else list(zip(given.runs, given.views, strict=True))
    until = time.time()
    pages_of: dict[int, dict[str, Figures]] = {}
    questions_of: dict[int, dict[str, Asked]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        for number, page_views in sizes:
            began = time.monotonic()
            here = folder / f"{number}-{page_views}"
            run = make(here, number, page_views, until)
            took, size = time.monotonic() - began, (here / "runs" / "journeys.db").stat().st_size / 1e6
            load_before = os.getloadavg()[0]
            print(
                f"{number:,} runs and {page_views:,} page views: {size:,.0f} MB, made in {took:.0f} s; load {load_before:.1f}",
                flush=True,
            )
            pages_of[number], questions_of[number] = measured(here, run, until, given.rounds)
            if given.folder is None:
                shutil.rmtree(here)
    shown = [number for number, _ in sizes]
    names = [f"{number:,}" for number in shown]
    table(
        ["page", *(f"first byte, ms: {one}" for one in names), "growth", *(f"load event, ms: {one}" for one in names)],
        [
            [
                name,
                *(ms(pages_of[one][name].first_byte) for one in shown),
                f"{pages_of[shown[-1]][name].first_byte / pages_of[shown[0]][name].first_byte:.1f}",
                *(ms(pages_of[one][name].loaded) for one in shown),
            ]
            for name in pages_of[shown[0]]
        ],
    )
    table(
        ["question", *(f"ours, ms: {one}" for one in names), "growth", "statements", f"bare, ms: {names[-1]}", "ratio"],
        [
            [
                name,
                *(ms(questions_of[one][name].ours) for one in shown),
                f"{questions_of[shown[-1]][name].ours / questions_of[shown[0]][name].ours:.1f}",
                str(questions_of[shown[-1]][name].statements),
                ms(questions_of[shown[-1]][name].bare),
                f"{questions_of[shown[-1]][name].ours / questions_of[shown[-1]][name].bare:.1f}",
            ]
            for name in questions_of[shown[0]]
        ],
    )


if __name__ == "__main__":
    main()
