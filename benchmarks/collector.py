"""How many beacons a second the collector takes, on disk before it answers, beside a small collector that stores nothing.

The small one is what a page with two `fetch` calls is usually given: Flask, prometheus_client and gunicorn, with the endpoints
`/log-page-load` and `/log-interaction` that feed one histogram and one counter. Each server has the first core for itself and is asked by
wrk on the second, alternately, on the same machine in the same run: ours by whole beacons (a page view with phases, five vitals, what was
clicked: 1.6 KB), by beacons that say no more than the small one receives, and on the small one's own two addresses. Every beacon has ids of
its own. Then the process is killed while beacons come in, and what was answered for is looked for in the database.
Run: `python -m benchmarks.collector [--rounds N] [--seconds S] [--memory-seconds S] [--database postgresql
[--processes 1,2,4]]`; needs wrk; the tables are in docs/views.md and docs/many-collectors.md.
"""

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import psutil

from benchmarks.visits import Visits
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until

SMALL = """
from flask import Flask, jsonify, request
from prometheus_client import Counter, Histogram, make_wsgi_app
from werkzeug.middleware.dispatcher import DispatcherMiddleware

app = Flask(__name__)
loads = Histogram("page_load_time_seconds", "Load time of pages")
acts = Counter("user_interactions_total", "What users do", ["type"])

@app.post("/log-page-load")
def page_load():
    loads.observe(request.get_json()["load_time"] / 1000)
    return jsonify(status="ok")

@app.post("/log-interaction")
def interaction():
    acts.labels(type=request.get_json()["type"]).inc()
    return jsonify(status="ok")

app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/metrics": make_wsgi_app()})
"""
GUNICORN = {
    "gunicorn, sync, 1 worker": ["--workers", "1"],
    "gunicorn, sync, 3 workers": ["--workers", "3"],
    "gunicorn, gthread, 4 threads": ["--worker-class", "gthread", "--threads", "4"],
}
"""Its default; what its documentation advises for a core (two and one), whose metrics are then of one worker only; threads."""
WARM_UP = 60
"""Seconds in which caches fill: those of SQLite, of the interpreter, of what is known of today."""
CONFIGURATION = '[[apps]]\nname = "shop"\norigins = ["https://shop.example"]\nrate = 1000000\nburst = 1000000\n'
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
LUA = """
local bodies = {%s}
local paths = {%s}
local stamp = string.format("%%08x-%%04x", os.time(), tonumber(os.getenv("STAMP") or math.random(0, 65535)))
local number = 0
local function identity(kind, of)
  return string.format("%%s-7%%03x-8%%03x-%%012x", stamp, kind, 0, of)
end
request = function()
  number = number + 1
  local ids = {B = identity(1, number), V = identity(2, number), S = identity(3, math.floor(number / 4))}
  local at = number %% #bodies + 1
  local body = string.gsub(bodies[at], "@(%%u)@", ids)
  local headers = {["Content-Type"] = "%s", ["Origin"] = "https://shop.example", ["User-Agent"] = "%s"}
  return wrk.format("POST", paths[number %% #paths + 1], headers, body)
end
done = function(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('\\n{"requests": %%d, "seconds": %%f, "failed": %%d, "p50": %%f, "p99": %%f}\\n',
    summary.requests, summary.duration / 1e6, failed, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


def whole_beacons(number: int) -> list[str]:
    """Beacons of shop visitors of just now, with marks where their ids were."""
    visits = Visits(7)
    made: list[str] = []
    while len(made) < number:
        for arrival, _ in visits.session(time.time() - 60):
            (view,) = arrival.beacon.views
            text = msgspec.json.encode(arrival.beacon).decode()
            for identity, mark in ((arrival.beacon.id, "@B@"), (view.id, "@V@"), (arrival.beacon.session, "@S@")):
                text = text.replace(identity, mark)
            made.append(text)
    return made[:number]


def small_beacons(number: int) -> list[str]:
    """Beacons with what the small collector receives: a load time, or a click."""
    made = []
    for place in range(number):
        content: dict[str, Any] = {"phases": {"total": 0.3 + place / 40}} if place % 2 else {"interaction_counts": {"click": 1}}
        view = {"id": "@V@", "url": "https://shop.example/item/7", "started_at": time.time() - 5, **content}
        made.append(json.dumps({"id": "@B@", "app": "shop", "session": "@S@", "sent_at": time.time(), "views": [view]}))
    return made


def small_bodies(number: int) -> list[str]:
    """What the small version's pages send."""
    return [json.dumps({"load_time": 300 + place * 25}) if place % 2 else '{"type": "click"}' for place in range(number)]


SMALL_PATHS = ["/log-interaction", "/log-page-load"]
ASKED: dict[str, tuple[Callable[[int], list[str]], list[str], str]] = {
    "whole beacons": (whole_beacons, ["/v1/views"], "text/plain"),
    "small beacons": (small_beacons, ["/v1/views"], "text/plain"),
    "the small one's own": (small_bodies, SMALL_PATHS, "application/json"),
}


