"""Makes the pictures of the README and of these documents, light and dark: `make pictures`, about three minutes.

Everything in them is real output: `journey demo --serve` in an empty folder, a smoke check of two shops, one of which is slower, and the
spans of a run and of the shop's backend.
"""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from span_picture import write_page

from runner.browser.chromium import find
from runner.demo import journeys_folder, running_shop

IMAGES = Path(__file__).parent / "images"
ROOT = Path(__file__).parents[1]
JOURNEY = Path(sys.executable).with_name("journey")
SIZE: ViewportSize = {"width": 1200, "height": 760}
PHONE: ViewportSize = {"width": 390, "height": 760}
LARGEST = 150_000
QUALITIES = (90, 80, 65, 50)
"""Of WebP, until a picture is small enough."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RELATIVE = """root => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(root, "");
}"""
COMPARED = ("browse", "search")
SLOWER = 90
"""Milliseconds by which the shop of the smoke check is slower than the other."""


def main() -> None:
    """Writes all of them, or those whose names are given."""
    wanted = set(sys.argv[1:])
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=find().path)
        if not wanted or wanted - {"smoke", "spans"}:
            with _demo(folder) as address:
                _photograph_dashboard(browser, address, wanted)
        if not wanted or "smoke" in wanted:
            report = _check_release(folder)
            _photograph(browser, "smoke", lambda page: page.goto(report.as_uri()))
        if not wanted or "spans" in wanted:
            spans = write_page(folder)
            _photograph(browser, "spans", lambda page: page.goto(spans.as_uri()), {"width": 1200, "height": 330})
        browser.close()


@contextmanager
def _demo(folder: Path) -> Iterator[str]:
    """Runs the demo until its visitors have gone; yields the dashboard's address."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [JOURNEY, "demo", "--serve"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield _wait_for_visitors(process)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for_visitors(process: "subprocess.Popen[str]") -> str:
    address = ""
    for line in process.stdout or ():
        print(line, end="")
        if found := re.search(r"the dashboard is at (http://[^/]+)/", line):
            address = found[1]
        if address and re.search(r"\d+ visitors looked at", line):
            return address
    raise SystemExit("the demo ended before its visitors had come")


def _photograph_dashboard(browser: Browser, address: str, wanted: set[str]) -> None:
    page = browser.new_page()
    page.goto(f"{address}/runs?status=failed")
    run = page.locator("tbody tr").filter(has_text="browse").first.locator("th a").get_attribute("href")
    page.goto(f"{address}/sessions?device=desktop")
    replays = page.locator("main a[href$='/replay']").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    page.close()
    pictures: dict[str, Callable[[Page], object]] = {
        "overview": lambda page: page.goto(f"{address}/?range=7d"),
        "run": lambda page: page.goto(f"{address}{run}"),
        "trace": lambda page: _open_trace(page, f"{address}{run}/trace"),
        "replay": lambda page: _play(page, [f"{address}{one}" for one in replays]),
        "phone": lambda page: page.goto(f"{address}{run}#why"),
        "comparison": lambda page: page.goto(f"{address}/journeys/browse?range=7d&release=2026.10&with_release=2026.9#compare"),
    }
    for name, show in pictures.items():
        if not wanted or name in wanted:
            _photograph(browser, name, show, PHONE if name == "phone" else SIZE)


def _open_trace(page: Page, address: str) -> None:
    page.goto(address)
    page.frame_locator("iframe.viewer").get_by_role("treeitem").last.click()
    page.wait_for_timeout(1500)


def _play(page: Page, addresses: list[str]) -> None:
    """The recording with the most to see, in its middle."""
    longest, moments = addresses[0], 0
    for one in addresses:
        page.goto(one)
        found = page.locator(".happened li").count()
        if found > moments:
            longest, moments = one, found
    page.goto(longest)
    page.locator(".happened a").nth(moments // 2).click()
    page.wait_for_timeout(1500)
    page.evaluate("scrollTo(0, 0)")


def _check_release(folder: Path) -> Path:
    """A smoke check of a slower shop against another; its report."""
    report = folder / "smoke.html"
    with running_shop() as before, running_shop(delay=SLOWER) as after:
        command = [
            str(JOURNEY),
            "smoke",
            *(str(journeys_folder() / f"{name}.py") for name in COMPARED),
            "--base-url",
            after,
            "--against",
            before,
            "--html",
            str(report),
            "--timeout",
            "60s",
        ]
        subprocess.run(command, cwd=folder, check=False, env={**os.environ, "JOURNEY_RUNS_DIR": str(folder / "smoke")})
    return report


def _photograph(browser: Browser, name: str, show: Callable[[Page], object], size: ViewportSize = SIZE) -> None:
    for scheme in SCHEMES:
        context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
        page = context.new_page()
        show(page)
        # As in a clone, not with the folder that it is in here.
        page.evaluate(RELATIVE, f"{ROOT}/")
        page.wait_for_load_state("load")
        page.evaluate("document.fonts.ready")
        # Charts are drawn by a script after that.
        page.wait_for_timeout(800)
        _write(page, IMAGES / f"{name}-{scheme}.webp")
        context.close()


def _write(page: Page, file: Path) -> None:
    """The window as WebP, which Playwright itself cannot write."""
    session = page.context.new_cdp_session(page)
    for quality in QUALITIES:
        answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        content = base64.b64decode(answer["data"])
        if len(content) <= LARGEST:
            file.write_bytes(content)
            print(f"{file.name}: {len(content):,} bytes")
            return
    raise SystemExit(f"{file.name} is larger than {LARGEST:,} bytes at any quality")


if __name__ == "__main__":
    main()
