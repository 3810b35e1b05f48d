"""What the comparison of pictures finds, and how often it finds what is not there; beside a comparison with one stored picture.

Five pages of which one part varies from load to load (benchmarks/sites/restless_pages.py), pictured as a smoke check does it: five pairs
of loads for each check, in a random order, without and with a change in one of the two builds.

1. Without a change: 200 checks. Each difference is a false alarm.
2. With a change: 100 checks, of five kinds of changes in four sizes each, on each page.

The stored picture ("golden") is the first of the baseline's, compared with the first of the candidate's: pixel by pixel with the
tolerance of our rule, and with that of Playwright's `toHaveScreenshot` (a distance of 0.2 in YIQ, as pixelmatch has it; without its
detection of smooth edges, so it never finds less than that).
It is about what is found, not about speed. Run: `python -m benchmarks.pictures [--quick]`, half an hour or six minutes; the
tables are in docs/pictures.md.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from random import Random

import numpy as np
from msgspec import Struct
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.sites.restless_pages import CHANGES, KINDS, make_page
from reports.smoke.pictures import judge
from runner.artifacts.page_picture import VIEWPORT, take_picture
from runner.browser.chromium import find
from runner.pictures.difference import LEAST, find_difference
from runner.pictures.picture import Picture, decode_picture, stack_pictures
from runner.redaction import NOTHING

PAIRS = 5
SETTLE = 0.2
"""Seconds; a smoke check waits longer for a page that changes, and then has less that varies."""
YIQ = 35_215 * 0.2**2
"""The largest squared distance of two colours that pixelmatch takes for the same at a threshold of 0.2."""


class Checked(Struct, frozen=True):
    """What each rule says of one check: whether it sees a difference."""

    ours: str
    exact: bool
    playwright: bool


def main() -> None:
    """Measures and prints both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the checks")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    draw = Random(given.seed)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find().path, chromium_sandbox=False)
        show_unchanged(browser, draw, 8 if given.quick else 40)
        show_changed(browser, draw, KINDS[:1] if given.quick else KINDS)
        browser.close()


def show_unchanged(browser: Browser, draw: Random, each: int) -> None:
    """Checks of the same build on both sides."""
    print("| page | checks | different | undecided | golden, exact | golden, as Playwright |")
    print("| --- | --: | --: | --: | --: | --: |")
    totals: Counter[str] = Counter()
    for kind in KINDS:
        counts: Counter[str] = Counter()
        for _ in range(each):
            count(counts, check(browser, draw, kind, "", ""))
        totals += counts
        print_row(kind, each, counts)
    print_row("all", each * len(KINDS), totals)


def print_row(name: str, checks: int, counts: Counter[str]) -> None:
    """A row of the first table."""
    cells = [counts[one] for one in ("different", "undecided", "exact", "playwright")]
    print(f"| {name} | {checks} | {' | '.join(map(str, cells))} |", flush=True)


def count(counts: Counter[str], checked: Checked) -> None:
    """Adds one check."""
    counts[checked.ours] += 1
    counts["exact"] += checked.exact
    counts["playwright"] += checked.playwright


def show_changed(browser: Browser, draw: Random, kinds: tuple[str, ...]) -> None:
    """Checks of two builds; each change on each page."""
    print("\n| change | size | checks | found | golden, exact | golden, as Playwright |")
    print("| --- | --- | --: | --: | --: | --: |")
    found = 0
    for change, sizes in CHANGES.items():
        for size in sizes:
            counts: Counter[str] = Counter()
            for kind in kinds:
                count(counts, check(browser, draw, kind, change, size))
            found += counts["different"]
            cells = [counts[one] for one in ("different", "exact", "playwright")]
            print(f"| {change} | {size} | {len(kinds)} | {' | '.join(map(str, cells))} |", flush=True)
    print(f"\nfound: {found} of {len(kinds) * sum(map(len, CHANGES.values()))}")


def check(browser: Browser, draw: Random, kind: str, change: str, size: str) -> Checked:
    """Five pairs, and what is said of them."""
    pages = (make_page(kind), make_page(kind, change, size))
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    page = browser.new_page(viewport={"width": 800, "height": 760})
    try:
        for _ in range(PAIRS):
            for side in draw.sample((0, 1), 2):
                sides[side].append(load(page, pages[side]))
    finally:
        page.close()
    judged, _ = judge(*map(stack_pictures, sides))
    first = [decode_picture(side[0]) for side in sides]
    return Checked(judged.outcome, find_difference(first[0], first[1], grow=False).count > 0, differs_in_yiq(*first))


def load(page: Page, html: str) -> bytes:
    """A picture of the page, loaded again."""
    page.goto("about:blank")
    page.set_content(html)
    return take_picture(page, NOTHING, VIEWPORT, settle=SETTLE)


def differs_in_yiq(before: Picture, after: Picture) -> bool:
    """Whether pixelmatch's distance of the colours is over its limit for some pixels."""
    red, green, blue = np.moveaxis(before.pixels.astype(float) - after.pixels.astype(float), 2, 0)
    parts = distances(red, green, blue)
    distance = sum(weight * part**2 for weight, part in zip((0.5053, 0.299, 0.1957), parts, strict=True))
    return int(np.count_nonzero(distance > YIQ)) >= LEAST


def distances(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> Iterator[np.ndarray]:
    """The differences of Y, I and Q (Kotsarenko and Ramos, 2010)."""
    yield 0.29889531 * red + 0.58662247 * green + 0.11448223 * blue
    yield 0.59597799 * red - 0.27417610 * green - 0.32180189 * blue
    yield 0.21147017 * red - 0.52261711 * green + 0.31114694 * blue


if __name__ == "__main__":
    main()
