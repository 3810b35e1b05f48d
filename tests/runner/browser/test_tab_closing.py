"""Tabs that are closed while they go to another page."""

import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser

from runner.browser.driver import event_waits
from tests.pages import serving_pages
from tests.support.wait import let_pass

SCRIPT = Path(event_waits.__file__).with_name("tab_closing.cjs")

FORGETFUL = """
const [[method, change]] = require(process.argv[1]).CHANGES;
class Tab {
  constructor(forgotten) {
    this.forgotten = forgotten;
    this._page = { closedPromise: new Promise((resolve) => { this.closed = resolve; }) };
  }
}
let asked = 0;
class Browser {
  async [method](tab) {
    asked += 1;
    if (tab.forgotten-- === 0) setTimeout(tab.closed, 0);
  }
}
change(Browser.prototype);
const tab = new Tab(Number(process.argv[2]));
new Browser()[method](tab);
tab._page.closedPromise.then(() => console.log(asked));
"""
"""A browser that forgets to close a tab so many times. The program ends only when nothing is repeated any more."""


@pytest.mark.parametrize("forgotten", [0, 2])
def test_a_tab_is_closed_as_often_as_it_takes_and_no_more(forgotten: int) -> None:
    node, _ = compute_driver_executable()
    done = subprocess.run(
        [node, "-e", FORGETFUL, SCRIPT, str(forgotten)], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout) == forgotten + 1


@pytest.mark.thorough
def test_a_tab_that_is_closed_while_it_goes_to_another_site_is_closed(chrome: Browser) -> None:
    # Without the change Chromium forgets one within about a hundred, and `close` never returns.
    with serving_pages({"/": "one"}) as site, serving_pages({"/": "two"}) as other, chrome.new_context() as context:
        for number in range(80):
            page = context.new_page()
            page.goto(site)
            page.evaluate(f"setTimeout(() => {{ location.href = '{other}' }}, {number % 4})")
            let_pass((number % 23) / 1000, "it is closed at each moment of its leaving once")
            page.close()
        assert context.pages == []
