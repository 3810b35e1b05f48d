"""What is played back is what was there: at five moments of a visit, the player's picture beside the page's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from benchmarks.sites import library, panels, tickets
from benchmarks.sites.serving import serving
from benchmarks.sites.watched import watched
from runner.demo import running_shop
from tests.reports.replay import pictures
from tests.reports.replay.conftest import Recorder, hide
from tests.reports.replay.pictures import Comparison
from tests.support.wait import rest, wait_until

pytestmark = pytest.mark.thorough

Visit = Callable[[Page, str], Iterator[None]]
"""Walks through the site at an address, and stops at five moments."""
SIZE: ViewportSize = {"width": 640, "height": 480}
LARGE: ViewportSize = {"width": 1280, "height": 1000}
"""In which the player shows a page of that size as large as it was."""
ALIKE = 0.0002
"""The share of pixels in which the same moment may differ: 61 of them."""


class Moment(Struct, frozen=True):
    """A page as its visitor saw it."""

    at: float
    """Milliseconds since the epoch."""
    picture: bytes


def aside(page: Page) -> None:
    """Puts the pointer where nothing is: the browser draws its own buttons and boxes otherwise below it."""
    page.mouse.move(SIZE["width"] - 1, SIZE["height"] - 1)


def in_the_shop(page: Page, address: str) -> Iterator[None]:
    page.goto(address)
    yield
    page.get_by_role("link", name="Browse").click()
    page.get_by_label("What are you looking for?").fill("black tea")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Lapsang Souchong")).to_be_visible()
    yield
    page.goto(f"{address}/product/oolong")
    yield
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()
    yield
    page.get_by_role("link", name="Check out").click()
    page.get_by_label("Email").fill("tea@example.com")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield


def in_the_library(page: Page, address: str) -> Iterator[None]:
    page.goto(address)
    yield
    page.get_by_role("link", name="See all books").click()
    yield
    page.get_by_label("Kind").select_option("novel")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("2 found")).to_be_visible()
    yield
    page.get_by_role("row", name="Last Lighthouse").get_by_role("button").click()
    expect(page.get_by_role("heading", name="My list")).to_be_visible()
    yield
    page.get_by_role("link", name="Get a card").click()
    page.get_by_label("Full name").fill("Ada Reader")
    page.get_by_label("South").check()
    page.get_by_role("checkbox").check()
    aside(page)
    yield


def in_the_tickets(page: Page, address: str) -> Iterator[None]:
    page.goto(address)
    page.get_by_label("Filter").press_sequentially("coffee")
    expect(page.get_by_text("1 shown")).to_be_visible()
    yield
    page.get_by_label("Filter").fill("")
    page.get_by_label("Closed ones too").check()
    expect(page.get_by_text("3 shown")).to_be_visible()
    aside(page)
    yield
    page.get_by_role("link", name="Coffee machine is slow").click()
    page.get_by_label("Note").fill("Seen by the janitor")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Note 1")).to_be_visible()
    yield
    page.get_by_text("Close it").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("link", name="New", exact=True).click()
    page.get_by_text("high").click()
    aside(page)
    yield


def in_the_hotel(page: Page, address: str) -> Iterator[None]:
    page.goto(address)
    yield
    page.get_by_label("Guest").fill("Ada Guest")
    page.get_by_label("With breakfast").check()
    for _ in range(2):
        page.get_by_role("button", name="More nights").click()
    aside(page)
    yield
    page.get_by_test_id("next").click()
    expect(page.get_by_role("heading", name="Extras")).to_be_visible()
    expect(page.frame_locator("iframe[title=Wishes]").get_by_label("Quiet room")).to_be_visible()
    yield
    page.frame_locator("iframe[title=Parking]").get_by_label("Plate").fill("B-AD 4711")
    page.frame_locator("iframe[title=Parking]").get_by_role("button", name="Reserve").click()
    page.frame_locator("iframe[title=Wishes]").get_by_label("Quiet room").check()
    page.frame_locator("iframe[title=Wishes]").get_by_role("button", name="Keep wishes").click()
    yield
    page.get_by_role("link", name="Go to the summary").click()
    expect(page.get_by_role("heading", name="Summary")).to_be_visible()
    yield


@contextmanager
def served(name: str, recorder: Recorder) -> Iterator[str]:
    """One of the four sites, with the agent on its pages."""
    if name == "shop":
        with running_shop(collector=recorder.address, replay=1) as address:
            yield address
        return
    site = {"library": library.SITE, "hotel": panels.SITE}.get(name) or tickets.site()
    with serving(watched(site, recorder.line())) as address:
        yield address


def is_recorded(recorder: Recorder, since: float) -> bool:
    """Whether there is a picture of the page that began then."""
    return any(row.has_full_snapshot and row.first_at >= since for row in recorder.rows)


def seen(recorder: Recorder, page: Page, visit: Iterator[None]) -> list[Moment]:
    """The visit, with a picture of each moment."""
    found: list[Moment] = []
    for _ in visit:
        wait_until(partial(is_recorded, recorder, page.evaluate("performance.timeOrigin") / 1000))
        # What a page changes is told a moment later.
        rest(page)
        at = page.evaluate("Date.now()")
        found.append(Moment(at, pictures.of_page(page)))
        # What came before the picture is stored before the page is left.
        hide(page)
    page.goto("about:blank")
    wait_until(lambda: max(row.last_at for row in recorder.rows) * 1000 >= found[-1].at - 300)
    return found


def played(player: Page, replay: str, moment: Moment, begin: float, comparison: Comparison) -> bytes:
    """The player's picture of a moment, once it is as it should be; else what it shows after a while."""
    player.goto(f"{replay}?t={round(moment.at - begin)}")
    player.locator("html[data-replay=ready]").wait_for()
    shown: list[bytes] = []

    def alike() -> bool:
        shown[:] = [pictures.of_player(player, SIZE)]
        return comparison.differing(moment.picture, shown[0]) <= ALIKE

    # How different they are is said later, with both pictures.
    with suppress(AssertionError):
        wait_until(alike, timeout=20, page=player)
    return shown[0]


