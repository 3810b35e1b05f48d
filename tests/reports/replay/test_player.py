"""The player, in a real browser, on recordings from a real browser."""

import gzip
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from reports.replay.chunk import FULL_SNAPSHOT, META
from reports.replay.chunk_store import ChunkStore
from runner.result import StepResult
from runner.store.tables.replays import replay_chunks
from tests.conftest import Monitor
from tests.reports.collector.test_browser import Site
from tests.reports.replay.conftest import Recorder, hide, played
from tests.reports.replay.synthetic import long_session, still_session
from tests.support.wait import let_pass, wait_until

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
        let_pass(0.6, "moments between the clicks are asked for", page)
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


@pytest.mark.thorough
def test_a_link_leads_to_a_moment(recorder: Recorder, site: Site, page: Page, dashboard: str, visitor: BrowserContext) -> None:
    session = recorded(recorder, site, page)
    begin = min(row.first_at for row in recorder.rows) * 1000
    acts = [event["timestamp"] for event in recorder.events if event["type"] == 5 and event["data"]["tag"] == "act"]
    player = visitor.new_page()
    at = round(acts[1] - begin) + 300
    frame = played(player, f"{dashboard}/sessions/{session}/replay?t={at}")
    expect(frame.locator("#out")).to_have_text("2 cups")


@pytest.mark.thorough
def test_what_cannot_be_played_says_why(
    recorder: Recorder, site: Site, page: Page, dashboard: str, visitor: BrowserContext
) -> None:
    session = recorded(recorder, site, page)
    with recorder.store.connected() as connection:
        connection.execute(replay_chunks.delete().where(replay_chunks.c.sequence == 0))
    player = visitor.new_page()
    player.goto(f"{dashboard}/sessions/{session}/replay")
    expect(player.locator("#unplayable")).to_contain_text("No full snapshot of a page has arrived")
    player.goto(f"{dashboard}/sessions/0190a1b2-0000-7000-8000-00000000dead/replay")
    expect(player.locator("main")).to_contain_text("is unknown")


@pytest.mark.thorough
def test_a_gap_is_told(recorder: Recorder, site: Site, page: Page, dashboard: str, visitor: BrowserContext) -> None:
    session = recorded(recorder, site, page)
    last = max(row.sequence for row in recorder.rows)
    with recorder.store.connected() as connection:
        connection.execute(replay_chunks.update().where(replay_chunks.c.sequence == last).values(sequence=last + 1))
    player = visitor.new_page()
    frame = played(player, f"{dashboard}/sessions/{session}/replay")
    # Its file has gone as well: what is there is shown.
    expect(player.locator("#said")).to_contain_text(f"part {last} of tab")
    expect(frame.get_by_role("heading", name="Tea")).to_be_visible()


def test_a_seek_fetches_from_the_last_full_picture_on(chunk_store: ChunkStore, dashboard: str, visitor: BrowserContext) -> None:
    session = long_session(chunk_store, minutes=5, picture_every=60)
    player = visitor.new_page()
    asked: list[str] = []
    player.on("request", lambda request: asked.append(request.url) if "/replays/chunks/" in request.url else None)
    frame = played(player, f"{dashboard}/sessions/{session}/replay?t=200100")
    expect(frame.locator("#out")).to_have_text("at 200")
    numbers = sorted(int(url.rpartition("/")[2]) for url in asked)
    # Chunks are of ten seconds: the picture is at 180 s, in the nineteenth.
    assert numbers[0] == 19
    assert len(numbers) <= 4


