"""What recording costs, and how fast recordings are taken in and found again.

- In the page: the demo shop in Chromium, the same clicks with and without the recorder alternately: CPU of the page's process by the
  browser's own count (`Performance.getMetrics`, TaskDuration), and bytes of stored chunks per minute.
- The collector's side: chunks a second on one connection and on eight, each answered when file and row are synced.
- The player: from a seek in a session of thirty minutes to the moment that shows what was then, and how many bytes were fetched;
  against fetching all of it.

Run: `python -m benchmarks.replay [--rounds N]`; the figures are in docs/replay.md.
"""

import argparse
import gzip
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Browser, sync_playwright

from reports.collector.routes import Collector
from reports.collector.storage.group_commit import Writer
from reports.replay.chunk_store import FOLDER, ChunkStore
from reports.replay.recording import read_chunk_rows
from reports.web.routes import page_routes
from reports.web.server.bounded_http import ConnectionGuard
from reports.web.server.composite import build_application
from reports.web.server.server import Server, open_socket
from reports.web.site import Site
from runner.archive.archive import Archive
from runner.browser.chromium import find
from runner.demo import running_shop
from runner.settings.load_settings import load_settings
from runner.store import Store
from tests.reports.replay.synthetic import long_session, picture

APPS = """
[[apps]]
name = "shop"
origins = ["*"]
rate = 100000
burst = 100000
"""
CHUNKS = 400
PERSON = "Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });"


class Pages:
    """The dashboard's pages as a part of an application."""

    def __init__(self, site: Site) -> None:
        self.routes = page_routes(site)
        self.direct: dict[str, object] = {}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, ChunkStore]]:
    """A collector and the dashboard over a store; its address, and its shelf."""
    (folder / "journey.toml").write_text(APPS)
    settings = load_settings(folder, {}, {})
    database = f"sqlite:///{folder / 'journeys.db'}"
    with Writer(database) as writer, Store(database) as store:
        chunk_store = ChunkStore(store, folder / "runs" / FOLDER)
        collector = Collector(settings, writer, chunk_store=chunk_store)
        listening = open_socket("127.0.0.1:0")
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        pages = Pages(Site(store=store, archive=Archive(folder / "runs")))
        server = Server(build_application([collector, pages]), ConnectionGuard(lambda _: None))  # type: ignore[list-item]
        thread = threading.Thread(target=server.serve_until_stopped, args=(listening,))
        thread.start()
        try:
            yield address, chunk_store
        finally:
            server.stop()
            thread.join()


def visit(browser: Browser, shop: str) -> tuple[float, float]:
    """Walks through the shop for a while; returns seconds of the main thread's tasks, and of the walk."""
    context = browser.new_context()
    context.add_init_script(PERSON)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    busy = 0.0
    started = time.perf_counter()
    for path in ("/", "/product/oolong", "/app", "/"):
        page.goto(shop + path)
        page.wait_for_timeout(1_200)
        for step in range(8):
            page.mouse.move(100 + 40 * step, 200 + 20 * step)
            page.mouse.wheel(0, 60)
            page.wait_for_timeout(60)
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        busy += metrics["TaskDuration"]
    taken = time.perf_counter() - started
    page.goto("about:blank")
    context.close()
    return busy, taken


def in_the_page(rounds: int) -> None:
    """Prints what recording costs a page."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as (address, chunk_store), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find().path)
        busy: dict[str, list[float]] = {"agent": [], "agent and recorder": []}
        seconds = 0.0
        with running_shop(collector=address) as plain, running_shop(collector=address, replay=1) as recorded:
            for number in range(rounds + 1):
                for case, shop in zip(busy, (plain, recorded), strict=True):
                    found, taken = visit(browser, shop)
                    if number:
                        busy[case].append(found)
                    seconds += taken if shop == recorded else 0.0
        time.sleep(1.0)
        stored = sum(file.stat().st_size for file in chunk_store.folder.rglob("*.json.gz"))
        middle = {case: statistics.median(found) for case, found in busy.items()}
        print("| four pages of the shop | main thread, s | ratio |\n| --- | --: | --: |")
        for case, found in middle.items():
            print(f"| {case} | {found:.3f} | **{found / middle['agent']:.2f}** |")
        print(f"\n{stored / seconds * 60 / 1000:.0f} kB a minute, packed as stored; medians of {rounds} rounds.\n")


def chunk(number: int) -> bytes:
    """A chunk of some kilobytes, as it is sent."""
    events = [*picture(time.time() * 1000, f"at {number}", 200)]
    whole = {
        "version": 1,
        "app": "shop",
        "session": str(uuid4()),
        "tab": str(uuid4()),
        "sequence": 0,
        "first": True,
        "events": events,
    }
    return gzip.compress(json.dumps(whole).encode(), 6)


def taken_in() -> None:
    """Prints how many chunks are taken in a second."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as (address, _):
        port = int(address.rpartition(":")[2])

        def send(bodies: list[bytes]) -> None:
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            for body in bodies:
                connection.request("POST", "/v1/replay", body, {"origin": "http://shop.test"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 202:
                    raise SystemExit(f"a chunk was answered with {answer.status}")
            connection.close()

        print("| connections | chunks a second |\n| --: | --: |")
        for connections in (1, 8):
            bodies = [chunk(number) for number in range(CHUNKS)]
            started = time.perf_counter()
            with ThreadPoolExecutor(connections) as pool:
                list(pool.map(send, [bodies[one::connections] for one in range(connections)]))
            print(f"| {connections} | {CHUNKS / (time.perf_counter() - started):.0f} |")
        print(f"\n{len(bodies[0]) / 1000:.1f} kB a chunk, packed; each answered when its file and its row are on the disk.\n")


def sought(rounds: int) -> None:
    """Prints how long a seek in a long session takes."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as (address, chunk_store), sync_playwright() as playwright:
        session = long_session(chunk_store, minutes=30, picture_every=90, rows=500)
        with chunk_store.store.snapshot() as connection:
            whole = sum(row.bytes for row in read_chunk_rows(connection, session))
        browser = playwright.chromium.launch(executable_path=find().path)
        page = browser.new_page()
        page.goto(f"{address}/sessions/{session}/replay")
        page.locator("html[data-replay=ready]").wait_for()
        fetched: list[int] = []
        page.on("response", lambda answer: fetched.append(int(answer.headers.get("content-length", 0))))
        times = []
        for number in range(rounds):
            second = (number * 577 + 333) % 1790
            started = time.perf_counter()
            page.locator("#at").evaluate(
                "(one, at) => { one.value = at; one.dispatchEvent(new Event('input')); }", second * 1000 + 500
            )
            page.frame_locator(".stage iframe").locator(f"#out:text-is('at {second}')").wait_for()
            times.append(time.perf_counter() - started)
        print(
            f"A seek in thirty minutes: median {statistics.median(times):.3f} s, longest {max(times):.3f} s of {rounds}; "
            f"{statistics.mean(fetched) * len(fetched) / rounds / 1000:.1f} kB fetched for each, of {whole / 1000:.0f} kB in all."
        )


def main() -> None:
    """Prints the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    in_the_page(rounds)
    taken_in()
    sought(max(rounds, 5))


if __name__ == "__main__":
    main()
