"""The player, in a real browser, on recordings from a real browser."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.reports.collector.test_browser import Site
from tests.reports.replay.conftest import Recorder, hide, played
from tests.servers import wait_until

COUNTER = """<h1>Tea</h1><style>h1 { color: rgb(0, 128, 0); }</style><button>More</button><p id=out>none</p><script>
let count = 0;
document.querySelector("button").onclick = () => document.querySelector("#out").textContent = `${++count} cups`;
</script>"""


def recorded(recorder: Recorder, site: Site, page: Page) -> str:
    """Records three clicks, some time apart; returns the session."""
    site.html = f"<head>{recorder.line()}</head>{COUNTER}"
    page.goto(site.address)
    wait_until(lambda: recorder.rows)
    for _ in range(3):
        page.get_by_role("button").click()
        page.wait_for_timeout(600)
    hide(page)
    recorder.wait_for_events(lambda events: sum(event["type"] == 5 and event["data"]["tag"] == "act" for event in events) == 3)
    return recorder.rows[0].session


def test_a_session_is_played_as_it_was(
    recorder: Recorder, site: Site, page: Page, dashboard: str, visitor: BrowserContext
) -> None:
    session = recorded(recorder, site, page)
    player = visitor.new_page()
    frame = played(player, f"{dashboard}/sessions/{session}/replay")
    expect(frame.get_by_role("heading", name="Tea")).to_have_css("color", "rgb(0, 128, 0)")
    expect(frame.locator("#out")).to_have_text("none")
    player.get_by_label("Speed").select_option("4")
    player.get_by_role("button", name="Play").click()
    expect(frame.locator("#out")).to_have_text("3 cups", timeout=20_000)


def test_a_link_leads_to_a_moment(recorder: Recorder, site: Site, page: Page, dashboard: str, visitor: BrowserContext) -> None:
    session = recorded(recorder, site, page)
    begin = min(row.first_at for row in recorder.rows) * 1000
    acts = [event["timestamp"] for event in recorder.events if event["type"] == 5 and event["data"]["tag"] == "act"]
    player = visitor.new_page()
    at = round(acts[1] - begin) + 300
    frame = played(player, f"{dashboard}/sessions/{session}/replay?t={at}")
    expect(frame.locator("#out")).to_have_text("2 cups")
