"""A scheduler under load, beside the same journeys as separate Python scripts started by cron.

Thirty journeys, each every fifteen seconds, load a stub page. First `journey schedule` runs them, then a loop starts
`python script.py` at the same moments, as cron would; both for some minutes, on the same machine, one after the other. For both: how
late runs begin, how many end, processor time of a run, memory over time. The scheduler saves, stores and redacts; the script only
loads the page and prints how long that took.
Run: `python -m benchmarks.schedule [--minutes M] [--journeys N] [--every S]`; the table is in docs/schedule.md.
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from benchmarks.artifacts import CpuMeter
from runner.browser.chromium import find
from runner.dsl.slots.schedule import Schedule

SCRIPT = """
import json, sys, time
began = time.time()
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=sys.argv[2])
    page = browser.new_context().new_page()
    page.goto(sys.argv[1])
    entry = page.evaluate("performance.getEntriesByType('navigation')[0].duration")
    browser.close()
print(json.dumps({"began": began, "load": entry / 1000}))
"""


class Page(BaseHTTPRequestHandler):
    """A page with one heading."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>stub</title><h1>stub</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not logged."""


class Memory:
    """Bytes that a process and all that it has started hold, every two seconds, without what they share."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self._stop = threading.Event()
        self.samples: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self) -> None:
        """Takes no more samples."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(2.0):
            total = 0
            for one in [self._process, *self._process.children(recursive=True)]:
                try:
                    held = one.memory_info()
                    total += held.rss - held.shared
                except psutil.NoSuchProcess:
                    continue
            self.samples.append((time.monotonic() - began, total))

    def slope(self, after: float) -> float:
        """Megabytes an hour, by least squares, after so many seconds of warm-up."""
        late = [(at, size) for at, size in self.samples if at > after]
        return statistics.linear_regression([at for at, _ in late], [size for _, size in late]).slope * 3600 / 1e6


def percentile(values: list[float], share: float) -> float:
    """The value that so large a share is not above."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def of_scheduler(folder: Path, site: str, names: list[str], every: float, seconds: float) -> dict[str, float]:
    """The figures of `journey schedule`."""
    journeys = folder / "journeys"
    journeys.mkdir()
    code = [
        f"@journey(every={every})\ndef {name}(page, step):\n    with step('open'):\n        page.goto('/')\n" for name in names
    ]
    (journeys / "stub.py").write_text("from runner import journey\n" + "\n".join(code))
    command = [sys.executable, "-m", "runner.cli", "schedule", "--base-url", site, "--listen", "127.0.0.1:0", "--workers", "1"]
    with (folder / "log").open("wb") as log, CpuMeter() as cpu:
        process = subprocess.Popen(command, cwd=folder, stderr=log)
        memory = Memory(process.pid)
        time.sleep(seconds)
        memory.stop()
        process.terminate()
        process.wait()
    connection = sqlite3.connect(folder / "runs" / "journeys.db")
    # The first interval has all journeys at once, as each is run when a scheduler starts; it is the warm-up.
    first = connection.execute("SELECT min(started_at) FROM runs").fetchone()[0]
    later = f"julianday(started_at) > julianday('{first}') + {every / 86400}"
    rows = connection.execute(f"SELECT delay_seconds, status, contended FROM runs WHERE {later}").fetchall()
    lost = connection.execute(
        "SELECT count(*) FROM slots WHERE state IN ('missed', 'claimed') AND reason != 'stopped'"
    ).fetchone()[0]
    lost += connection.execute("SELECT count(*) FROM runs WHERE status != 'passed'").fetchone()[0]
    loads = [one for (one,) in connection.execute("SELECT total FROM navigations")]
    all_runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    connection.close()
    delays = [delay for delay, _, _ in rows]
    return {
        "runs": all_runs,
        "lost": lost,
        "delay_p50": statistics.median(delays),
        "delay_p99": percentile(delays, 0.99),
        "cpu": cpu.seconds / all_runs,
        "load_p50": statistics.median(loads),
        "memory": memory.samples[-1][1] / 1e6,
        "slope": memory.slope(every * 4),
    }


def of_scripts(folder: Path, site: str, names: list[str], every: float, seconds: float) -> dict[str, float]:
    """The figures of one Python process for each run."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    program = str(find().path)
    schedule = Schedule(every=every)
    began = datetime.now(UTC)
    ends = time.monotonic() + seconds
    due = sorted((schedule.after(name, began), name) for name in names)
    started: list[tuple[float, subprocess.Popen[str]]] = []
    with CpuMeter() as cpu:
        memory = Memory(os.getpid())
        while time.monotonic() < ends:
            slot, name = due.pop(0)
            time.sleep(max((slot - datetime.now(UTC)).total_seconds(), 0.0))
            command = [sys.executable, str(script), site, program]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            started.append((slot.timestamp(), process))
            due = sorted([*due, (schedule.after(name, slot), name)])
        answers = [(slot, *process.communicate(timeout=300), process.returncode) for slot, process in started]
        memory.stop()
    answered = [(slot, json.loads(answer)) for slot, answer, _, code in answers if code == 0]
    delays = [one["began"] - slot for slot, one in answered]
    return {
        "runs": len(answered),
        "lost": len(answers) - len(answered),
        "delay_p50": statistics.median(delays),
        "delay_p99": percentile(delays, 0.99),
        "cpu": cpu.seconds / max(len(answered), 1),
        "load_p50": statistics.median(one["load"] for _, one in answered),
        "memory": max(size for _, size in memory.samples) / 1e6,
        "slope": memory.slope(every * 4),
    }


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--journeys", type=int, default=30)
    parser.add_argument("--every", type=float, default=15.0)
    given = parser.parse_args()
    names = [f"stub_{number}" for number in range(given.journeys)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = f"http://127.0.0.1:{server.server_port}"
    figures = {}
    for what, measure in (("journey schedule", of_scheduler), ("a script a run", of_scripts)):
        with tempfile.TemporaryDirectory() as folder:
            figures[what] = measure(Path(folder), site, names, given.every, given.minutes * 60)
    server.shutdown()
    cores = psutil.cpu_count() or 1
    print(
        "| | runs | lost | runs a minute and core | start delay p50, ms | p99, ms | CPU a run, s | load p50, ms | memory, MB | MB an hour |"
    )
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |")
    for what, row in figures.items():
        rate = row["runs"] / given.minutes / cores
        print(
            f"| {what} | {row['runs']:.0f} | {row['lost']:.0f} | {rate:.1f} | {row['delay_p50'] * 1000:.0f} | {row['delay_p99'] * 1000:.0f} "
            f"| {row['cpu']:.2f} | {row['load_p50'] * 1000:.0f} | {row['memory']:.0f} | {row['slope']:+.0f} |"
        )
    ours, theirs = figures.values()
    ratios = {name: ours[name] / theirs[name] for name in ("delay_p50", "delay_p99", "cpu", "load_p50", "memory")}
    print("\nRatios, scheduler to scripts: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()))


if __name__ == "__main__":
    main()
