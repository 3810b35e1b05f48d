"""What it costs to run a journey with the runner in its default settings, instead of a bare Playwright script.

The demo's journey `buy` is walked alternately, in one run of this program, by:

- a bare script with the best waits that a person writes: `wait_for_url`, then `expect`;
- a bare script that only uses `expect`, as the journey does;
- `journey run` with default settings;
- `journey run` with everything turned off that is kept in case of a failure, whose latencies are compared with those of the default.

Each side is measured as a whole: wall time and peak memory of the command with all its processes (browser and driver too), and CPU time
of the same. Warm is the cost of one more walk in a process that runs already: (time of N walks less that of 1) / (N less 1).
Run: `python -m benchmarks.overhead [--rounds N]`; the tables are in docs/fidelity.md.
"""

import argparse
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import psutil

from runner.browser.chromium import find
from runner.demo import journeys_folder, running_shop
from runner.settings.artifact_kinds import ARTIFACT_KINDS

WALKS = 6
PR_SET_CHILD_SUBREAPER = 36
"""An option of prctl(2): processes that lose their parent become children of this one, so that their CPU time is not lost."""
BARE = """
from playwright.sync_api import expect, sync_playwright

def buy(page):
    page.goto("/product/oolong")
    page.get_by_role("button", name="Add to cart").click()
    {urls}page.wait_for_url("**/cart")
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()
    page.get_by_role("link", name="Check out").click()
    page.get_by_label("Email").fill("tea@example.com")
    page.get_by_label("Password").fill("oolong-and-milk")
    page.get_by_role("button", name="Sign in").click()
    {urls}page.wait_for_url("**/checkout")
    expect(page.get_by_role("heading", name="Checkout")).to_be_visible()
    page.get_by_label("Address").fill("1 Camellia Road")
    page.get_by_role("button", name="Continue to payment").click()
    {urls}page.wait_for_url("**/checkout/payment")
    expect(page.get_by_role("heading", name="Pay")).to_be_visible()
    payment = page.frame_locator("iframe[title=Payment]")
    payment.get_by_label("Card number").fill("4242 4242 4242 4242")
    payment.get_by_role("button", name="Pay now").click()
    {urls}page.wait_for_url("**/checkout/done")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Open receipt").click()
    expect(popup.value.get_by_role("heading", name="Receipt")).to_be_visible()

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path={chromium!r})
    for _ in range({walks}):
        context = browser.new_context(base_url={shop!r})
        buy(context.new_page())
        context.close()
    browser.close()
"""
BEST, PLAIN, DEFAULT, LEAN = (
    "bare script, best waits",
    "bare script, `expect`",
    "`journey run`, defaults",
    "`journey run`, nothing kept",
)


