"""How much later than its condition a wait ends: polling and event-driven waits, alternately, in one run of this program.

A page makes each condition true after a known delay of 0 to 1200 ms and notes when it did (`performance.now()`); the wait's end is the
time at which the script's call returns. Pages: at rest, and one that changes every 16 ms. CPU is that of Chromium and Playwright's
driver together, during a wait of 3 s that fails.
Run: `python -m benchmarks.waits [--rounds N]`; the table is in docs/fidelity.md.
"""

import argparse
import statistics
import time
from collections import defaultdict

import psutil
from playwright.sync_api import Browser, Page, expect, sync_playwright

from runner.browser.chromium import find
from runner.browser.driver import event_waits

DELAYS = [round(1200 * step / 19) for step in range(20)]
PAGE = "<p id=text>before</p><button disabled>Go</button><p id=ticker></p>"
CHANGE = """delay => {
    document.querySelector("#text").textContent = "before";
    document.querySelector("button").disabled = true;
    setTimeout(() => {
        document.querySelector("#text").textContent = "after";
        document.querySelector("button").disabled = false;
        window.changed = performance.timeOrigin + performance.now();
    }, delay);
}"""
TICK = "() => { setInterval(() => { document.querySelector('#ticker').textContent = Math.random() }, 16) }"
WAITS = {
    "expect": lambda page: expect(page.locator("#text")).to_have_text("after"),
    "wait_for": lambda page: page.locator("p", has_text="after").wait_for(),
    "click": lambda page: page.get_by_role("button").click(),
}


def excesses(page: Page, wait: str) -> list[float]:
    """Milliseconds from each change to the end of the wait for it."""
    found = []
    for delay in DELAYS:
        page.evaluate(CHANGE, delay)
        WAITS[wait](page)
        ended = time.time() * 1000
        found.append(ended - page.evaluate("window.changed"))
    return found


def cpu_share(page: Page) -> float:
    """The share of one core that Chromium and the driver use while a wait fails."""
    processes = psutil.Process().children(recursive=True)
    began, before = time.perf_counter(), _cpu(processes)
    try:
        expect(page.locator("#text")).to_have_text("never", timeout=3_000)
    except AssertionError:
        return (_cpu(processes) - before) / (time.perf_counter() - began)
    raise RuntimeError("the text is 'never'")


def _cpu(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes if process.is_running()]
    return sum(one.user + one.system for one in times)


def measure(
    browser: Browser, rounds: int
) -> tuple[dict[tuple[str, str, str], list[float]], dict[tuple[str, str], list[float]]]:
    """Excesses by page, wait and mode; shares of a core by page and mode."""
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    shares: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for kind in ("at rest", "ticking"):
            for mode in ("polling", "events"):
                with browser.new_context() as context:
                    if mode == "events":
                        context.add_init_script(event_waits.MARK)
                    page = context.new_page()
                    page.set_content(PAGE)
                    if kind == "ticking":
                        page.evaluate(TICK)
                    for wait in WAITS:
                        found[kind, wait, mode] += excesses(page, wait)
                    shares[kind, mode].append(cpu_share(page))
    return found, shares


def main() -> None:
    """Prints the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1, help="each takes two and a half minutes")
    options = parser.parse_args()
    manager = sync_playwright()
    with event_waits.preloaded():
        playwright = manager.start()
    with playwright.chromium.launch(executable_path=find().path) as browser:
        found, shares = measure(browser, options.rounds)
    playwright.stop()
    print("| page | wait | mode | median, ms | p95 | max |\n| --- | --- | --- | --- | --- | --- |")
    for (kind, wait, mode), values in found.items():
        ordered = sorted(values)
        p95 = ordered[round(0.95 * len(ordered)) - 1]
        print(f"| {kind} | {wait} | {mode} | {statistics.median(values):.0f} | {p95:.0f} | {ordered[-1]:.0f} |")
    print("\n| page | mode | share of a core during a failing wait |\n| --- | --- | --- |")
    for (kind, mode), values in shares.items():
        print(f"| {kind} | {mode} | {statistics.median(values):.0%} |")


if __name__ == "__main__":
    main()