class Served:
    """A server on the first core, and what it has cost."""

    def __init__(
        self, command: list[str], folder: Path, ready: str, environment: dict[str, str] | None = None, bound: bool = True
    ) -> None:
        self.address = ready.rpartition("/")[0]
        with (folder / "log").open("ab") as log:
            self.process = psutil.Popen(
                [*(["taskset", "-c", "0"] if bound else []), *command],
                cwd=folder,
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        try:
            wait_until(lambda: self.process.poll() is not None or get(ready) is not None)
            assert self.process.poll() is None, (folder / "log").read_text()
        except BaseException:
            self.stop()
            raise

    @property
    def cpu(self) -> float:
        """Seconds that all its processes have worked."""
        every = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in every)

    def stop(self) -> None:
        """Ends it in order."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


@contextmanager
def ours(folder: Path, database: str | None = None, bound: bool = True) -> Iterator[Served]:
    """`journey serve`, on the first core if it is `bound`."""
    folder.mkdir(exist_ok=True)
    (folder / "journey.toml").write_text(CONFIGURATION)
    port = free_port()
    command = [sys.executable, "-m", "runner.cli", "serve", "--listen", f"127.0.0.1:{port}"]
    # The benchmark's own folder may not be where the packages are installed from.
    environment = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])}
    served = Served(
        command + (["--database", database] if database else []), folder, f"http://127.0.0.1:{port}/healthz", environment, bound
    )
    try:
        yield served
    finally:
        served.stop()


@contextmanager
def theirs(folder: Path, options: list[str]) -> Iterator[Served]:
    """The small collector under gunicorn."""
    folder.mkdir()
    (folder / "small.py").write_text(SMALL)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *options, "small:app"]
    served = Served(command, folder, f"http://127.0.0.1:{port}/metrics/")
    served.address = served.address.removesuffix("/metrics")
    try:
        yield served
    finally:
        served.stop()


def write_script(file: Path, asked: str) -> None:
    """Writes what wrk is to send."""
    make, paths, content = ASKED[asked]
    bodies = ",\n".join(f"[=[{body}]=]" for body in make(200))
    file.write_text(LUA % (bodies, ", ".join(f'"{path}"' for path in paths), content, BROWSER))


def load(served: Served, asked: str, connections: int, seconds: float) -> dict[str, float]:
    """What wrk finds in so many seconds, and the server's own time for each request."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        write_script(Path(script.name), asked)
        command = ["taskset", "-c", "1", "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds:g}s", "-s", script.name]
        before = served.cpu
        output = subprocess.run([*command, served.address], check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(output.strip().splitlines()[-1])
    answered = max(found["requests"] - found["failed"], 1)
    return {
        "a second": answered / found["seconds"], "p50": found["p50"], "p99": found["p99"],
        "cpu": (served.cpu - before) / answered * 1e6, "failed": found["failed"], "answered": answered,
    }  # fmt: skip


def stored(folder: Path, column: str = "count(*)", table: str = "beacons") -> list[Any]:
    """A column of a table of the collector's database."""
    with sqlite3.connect(folder / "runs" / "journeys.db") as connection:
        return [value for (value,) in connection.execute(f"SELECT {column} FROM {table}")]


def compare(folder: Path, rounds: int, seconds: float, connections: int, database: str | None) -> None:
    """Prints a table of medians, ours and theirs alternately."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with ExitStack() as stack:
        collector = stack.enter_context(ours(folder / "ours", database))
        small = {
            name: stack.enter_context(theirs(folder / name.replace(" ", ""), options)) for name, options in GUNICORN.items()
        }
        for number in range(rounds + 1):
            for name, one, asked in [
                *(("journey serve", collector, asked) for asked in ASKED),
                *((name, one, "the small one's own") for name, one in small.items()),
            ]:
                result = load(one, asked, connections, seconds if number else 2)
                if number:  # the first round warms everything up
                    found.setdefault((name, asked), []).append(result)
    print("| server | asked by | answered a second | p50, ms | p99, ms | server's CPU, µs | failed |")
    print("| --- | --- | --: | --: | --: | --: | --: |")
    middle = {key: {name: statistics.median(one[name] for one in each) for name in each[0]} for key, each in found.items()}
    for (name, asked), row in middle.items():
        print(
            f"| {name} | {asked} | {row['a second']:,.0f} | {row['p50']:.1f} | {row['p99']:.1f} | {row['cpu']:.0f} | {row['failed']:.0f} |"
        )
    best = max(row["a second"] for (name, _), row in middle.items() if name in GUNICORN)
    ratios = ", ".join(
        f"{asked} {row['a second'] / best:.2f}" for (name, asked), row in middle.items() if name == "journey serve"
    )
    print(
        f"\nRatio to the fastest of the small ones: {ratios}. Medians of {rounds} rounds of {seconds:g} s, {connections} connections."
    )
    if database is None:
        answered = sum(row["answered"] for (name, _), each in found.items() for row in each if name == "journey serve")
        print(f"Answered for in these rounds: {answered:,.0f}; stored in all: {stored(folder / 'ours')[0]:,}.")


def memory(folder: Path, seconds: float, connections: int) -> None:
    """Prints how the collector's memory goes while beacons come in as fast as it takes them."""
    with ours(folder) as served:
        load(served, "whole beacons", connections, WARM_UP)
        samples: list[tuple[float, float]] = []
        began = time.monotonic()
        while (spent := time.monotonic() - began) < seconds or len(samples) < 2:
            load(served, "whole beacons", connections, min(5.0, seconds))
            samples.append((spent, served.process.memory_info().rss / 1e6))
    slope = statistics.linear_regression([at for at, _ in samples], [size for _, size in samples]).slope * 3600
    sizes = [size for _, size in samples]
    print(
        f"Memory over {seconds:g} s of full load after {WARM_UP} s of warm-up: {sizes[0]:.0f} MB at first, {sizes[-1]:.0f} MB at the end, "
        f"{max(sizes):.0f} MB at most, {slope:+.0f} MB an hour; {stored(folder)[0]:,} beacons stored."
    )


async def flood(address: str, connections: int, answered: set[str], numbers: Iterator[int]) -> None:
    """Sends beacons over so many connections until the server has gone; notes the id of each that it has answered for."""
    host, _, port = address.removeprefix("http://").partition(":")
    bodies = whole_beacons(50)

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            while True:
                number = next(numbers)
                identity = f"killed-{number:012d}"
                body = bodies[number % 50].replace("@B@", identity).replace("@V@", f"view-{number:012d}")
                body = body.replace("@S@", f"session-{number // 4:012d}")
                head = f"POST /v1/views HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\nContent-Length: {len(body.encode())}\r\n\r\n"
                writer.write((head + body).encode())
                answer = await reader.readuntil(b"\r\n\r\n")
                if answer.startswith(b"HTTP/1.1 202"):
                    answered.add(identity)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))


