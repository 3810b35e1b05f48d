"""What checks cost: a thousand a minute on the scheduler's own loop, beside bare calls of httpx in the same run.

`journey schedule` runs N checks that each ask a local server once a minute; the same calls are then made with bare httpx, one after the
other, each with a client of its own as a check has, and with one client for all. Everything is bound to one processor but the server. CPU
is user and system time of the scheduler and of the process of the checks, with saving, storing and reports, from the end of the start
until the end. "Delay" is from when a run was due to its start, as stored.
Run: `python -m benchmarks.checks [--checks N] [--minutes N]`; the table is in docs/checks.md.
"""

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.services.http_server import serving_handler
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until

FILES = 10
CALLS = 300
"""Of bare httpx."""
CHECK = """
@check(every="1m", jitter="55s", timeout="10s", name="check-{number}")
def check_{number}(http):
    http.get("/", status=200, contains="ok")
"""


class Answer(BaseHTTPRequestHandler):
    """Answers `ok`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The answer."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def write_checks(folder: Path, count: int) -> None:
    """Files with so many checks."""
    (folder / "journeys").mkdir()
    for file in range(FILES):
        code = "".join(CHECK.format(number=number) for number in range(file, count, FILES))
        (folder / "journeys" / f"checks_{file}.py").write_text(f"from runner import check\n{code}")


def cpu_seconds(process: psutil.Process) -> dict[int, float]:
    """The CPU time of a process and its children, by their ids."""
    found = {}
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        found[one.pid] = times.user + times.system
    return found


def measure_bare(address: str, each: bool) -> float:
    """CPU seconds of one call of bare httpx."""
    shared = httpx.Client(trust_env=False, verify=False)
    began = time.process_time()
    for _ in range(CALLS):
        if each:
            with httpx.Client(trust_env=False, verify=False) as client:
                assert "ok" in client.get(address).text
        else:
            assert "ok" in shared.get(address, headers={"Connection": "close"}).text
    return (time.process_time() - began) / CALLS


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the sorted values is."""
    return values[min(int(len(values) * share), len(values) - 1)]


def measure_scheduler(address: str, count: int, minutes: float, folder: Path) -> None:
    """Runs the scheduler and prints what it took."""
    write_checks(folder, count)
    listen = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "runner.cli", "schedule", "--base-url", address, "--listen", listen]
    with (folder / "log").open("wb") as log:
        scheduler = subprocess.Popen(command, cwd=folder, stderr=log)
        try:
            process = psutil.Process(scheduler.pid)
            process.cpu_affinity([0])
            wait_until(lambda: scheduler.poll() is not None or get(f"http://{listen}/readyz") is not None, timeout=120)
            if scheduler.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            # At its start a scheduler runs all that it has never run, at once; that is not what is measured.
            time.sleep(75)
            before, began, since = cpu_seconds(process), time.monotonic(), datetime.now(UTC)
            first = stored(folder)
            time.sleep(minutes * 60)
            after, seconds = cpu_seconds(process), time.monotonic() - began
            runs = stored(folder) - first
        finally:
            scheduler.send_signal(signal.SIGTERM)
            scheduler.wait(60)
    spent = {pid: after[pid] - before.get(pid, 0.0) for pid in after}
    window = f"delay_seconds IS NOT NULL AND started_at > '{since:%Y-%m-%d %H:%M:%S}'"
    delays = sorted(delay for (delay,) in query(folder, f"SELECT delay_seconds FROM runs WHERE {window}"))
    statuses = query(folder, "SELECT status, count(*) FROM runs GROUP BY status")
    own = spent.pop(scheduler.pid)
    print(f"{runs} runs in {seconds:.0f} s, {60 * runs / seconds:.0f} a minute; all until now: {dict(statuses)}")
    print(f"CPU of the scheduler, saving, storing, reports included: {1000 * own / runs:.2f} ms a run")
    print(f"CPU of the process of the checks: {1000 * sum(spent.values()) / runs:.2f} ms a run")
    print(f"together {100 * (own + sum(spent.values())) / seconds:.0f} % of one processor")
    print(f"delay p50 {1000 * percentile(delays, 0.5):.0f} ms, p99 {1000 * percentile(delays, 0.99):.0f} ms")


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the store."""
    connection = sqlite3.connect(folder / "runs" / "journeys.db", timeout=10)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def stored(folder: Path) -> int:
    """How many runs are stored."""
    return int(query(folder, "SELECT count(*) FROM runs")[0][0])


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=3.0)
    given = parser.parse_args()
    with serving_handler(Answer) as address, tempfile.TemporaryDirectory() as folder:
        measure_scheduler(address, given.checks, given.minutes, Path(folder))
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")
        print(f"bare httpx, a client for each call: {1000 * measure_bare(address, each=True):.2f} ms of CPU")
        print(f"bare httpx, one client, a connection for each call: {1000 * measure_bare(address, each=False):.2f} ms of CPU")


if __name__ == "__main__":
    main()
