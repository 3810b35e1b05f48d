"""How far the page clock, and the stopwatch, are from the truth.

For a request or a route the truth is the server's exact delay. For a document it is the load event of Navigation Timing, and
for a popup the span from the click to that event, as a bare Playwright script reads them; script and journey load the same
addresses alternately, and the median of the script's loads is the truth. Two loads of one page differ, so the script's own loads
are compared with the same truth ("bare script": each against the median of the others). "Same load" is an extra: the event of
the very load that the clock timed, read by plain Playwright calls.
Run: `python -m benchmarks.fidelity [--rounds N] [--quick]`; the table is in docs/fidelity.md.
"""

import argparse
import json
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.fidelity_journey import CLICKED, DELAYS, WAITS, load_event, wait
from runner.archive.archive import Archive
from runner.browser.chromium import find
from runner.demo import running_shop
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans

Case = tuple[str, int, str, str]
"""Kind, delay in milliseconds, way to wait, tracing."""
Errors = dict[tuple[str, str, str], list[float]]
"""Signed errors in milliseconds by kind, tracing, and which clock with which way to wait."""
KNOWN = ("request", "route")
"""Kinds whose truth is the server's delay."""


def truths(browser: Browser, shop: str, delays: list[int], tracing: str) -> dict[Case, float]:
    """Milliseconds by case, as a script without any runner sees them; in the order of the journey, so as warm as it is."""
    found: dict[Case, float] = {}
    context = browser.new_context(base_url=shop)
    if tracing == "on":
        context.tracing.start(snapshots=True, screenshots=True)
    page = context.new_page()
    for how in WAITS:
        for delay in delays:
            page.goto(f"/search?q=tea&delay={delay}")
            wait(page.get_by_role("heading", name="Results"), how)
            found["document", delay, how, tracing] = load_event(page) - page.evaluate("performance.timeOrigin")
        for delay in delays:
            page.goto(f"/switch/popup?delay={delay}")
            page.evaluate(CLICKED)
            with page.expect_popup() as popup:
                page.get_by_role("button", name="Go").click()
            wait(popup.value.get_by_role("heading", name="Results"), how)
            found["popup", delay, how, tracing] = load_event(popup.value) - page.evaluate("window.clicked")
            popup.value.close()
    context.close()
    return found


def measure(rounds: int, delays: list[int]) -> tuple[Errors, int]:
    """All errors, and how often a latency was above its stopwatch."""
    bare: dict[Case, list[float]] = defaultdict(list)
    measured: list[tuple[Case, float, float, float]] = []
    (journey,) = load_journeys(Path(__file__).with_name("fidelity_journey.py"))
    program = find()
    with tempfile.TemporaryDirectory() as folder, running_shop() as shop, sync_playwright() as playwright, Workers(1) as pool:
        saved = Path(folder) / "truth.json"
        params = {"delays": ",".join(map(str, delays)), "truth": str(saved)}
        browser = playwright.chromium.launch(executable_path=program.path)
        truths(browser, shop, delays[:1], "off")
        for _ in range(rounds):
            for tracing in ("off", "on"):
                for case, value in truths(browser, shop, delays, tracing).items():
                    bare[case].append(value)
                settings = load_settings(
                    Path(folder), {"base_url": shop, "trace": tracing, "replay": "off", "params": params}, {}
                )
                (result,) = run_plans(pool, [plan(journey, settings)], program, settings, Archive(Path(folder) / "runs"), [])
                if result.status != "passed":
                    raise SystemExit(f"the journey did not pass: {result.failure}")
                same_load = json.loads(saved.read_text())
                for step in result.steps:
                    kind, milliseconds, how = step.name.split()
                    latency, wall = (step.latency_seconds or 0.0) * 1000, (step.wall_seconds or 0.0) * 1000
                    measured.append(((kind, int(milliseconds), how, tracing), latency, wall, same_load[step.name]))
        browser.close()
    errors: Errors = defaultdict(list)
    for case, latency, wall, same in measured:
        kind, delay, how, tracing = case
        truth = delay if kind in KNOWN else statistics.median(bare[case])
        errors[kind, tracing, f"page clock ({how})"].append(latency - truth)
        errors[kind, tracing, f"stopwatch ({how})"].append(wall - truth)
        if kind not in KNOWN:
            errors[kind, tracing, f"same load ({how})"].append(latency - same)
    for (kind, _, how, tracing), values in bare.items():
        for at, value in enumerate(values):
            others = values[:at] + values[at + 1 :]
            if others:
                errors[kind, tracing, f"bare script ({how})"].append(value - statistics.median(others))
    return errors, sum(latency > wall for _, latency, wall, _ in measured)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1)]


def _figures(values: list[float]) -> list[float]:
    off = [abs(value) for value in values]
    return [statistics.median(off), percentile(off, 0.95), max(off)]


def report(errors: Errors, above: int) -> str:
    """A Markdown table of the absolute errors, and the verdict on the two targets."""
    lines = ["| kind | tracing | clock | n | median | p95 | max |", "| --- | --- | --- | --: | --: | --: | --: |"]
    for (kind, tracing, clock), values in sorted(errors.items()):
        cells = " | ".join(f"{one:.1f}" for one in _figures(values))
        lines.append(f"| {kind} | {tracing} | {clock} | {len(values)} | {cells} |")
    lines.append("")

    def together(clock: str, kinds: tuple[str, ...]) -> str:
        values = [one for (kind, _, name), found in errors.items() if kind in kinds and name.startswith(clock) for one in found]
        median, p95, largest = _figures(values)
        return f"{len(values)} steps, median {median:.1f}, p95 {p95:.1f}, max {largest:.1f} ms"

    loads = ("document", "popup")
    lines += [
        f"- Page clock, everything: {together('page clock', (*KNOWN, *loads))} (target: p95 15)",
        f"- Page clock, requests and routes: {together('page clock', KNOWN)}",
        f"- Page clock, documents and popups: {together('page clock', loads)}",
        f"- The bare script's own loads, documents and popups: {together('bare script', loads)}"
        if any(clock.startswith("bare") for _, _, clock in errors)
        else "- The bare script's own loads: one round shows no spread",
        f"- Stopwatch, everything: {together('stopwatch', (*KNOWN, *loads))}",
        f"- Steps with a latency above the stopwatch: {above} (target 0)",
    ]
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few delays, one round")
    options = parser.parse_args()
    delays = [0, 120, 360] if options.quick else list(DELAYS)
    print(report(*measure(1 if options.quick else options.rounds, delays)))


if __name__ == "__main__":
    main()