def killed(folder: Path, times: int, connections: int) -> None:
    """Prints how many of the beacons that were answered for are missing when the process was killed in full flow."""
    answered: set[str] = set()
    numbers = count()

    async def flood_and_kill(served: Served) -> None:
        sending = asyncio.create_task(flood(served.address, connections, answered, numbers))
        await asyncio.sleep(2.5)
        served.process.kill()
        await sending

    for _ in range(times):
        with ours(folder) as served:
            asyncio.run(flood_and_kill(served))
            served.process.wait()
    with ours(folder):
        pass
    there = set(stored(folder, "id"))
    whole = set(stored(folder, "id", "page_views"))
    views = {f"view-{one.rpartition('-')[2]}" for one in answered}
    print(
        f"Killed {times} times with kill -9 under load: {len(answered):,} beacons answered for, {len(answered - there)} of them missing, "
        f"{len(views - whole)} page views missing; {len(there - answered)} stored and not answered for any more."
    )


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL with its usual settings, fsync and all, on no core in particular."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder.mkdir()
    if user:
        folder.parent.chmod(0o755)
        shutil.chown(folder, "postgres")
    port = free_port()
    data = str(folder / "data")
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    subprocess.run([*user, f"{programs}/initdb", "-D", data, "-U", "monitor", "-A", "trust", "-E", "UTF8"], **quiet)
    control = [*user, f"{programs}/pg_ctl", "-D", data, "-w", "-l", f"{folder}/log"]
    subprocess.run([*control, "start", "-o", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"], **quiet)
    try:
        yield f"postgresql+psycopg://monitor@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "stop", "-m", "fast"], **quiet)


def main() -> None:
    """Prints the table, then memory, then what was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--memory-seconds", type=float, default=120.0)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument(
        "--database", choices=["sqlite", "postgresql"], default="sqlite", help="with PostgreSQL only the table is printed"
    )
    parser.add_argument("--processes", help="with PostgreSQL: numbers of servers on it, such as 1,2,4, beside one on SQLite")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    given = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing; on Debian: apt-get install wrk")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        if given.quick:
            given.rounds, given.seconds = 1, 3.0
        database = stack.enter_context(postgres(folder / "postgres")) if given.database == "postgresql" else None
        if given.processes:
            if database is None:
                raise SystemExit("--processes needs --database postgresql: a SQLite file has one server")
            from benchmarks.many_collectors import compare_processes

            postmaster = int((folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
            processes = [int(one) for one in given.processes.split(",")]
            compare_processes(folder, database, postmaster, processes, given.rounds, given.seconds, given.connections)
            return
        compare(folder, given.rounds, given.seconds, given.connections, database)
        if database is None:
            memory(folder / "memory", given.memory_seconds, given.connections)
            killed(folder / "killed", given.kills, given.connections)


if __name__ == "__main__":
    main()
