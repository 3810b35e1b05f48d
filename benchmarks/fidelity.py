"""How far the page clock, and the stopwatch, are from the truth.

For a request or a route the truth is the server's exact delay; for a document the load event that a bare Playwright script
reads from Navigation Timing; for a popup that script's span from the click to the load event. Bare script and journey
alternate in one run. Run: `python -m benchmarks.fidelity [--rounds N] [--quick]`; the table is in docs/fidelity.md.
"""

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.fidelity_journey import DELAYS, WAITS, wait
from runner.archive import Archive
from runner.browser import find
from runner.config import load_settings
from runner.demo import running_shop
from runner.discovery import load
from runner.plan import plan
from runner.workers import Workers

Errors = dict[tuple[str, str, str], list[float]]
Case = tuple[str, int, str, str]
"""Kind, delay in milliseconds, way to wait, tracing."""
LOADED = "() => performance.timeOrigin + performance.getEntriesByType('navigation')[0].loadEventEnd"
CLICKED = "() => addEventListener('pointerdown', event => { window.clicked = performance.timeOrigin + event.timeStamp; })"


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
            found["document", delay, how, tracing] = page.evaluate(LOADED) - page.evaluate("performance.timeOrigin")
        for delay in delays:
            page.goto(f"/switch/popup?delay={delay}")
            page.evaluate(CLICKED)
            with page.expect_popup() as popup:
                page.get_by_role("button", name="Go").click()
            wait(popup.value.get_by_role("heading", name="Results"), how)
            found["popup", delay, how, tracing] = popup.value.evaluate(LOADED) - page.evaluate("window.clicked")
            popup.value.close()
            found["request", delay, how, tracing] = found["route", delay, how, tracing] = float(delay)
    context.close()
    return found


def measure(rounds: int, delays: list[int]) -> tuple[Errors, int]:
    """Errors in milliseconds by (kind, tracing, clock and way to wait); and how often latency was above the stopwatch."""
    seen: dict[Case, list[float]] = defaultdict(list)
    measured: list[tuple[Case, float, float]] = []
    (journey,) = load(Path(__file__).with_name("fidelity_journey.py"))
    program = find()
    with tempfile.TemporaryDirectory() as folder, running_shop() as shop, sync_playwright() as playwright, Workers(1) as pool:
        browser = playwright.chromium.launch(executable_path=program.path)
        truths(browser, shop, delays[:1], "off")
        for _ in range(rounds):
            for tracing in ("off", "on"):
                for case, value in truths(browser, shop, delays, tracing).items():
                    seen[case].append(value)
                options = {"base_url": shop, "trace": tracing, "params": {"delays": ",".join(map(str, delays))}}
                settings = load_settings(Path(folder), options, {})
                (result,) = pool.run([plan(journey, settings)], program, settings, Archive(Path(folder) / "runs"), [])
                if result.status != "passed":
                    raise SystemExit(f"the journey did not pass: {result.failure}")
                for step in result.steps:
                    kind, milliseconds, how = step.name.split()
                    latency, wall = (step.latency_seconds or 0.0) * 1000, (step.wall_seconds or 0.0) * 1000
                    measured.append(((kind, int(milliseconds), how, tracing), latency, wall))
        browser.close()
    errors: Errors = defaultdict(list)
    for case, latency, wall in measured:
        kind, _, how, tracing = case
        truth = statistics.median(seen[case])
        errors[kind, tracing, f"page clock ({how})"].append(latency - truth)
        errors[kind, tracing, f"stopwatch ({how})"].append(wall - truth)
    return errors, sum(latency > wall for _, latency, wall in measured)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1)]


def report(errors: Errors, above: int) -> str:
    """A Markdown table of the absolute errors, and the verdict on the two targets."""
    lines = ["| kind | tracing | clock | n | median | p95 | max |", "| --- | --- | --- | --: | --: | --: | --: |"]
    pages: list[float] = []
    for (kind, tracing, clock), values in sorted(errors.items()):
        off = [abs(value) for value in values]
        figures = (statistics.median(off), percentile(off, 0.95), max(off))
        lines.append(f"| {kind} | {tracing} | {clock} | {len(off)} | " + " | ".join(f"{one:.1f}" for one in figures) + " |")
        if clock.startswith("page"):
            pages += off
    p95 = percentile(pages, 0.95)
    lines += [
        "",
        f"Page clock, all {len(pages)} steps: median {statistics.median(pages):.1f} ms, p95 {p95:.1f} ms (target 15), "
        f"max {max(pages):.1f} ms; above the stopwatch in {above} steps (target 0).",
    ]
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="few delays, one round")
    options = parser.parse_args()
    delays = [0, 120, 360] if options.quick else list(DELAYS)
    print(report(*measure(1 if options.quick else options.rounds, delays)))


if __name__ == "__main__":
    main()
