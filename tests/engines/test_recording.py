"""A visit that Firefox or WebKit has recorded is played back by Chromium as it was."""

import pytest
from playwright.sync_api import Browser, expect

from tests.reports.collector.test_browser import Site
from tests.reports.collector.test_browser import site as site
from tests.reports.replay.conftest import Recorder, played
from tests.reports.replay.conftest import chunk_store as chunk_store
from tests.reports.replay.conftest import dashboard as dashboard
from tests.reports.replay.conftest import recorder as recorder
from tests.support.engines import Tab, rested
from tests.support.services.collector import served as served
from tests.support.services.receiver import HIDE
from tests.support.wait import wait_until

LONG = 60_000
"""Milliseconds that a busy machine may need."""
PAGE = """<h1>Tea</h1><style>h1 { color: rgb(0, 128, 0); }</style><label>Name <input id=name></label>
<button id=more>More</button><p id=out>none</p><x-a></x-a><script>
let count = 0;
document.querySelector("#more").onclick = () => document.querySelector("#out").textContent = `${++count} cups`;
document.querySelector("x-a").attachShadow({ mode: "open" }).innerHTML = "<b>In a shadow</b>";
const sheet = new CSSStyleSheet();
sheet.replaceSync("#out { color: rgb(128, 0, 0) }");
document.adoptedStyleSheets = [sheet];
</script>"""


@pytest.mark.thorough
def test_a_visit_is_played_back(tab: Tab, recorder: Recorder, site: Site, dashboard: str, chrome: Browser) -> None:
    site.html = f"<head>{recorder.line()}</head>{PAGE}"
    tab.open(site.address)
    rested(tab)
    wait_until(lambda: recorder.rows, "the first chunk")
    tab.write("#name", "Ada Lovelace")
    for _ in range(3):
        tab.click("#more")
    tab.run(f"({HIDE})()")
    recorder.wait_for_events(lambda events: sum(one["type"] == 5 and one["data"]["tag"] == "act" for one in events) >= 4)
    session = recorder.rows[0].session
    assert b"Lovelace" not in recorder.bytes(), "what is typed is not recorded"
    tab.open("about:blank")
    player = chrome.new_page()
    frame = played(player, f"{dashboard}/sessions/{session}/replay")
    expect(frame.get_by_role("heading", name="Tea")).to_have_css("color", "rgb(0, 128, 0)", timeout=LONG)
    expect(frame.locator("#out")).to_have_text("none", timeout=LONG)
    expect(frame.get_by_text("In a shadow")).to_be_visible(timeout=LONG)
    player.get_by_label("Speed").select_option("4")
    player.get_by_role("button", name="Play").click()
    expect(frame.locator("#out")).to_have_text("3 cups", timeout=LONG)
    expect(frame.locator("#out")).to_have_css("color", "rgb(128, 0, 0)", timeout=LONG)
    player.close()
