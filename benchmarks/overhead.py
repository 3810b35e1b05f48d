"""What it costs to run a journey with the runner, instead of a bare Playwright script.

The demo's journey `buy` is walked by a bare script and by `journey run`, alternately, in one run of this program. Each side is
measured as a whole: wall time and peak memory of the command with all its processes (browser and driver too), and CPU time
of the same. Warm is the cost of one more walk in a process that runs already: (time of N walks less that of 1) / (N less 1).
Run: `python -m benchmarks.overhead [--rounds N]`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

import psutil

from runner.browser.chromium import find
from runner.demo import journeys_folder, running_shop

WALKS = 6
BARE = """
import sys
from contextlib import contextmanager
from types import SimpleNamespace
from playwright.sync_api import expect, sync_playwright
sys.path.insert(0, {folder!r})
# The bare script does not pay for importing the runner.
sys.modules["runner"] = SimpleNamespace(expect=expect, journey=lambda **_: lambda function: function, Page=None, Step=None)
import buy
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path={chromium!r})
    for _ in range({walks}):
        context = browser.new_context(base_url={shop!r})
        if {trace}:
            context.tracing.start(snapshots=True, screenshots=True, sources=True)
        @contextmanager
        def step(name, **_):
            yield
        buy.buy(context.new_page(), step)
        if {trace}:
            context.tracing.stop()
        context.close()
    browser.close()
"""


class Cost:
    """Wall seconds, CPU seconds and peak resident MiB of one command and everything it has started."""

    def __init__(self, command: list[str], folder: str) -> None:
        started = time.perf_counter()
        environment = {**os.environ, "JOURNEY_REPLAY": "off"}
        process = psutil.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        cpu: dict[tuple[int, float], float] = {}
        self.memory = 0.0
        while process.poll() is None:
            resident = 0
            # The tree is read again and again: a browser's processes are not reaped by the command, so their CPU time
            # would not be in its own.
            for one in [process, *process.children(recursive=True)]:
                try:
                    with one.oneshot():
                        times, memory = one.cpu_times(), one.memory_info()
                        cpu[one.pid, one.create_time()] = times.user + times.system
                        resident += memory.rss
                except psutil.NoSuchProcess:
                    continue
            self.memory = max(self.memory, resident / 2**20)
            time.sleep(0.02)
        self.wall = time.perf_counter() - started
        self.cpu = sum(cpu.values())
        if process.returncode != 0:
            raise SystemExit(f"{command}: {process.stderr.read().decode()}")


def commands(shop: str, walks: int, tracing: bool) -> dict[str, list[str]]:
    """The same walks by a bare script and by the runner."""
    chromium, folder = str(find().path), str(journeys_folder())
    bare = BARE.format(folder=folder, chromium=chromium, shop=shop, walks=walks, trace=tracing)
    own = [sys.executable, "-m", "runner.cli", "run", f"{folder}/buy.py", "--repeat", str(walks), "--base-url", shop]
    own += ["--browser-path", chromium, "--trace", "retain-on-failure" if tracing else "off"]
    return {"bare script": [sys.executable, "-c", bare], "journey run": own}


def main() -> None:
    """Prints a Markdown table of ratios to the bare script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    costs: dict[tuple[bool, int, str], list[Cost]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, running_shop() as shop:
        for number in range(rounds + 1):
            for tracing in (False, True):
                for walks in (1, WALKS):
                    for side, command in commands(shop, walks, tracing).items():
                        cost = Cost(command, folder)
                        if number:  # the first round warms the disk's cache
                            costs[tracing, walks, side].append(cost)

    def middle(tracing: bool, walks: int, side: str, figure: str) -> float:
        return float(statistics.median(getattr(cost, figure) for cost in costs[tracing, walks, side]))

    print(
        "| tracing | | cold process, s | one more walk, s | CPU of one more walk, s | peak MiB |\n| --- | --- | --: | --: | --: | --: |"
    )
    for tracing in (False, True):
        rows = {}
        for side in ("bare script", "journey run"):
            warm = {
                figure: (middle(tracing, WALKS, side, figure) - middle(tracing, 1, side, figure)) / (WALKS - 1)
                for figure in ("wall", "cpu")
            }
            rows[side] = (middle(tracing, 1, side, "wall"), warm["wall"], warm["cpu"], middle(tracing, WALKS, side, "memory"))
            cells = " | ".join(f"{value:.2f}" if value < 100 else f"{value:.0f}" for value in rows[side])
            print(f"| {'on' if tracing else 'off'} | {side} | {cells} |")
        ratios = " | ".join(f"**{own / bare:.2f}**" for own, bare in zip(rows["journey run"], rows["bare script"], strict=True))
        print(f"| {'on' if tracing else 'off'} | ratio | {ratios} |")
    print(f"\nMedians of {rounds} rounds. Targets: cold process ≤ 1.25, one more walk ≤ 1.05.")


if __name__ == "__main__":
    main()
