"""How large the report of a long pytest session is, and how soon a browser shows it.

A session of 2,000 tests is made: plain tests, and journeys with five steps; one in twenty fails, with forty lines of text, one in fifty
passes at its second attempt, one in twenty-five is skipped, on four workers. It is written as `journey report --html` writes it, and
opened in a Chromium from a file. The reference is a page with one table of the same tests, their outcomes and times, and nothing else,
opened in turn with the report. Run: `python -m benchmarks.report [--quick] [--tests 2000] [--rounds 15]`; traces are not part of it.
"""

import argparse
import gzip
import statistics
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from playwright.sync_api import Browser, sync_playwright

from reports.formats.html.report import render_suite
from reports.suite.merge import Merged
from reports.suite.records import Outcome, RecordedAttempt, RecordedTest
from runner.archive.archive import Saved
from runner.archive.run_id import run_id
from runner.browser.chromium import find
from runner.result import Failure, RunResult, StepResult

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
WORKERS = 4
TEXT = "\n".join(f"    line {number} of what pytest shows of a failure, as long as most of them are" for number in range(40))
MESSAGE = "AssertionError: Locator expected to have text 'Tea'"


class Opened(Struct, frozen=True):
    """Seconds since the page was asked for."""

    first_paint: float
    loaded: float


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds")
    given = parser.parse_args()
    session = make_session(given.tests)
    with TemporaryDirectory(prefix="journey-") as folder, sync_playwright() as playwright:
        pages = {"one plain table": make_reference(session), "the report": render_suite(session, Path(folder))}
        files = {name: Path(folder) / f"{number}.html" for number, name in enumerate(pages)}
        for name, content in pages.items():
            files[name].write_bytes(content)
        with playwright.chromium.launch(executable_path=find().path, chromium_sandbox=False) as browser:
            seen = measure(browser, files, 3 if given.quick else given.rounds)
    print(f"{given.tests:,} tests, medians of {len(seen['the report'])} rounds (the slowest in brackets):\n")
    print("| page | MB | MB, gzip | first paint, s | loaded, s |")
    print("| --- | --: | --: | --: | --: |")
    for name, content in pages.items():
        paints, loads = [one.first_paint for one in seen[name]], [one.loaded for one in seen[name]]
        size, packed = len(content) / 1e6, len(gzip.compress(content)) / 1e6
        print(f"| {name} | {size:.2f} | {packed:.2f} | {shown(paints)} | {shown(loads)} |")


def shown(values: list[float]) -> str:
    """The median, and the largest."""
    return f"{statistics.median(values):.2f} ({max(values):.2f})"


def measure(browser: Browser, files: dict[str, Path], rounds: int) -> dict[str, list[Opened]]:
    """Each page in turn, each time in a browser context of its own; after one round that is not counted."""
    seen: dict[str, list[Opened]] = {name: [] for name in files}
    for counted in (False, *[True] * rounds):
        for name, file in files.items():
            opened = open_page(browser, file)
            if counted:
                seen[name].append(opened)
    return seen


def open_page(browser: Browser, file: Path) -> Opened:
    """Opens a page, until it was painted and is loaded."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    paint, loaded = page.evaluate(
        "[performance.getEntriesByName('first-contentful-paint')[0].startTime,"
        " performance.getEntriesByType('navigation')[0].loadEventEnd]"
    )
    context.close()
    return Opened(paint / 1000, loaded / 1000)


def make_session(count: int) -> Merged:
    """The tests of a session, one in ten of them a journey with the run that it has made."""
    runs: list[Saved] = []
    tests: list[RecordedTest] = []
    for number in range(count):
        attempts = make_attempts(number)
        run = make_run(number, attempts[-1]) if number % 10 == 0 else None
        if run is not None:
            runs.append(Saved(run, Path(run.id)))
        name = f"tests/shop/test_area_{number % 40}.py::test_what_a_visitor_does_{number}[chromium]"
        tests.append(RecordedTest(id=name, attempts=attempts, run=run.id if run else ""))
    return Merged(tuple(runs), tuple(tests))


def make_attempts(number: int) -> tuple[RecordedAttempt, ...]:
    """One attempt, or two of a flaky test."""
    outcomes: tuple[Outcome, ...] = ("passed",)
    if number % 50 == 7:
        outcomes = ("failed", "passed")
    elif number % 20 == 3:
        outcomes = ("failed",)
    elif number % 25 == 11:
        outcomes = ("skipped",)
    began = BEGAN + timedelta(seconds=number // WORKERS * 2)
    return tuple(
        RecordedAttempt(
            number=nth, outcome=outcome, started_at=began + timedelta(seconds=nth), duration_seconds=0.4 + number % 7 / 5,
            worker=f"gw{number % WORKERS}",
            message=MESSAGE if outcome == "failed" else "", text=TEXT if outcome == "failed" else "",
        )
        for nth, outcome in enumerate(outcomes, 1)
    )  # fmt: skip


def make_run(number: int, attempt: RecordedAttempt) -> RunResult:
    """The run of a journey with five steps, the last of which fails where its test does."""
    failed = attempt.outcome == "failed"
    steps = tuple(
        StepResult(
            name=f"step {index}", index=index, status="failed" if failed and index == 4 else "passed",
            started_at=attempt.started_at + timedelta(seconds=index / 10), latency_seconds=0.1 + number % 5 / 10,
            wall_seconds=0.2 + number % 5 / 10, clock="page", cause="navigation", ended_by="load",
        )
        for index in range(5)
    )  # fmt: skip
    return RunResult(
        id=run_id(), journey=f"walk_{number}", status="failed" if failed else "passed", started_at=attempt.started_at,
        ended_at=attempt.started_at + timedelta(seconds=attempt.duration_seconds), duration_seconds=attempt.duration_seconds,
        location="ci", steps=steps, failure=Failure(kind="assertion", message=MESSAGE, step="step 4") if failed else None,
    )  # fmt: skip


def make_reference(session: Merged) -> bytes:
    """The same tests in a table without styles and scripts."""
    rows = "".join(
        f"<tr><td>{escape(one.id)}<td>{one.last.outcome}<td>{one.last.duration_seconds:.1f} s" for one in session.tests
    )
    return f"<!doctype html><meta charset=utf-8><title>Tests</title><table>{rows}</table>".encode()


if __name__ == "__main__":
    main()
