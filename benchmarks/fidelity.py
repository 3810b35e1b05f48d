"""How far the page clock, and the stopwatch, are from the truth.

For a request or a route the truth is the server's exact delay; for a document the load event of Navigation Timing, and for a
popup the span from the click to that event, both read on the same load by plain Playwright calls, with nothing of the
runner's. Run: `python -m benchmarks.fidelity [--rounds N] [--quick]`; the table is in docs/fidelity.md.
"""

import argparse
import json
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.fidelity_journey import DELAYS
from runner.archive import Archive
from runner.browser import find
from runner.config import load_settings
from runner.demo import running_shop
from runner.discovery import load
from runner.plan import plan
from runner.workers import Workers

Errors = dict[tuple[str, str, str], list[float]]


def measure(rounds: int, delays: list[int]) -> tuple[Errors, int]:
    """Errors in milliseconds by (kind, tracing, clock and way to wait); and how often latency was above the stopwatch."""
    errors: Errors = defaultdict(list)
    above = 0
    (journey,) = load(Path(__file__).with_name("fidelity_journey.py"))
    with tempfile.TemporaryDirectory() as folder, running_shop() as shop, Workers(1) as pool:
        told = Path(folder) / "truth.json"
        params = {"delays": ",".join(map(str, delays)), "truth": str(told)}
        for _ in range(rounds):
            for tracing in ("off", "on"):
                settings = load_settings(Path(folder), {"base_url": shop, "trace": tracing, "params": params}, {})
                (result,) = pool.run([plan(journey, settings)], find(), settings, Archive(Path(folder) / "runs"), [])
                if result.status != "passed":
                    raise SystemExit(f"the journey did not pass: {result.failure}")
                truth = json.loads(told.read_text())
                for step in result.steps:
                    kind, _, how = step.name.split()
                    latency, wall = (step.latency_seconds or 0.0) * 1000, (step.wall_seconds or 0.0) * 1000
                    errors[kind, tracing, f"page clock ({how})"].append(latency - truth[step.name])
                    errors[kind, tracing, f"stopwatch ({how})"].append(wall - truth[step.name])
                    above += latency > wall
    return errors, above


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
    lines += [
        "",
        f"Page clock, all {len(pages)} steps: median {statistics.median(pages):.1f} ms, p95 {percentile(pages, 0.95):.1f} ms "
        f"(target 15), max {max(pages):.1f} ms; above the stopwatch in {above} steps (target 0).",
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