def node(number: int, tag: str, *children: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {"type": 2, "tagName": tag, "attributes": attributes, "childNodes": list(children), "id": number}


def words(number: int, content: str, **more: Any) -> dict[str, Any]:
    return {"type": 3, "textContent": content, "id": number, **more}


def choice(number: int) -> dict[str, Any]:
    """A list of choices whose value was masked, as the recorder writes it."""
    first = node(number + 1, "option", words(number + 2, "Assam"), value="assam")
    return node(number, "select", first, value="••••••", id=f"s{number}")


@pytest.mark.thorough
def test_a_masked_choice_shows_the_mask_and_icons_and_fonts_are_left_out(
    chunk_store: ChunkStore, dashboard: str, visitor: BrowserContext
) -> None:
    sheet = """@font-face { font-family: icons; src: url("https://shop.example/icons.woff2"); }
        .cart::before { content: "\\f07a"; } h2 { color: rgb(0, 128, 0); }"""
    nodes = (
        node(100, "style", words(101, sheet, isStyle=True)),
        node(110, "h2", words(111, "\ue8cc Cart"), **{"class": "cart"}),
        choice(120),
        # Where nothing was chosen yet, there is nothing to mask.
        node(140, "select", node(141, "option", words(142, "Any"), value=""), value="", id="s140", autofocus=""),
    )
    session = still_session(chunk_store, *nodes, later=[choice(130)], chosen=140)
    player = visitor.new_page()
    said: list[str] = []
    player.on("console", lambda line: said.append(line.text))
    frame = played(player, f"{dashboard}/sessions/{session}/replay")
    expect(frame.locator("#s120 option:checked")).to_have_text("••••••")
    assert frame.locator("h2").text_content() == "\u2002 Cart"
    expect(frame.locator("h2")).to_have_css("color", "rgb(0, 128, 0)")
    assert frame.locator("h2").evaluate("one => getComputedStyle(one, '::before').content") == '"\u2002"'
    expect(frame.locator("#s140 option:checked")).to_have_text("Any")
    player.get_by_role("button", name="Play").click()
    for later in ("#s130", "#s140"):
        expect(frame.locator(f"{later} option:checked")).to_have_text("••••••", timeout=20_000)
    assert not [line for line in said if "Content Security Policy" in line or "font" in line or "autofocus" in line]


def test_a_run_is_recorded_whole_however_soon_it_leaves_its_pages(monitor: Monitor) -> None:
    code = """
    @journey
    def walk(page, step):
        with step("look for tea"):
            page.goto("/")
            page.get_by_label("Search").fill("oolong")
            page.keyboard.press("Enter")
            page.get_by_role("link", name="Sign in").click()
            expect(page.get_by_label("Password")).to_be_visible()
    """
    monitor.run(code, replay="on")
    events = json.loads(gzip.decompress((monitor.saved() / "replay.json.gz").read_bytes()))["events"]
    pages = [urlsplit(one["data"]["href"]).path for one in events if one["type"] == META]
    assert pages == ["/", "/search", "/login"]
    assert [one["type"] for one in events].count(FULL_SNAPSHOT) == 3


def ended_at(step: StepResult) -> float:
    """When a step ended, in milliseconds since the epoch."""
    assert step.started_at is not None
    return (step.started_at.timestamp() + (step.wall_seconds or 0.0)) * 1000


@pytest.mark.thorough
def test_a_failed_run_can_be_watched_from_the_moment_at_which_it_failed(
    monitor: Monitor, chunk_store: ChunkStore, dashboard: str, visitor: BrowserContext
) -> None:
    code = """
    @journey
    def walk(page, step):
        with step("look for tea"):
            page.goto("/")
        with step("buy it"):
            page.get_by_role("link", name="Sign in").click()
            page.get_by_label("Password").fill("hunter-zwei-9")
            expect(page.get_by_role("heading", name="Nowhere")).to_be_visible(timeout=500)
    """
    result = monitor.run(code, trace="off")
    assert (result.status, [one.path for one in result.artifacts if one.kind == "replay"]) == ("failed", ["replay.json.gz"])
    replay = gzip.decompress((monitor.saved() / "replay.json.gz").read_bytes())
    assert b"hunter" not in replay
    assert result.second_look is not None
    # The page stood still for as long as the step waited, and is shown that long.
    assert max(one["timestamp"] for one in json.loads(replay)["events"]) >= ended_at(result.second_look.steps[1])
    chunk_store.store.add(result, monitor.saved())
    player = visitor.new_page()
    player.goto(f"{dashboard}/runs/{result.id}")
    player.get_by_role("link", name="Watch the replay").click()
    player.locator("html[data-replay=ready]").wait_for()
    expect(player.locator(".happened li")).to_have_count(3)
    failed = player.locator(".happened li.of-failure a").get_attribute("href")
    assert failed
    assert player.url == f"{dashboard}/runs/{result.id}/replay{failed}"
    frame = player.frame_locator(".stage iframe")
    expect(frame.get_by_label("Password")).to_be_visible()
    assert monitor.run(code.replace("Nowhere", "Sign in")).artifacts == ()
