"""The dashboard in Firefox and WebKit: each page opens without an error, charts are drawn, and a recording is played."""

import pytest

from tests.reports.web.test_every_page import Everything
from tests.reports.web.test_every_page import everything as everything
from tests.support.engines import Tab
from tests.support.services.dashboard import dashboard as dashboard
from tests.support.wait import wait_until

DRAWN = """return [...document.querySelectorAll('main svg, main canvas')].filter((one) => {
    const { width, height } = one.getBoundingClientRect();
    return width > 40 && height > 20;
}).length"""
EMPTY = """return [...document.querySelectorAll('.chart[data-chart], .chart[data-lines]')]
    .filter((one) => !one.querySelector('svg, canvas')).length"""


@pytest.mark.thorough
@pytest.mark.timeout(1800)
def test_every_page_opens_without_an_error(tab: Tab, everything: Everything) -> None:
    found: list[str] = []
    drawn = 0
    for path in everything.pages():
        # What the page before had not finished when it was left is not an error of this one.
        tab.open("about:blank")
        before = len(tab.tell())
        tab.open(everything.served.address + path)
        wait_until(lambda: tab.run("return document.readyState") == "complete", f"{path} to load")
        wait_until(lambda: not tab.run(EMPTY), f"the charts of {path}")
        drawn += tab.run(DRAWN)
        found += [f"{path}: {one}" for one in tab.tell()[before:] if path != "/nothing" or "404" not in one]
    assert not found, "\n".join(found)
    assert drawn > 10, "charts are drawn"


@pytest.mark.thorough
def test_a_recording_is_played(tab: Tab, everything: Everything) -> None:
    tab.open(f"{everything.served.address}/sessions/{everything.parts['session']}/replay")
    wait_until(lambda: tab.run("return document.documentElement.dataset.replay") == "ready", "the player")
    shown = "const { body } = document.querySelector('.stage iframe').contentDocument; return body.innerHTML"
    clock = "return document.querySelector('#clock').textContent"
    page, at = wait_until(lambda: tab.run(shown), "the first picture"), tab.run(clock)
    tab.click("#play")
    wait_until(lambda: tab.run(clock) != at and tab.run(shown) != page, "the page in the player to change")
    assert tab.tell() == []
