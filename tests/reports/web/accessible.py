"""axe-core on a page."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[3] / "runner" / "page" / "axe.js"
CONTRAST = ("color-contrast",)
"""The one rule that light and dark can differ in."""


def violations(page: Page, without: list[str], only: tuple[str, ...] = ()) -> list[str]:
    """What axe has to say, with where."""
    assert AXE.is_file(), "axe-core is missing: build it with `make .venv/dev`"
    page.wait_for_load_state("load")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(
        "([without, only]) => axe.run({exclude: without.map(one => [one])},"
        " {iframes: false, resultTypes: ['violations'], ...(only.length && {runOnly: only})})",
        [without, list(only)],
    )
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found["violations"] for node in one["nodes"][:3]
    ]