class Cost:
    """Wall seconds, CPU seconds and peak resident MiB of one command and everything it has started."""

    def __init__(self, command: list[str], folder: str, environment: dict[str, str]) -> None:
        before, others = _reaped(), {one.pid for one in psutil.Process().children()}
        started = time.perf_counter()
        process = psutil.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **environment}
        )
        self.memory = 0.0
        while process.poll() is None:
            resident = 0
            for one in [process, *process.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    resident += one.memory_info().rss
            self.memory = max(self.memory, resident / 2**20)
            time.sleep(0.02)
        self.wall = time.perf_counter() - started
        if process.returncode != 0:
            raise SystemExit(f"{command}: {process.stderr.read().decode()}")
        # What the command has left is ended and reaped, for its CPU time.
        left = [one for one in psutil.Process().children() if one.pid not in others]
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(left)
        self.cpu = _reaped() - before


def _reaped() -> float:
    """CPU seconds of all processes that have ended and were waited for, by this one or by those that it waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def commands(shop: str, walks: int, results: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """The same walks by each side: a command, and what it has in its environment."""
    chromium, folder = str(find().path), str(journeys_folder())
    bare = {
        who: BARE.format(chromium=chromium, shop=shop, walks=walks, urls="" if who == BEST else "# ") for who in (BEST, PLAIN)
    }
    own = [sys.executable, "-m", "runner.cli", "run", f"{folder}/buy.py", "--repeat", str(walks), "--base-url", shop]
    own += ["--browser-path", chromium, "--json", str(results)]
    nothing = {f"JOURNEY_{kind.upper()}": "off" for kind in ARTIFACT_KINDS}
    return {
        **{who: ([sys.executable, "-c", script], {}) for who, script in bare.items()},
        DEFAULT: (own, {}),
        LEAN: (own, nothing),
    }


def latencies(results: Path) -> dict[str, list[float]]:
    """The latencies of each step in the runs of a command without the first, in which the browser has nothing in its cache."""
    found: dict[str, list[float]] = defaultdict(list)
    for run in json.loads(results.read_text())["runs"][1:]:
        for step in run["steps"]:
            found[step["name"]].append(step["latency_seconds"])
    return found


def main() -> None:
    """Prints Markdown tables: costs and their ratios to the bare scripts, then the latencies that were reported."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    costs: dict[tuple[int, str], list[Cost]] = defaultdict(list)
    reported: dict[str, dict[str, list[float]]] = {DEFAULT: defaultdict(list), LEAN: defaultdict(list)}
    with tempfile.TemporaryDirectory() as folder, running_shop() as shop:
        results = Path(folder) / "results.json"
        for number in range(rounds + 1):
            for walks in (1, WALKS):
                for who, (command, environment) in commands(shop, walks, results).items():
                    cost = Cost(command, folder, environment)
                    if not number:  # the first round warms the disk's cache
                        continue
                    costs[walks, who].append(cost)
                    if who in reported:
                        for step, seconds in latencies(results).items():
                            reported[who][step] += seconds

    def middle(walks: int, who: str, figure: str) -> float:
        return float(statistics.median(getattr(cost, figure) for cost in costs[walks, who]))

    print("| | cold process, s | one more walk, s | CPU of one more walk, s | peak MiB |\n| --- | --: | --: | --: | --: |")
    rows = {}
    for who in (DEFAULT, LEAN, BEST, PLAIN):
        warm = {figure: (middle(WALKS, who, figure) - middle(1, who, figure)) / (WALKS - 1) for figure in ("wall", "cpu")}
        rows[who] = (middle(1, who, "wall"), warm["wall"], warm["cpu"], middle(WALKS, who, "memory"))
    for bare, own in ((BEST, DEFAULT), (PLAIN, DEFAULT), (BEST, LEAN)):
        ratios = " | ".join(f"**{mine / other:.2f}**" for mine, other in zip(rows[own], rows[bare], strict=True))
        print(f"| {own} / {bare} | {ratios} |")
    for who, row in rows.items():
        print(f"| {who} | {' | '.join(f'{value:.2f}' if value < 100 else f'{value:.0f}' for value in row)} |")
    print("\n| latency of a step, ms | defaults | nothing kept | ratio |\n| --- | --: | --: | --: |")
    totals = {DEFAULT: 0.0, LEAN: 0.0}
    for step in reported[LEAN]:
        default, lean = (1000 * statistics.median(reported[who][step]) for who in (DEFAULT, LEAN))
        totals[DEFAULT], totals[LEAN] = totals[DEFAULT] + default, totals[LEAN] + lean
        print(f"| {step} | {default:.0f} | {lean:.0f} | {default / lean:.3f} |")
    print(f"| all steps | {totals[DEFAULT]:.0f} | {totals[LEAN]:.0f} | **{totals[DEFAULT] / totals[LEAN]:.3f}** |")
    print(
        f"\nMedians of {rounds} rounds. Targets, defaults to the bare script with the best waits: cold process ≤ 1.15, one more walk ≤ 1.00, "
        "CPU ≤ 1.15, memory ≤ 1.10; to the one that only uses `expect`: one more walk ≤ 0.80; latencies within 3 % of a lean run's."
    )


if __name__ == "__main__":
    main()