@pytest.fixture
def comparison(chrome: Browser) -> Iterator[Comparison]:
    """A page of its own, in which pictures are compared."""
    page = chrome.new_page()
    yield Comparison(page)
    page.context.close()


@pytest.mark.parametrize(
    ("site", "visit"),
    [("shop", in_the_shop), ("library", in_the_library), ("tickets", in_the_tickets), ("hotel", in_the_hotel)],
)
def test_a_recording_shows_what_its_visitor_saw(
    site: str,
    visit: Visit,
    recorder: Recorder,
    visitor: BrowserContext,
    page: Page,
    dashboard: str,
    comparison: Comparison,
    tmp_path: Path,
) -> None:
    page.set_viewport_size(SIZE)
    with served(site, recorder) as address:
        moments = seen(recorder, page, visit(page, address))
    player = visitor.new_page()
    player.set_viewport_size(LARGE)
    (recording,) = recorder.recordings
    assert recording.gaps == ()
    begin = min(row.first_at for row in recorder.rows) * 1000
    shown: list[bytes] = []
    for number, moment in enumerate(moments):
        replay = f"{dashboard}/sessions/{recording.session}/replay"
        shown.append(played(player, replay, moment, begin, comparison))
        for name, picture in (("live", moment.picture), ("played", shown[-1])):
            (tmp_path / f"{number}-{name}.png").write_bytes(picture)
    assert len(moments) == 5
    right = [comparison.differing(moment.picture, picture) for moment, picture in zip(moments, shown, strict=True)]
    wrong = [
        comparison.differing(moment.picture, picture) for moment, picture in zip(moments, shown[1:] + shown[:1], strict=True)
    ]
    assert max(right) <= ALIKE, (right, tmp_path)
    # The same comparison tells each moment from the next.
    assert min(wrong) > 2 * ALIKE, wrong
