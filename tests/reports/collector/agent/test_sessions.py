"""Whose visit it is."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.reports.collector.agent.conftest import close_quietly
from tests.support.engines import UNCHANGED
from tests.support.services.receiver import Receiver, acts, leave
from tests.support.thorough import thorough_but
from tests.support.wait import let_pass


def test_a_visit_is_one_session_in_all_tabs_and_without_a_cookie(visitor: BrowserContext, receiver: Receiver) -> None:
    address = receiver.page()
    for _ in range(2):
        tab = visitor.new_page()
        tab.goto(address)
        tab.goto(address)
        leave(tab)
    beacons = receiver.wait(4)
    assert len({beacon.session for beacon in beacons}) == 1
    assert len({beacon.views[0].id for beacon in beacons}) == 4
    assert visitor.cookies() == []


def test_tabs_of_another_test_are_not_heard_when_they_are_closed(
    visitor: BrowserContext, page: Page, receiver: Receiver
) -> None:
    browser = visitor.browser
    assert browser
    earlier = browser.new_context(**UNCHANGED)
    tab = earlier.new_page()
    tab.goto(receiver.page("<button>Go</button>", path="/earlier"))
    tab.get_by_role("button").click()
    close_quietly(earlier)
    page.goto(receiver.page())
    leave(page)
    receiver.wait()
    let_pass(0.3, "nothing more must arrive", page)
    assert [urlsplit(view.url).path for view in receiver.views] == ["/page"]


CLOCK = """const now = Date.now;
window.later = 0;
Date.now = () => now() + window.later;"""


@pytest.mark.parametrize(
    ("minutes", "sessions"),
    thorough_but(2, [([29], 1), ([31], 2), ([29, 29], 1), ([29] * 8, 1), ([29] * 9, 2), ([-60], 2)]),
    ids=["29 minutes", "31 minutes", "twice 29", "3 h 52", "4 h 21", "a clock that is set back"],
)
def test_a_session_ends_after_half_an_hour_without_use_and_after_four_hours(
    visitor: BrowserContext, page: Page, receiver: Receiver, minutes: list[int], sessions: int
) -> None:
    visitor.add_init_script(CLOCK)
    page.goto(receiver.page("<button>Go</button>"))
    for passed in minutes:
        page.evaluate(f"window.later += {passed} * 60e3")
        page.get_by_role("button").click()
    leave(page)
    beacons = receiver.wait(sessions)
    views = sorted((view for beacon in beacons for view in beacon.views), key=lambda view: view.type)
    assert [view.type for view in views] == ["navigate", "restore"][:sessions]
    assert len({beacon.session for beacon in beacons}) == sessions
    assert acts(views[-1])[-1] == ("click", "button", "Go")
    assert sum(view.interaction_counts.get("click", 0) for view in views) == len(minutes)


BLOCKED = """for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
}"""


def test_where_storage_is_blocked_a_page_is_a_session(visitor: BrowserContext, page: Page, receiver: Receiver) -> None:
    visitor.add_init_script(BLOCKED)
    page.goto(receiver.page("<button>Go</button>"))
    page.get_by_role("button").click()
    page.evaluate("history.pushState({}, '', '/next')")
    leave(page)
    (beacon,) = receiver.wait()
    assert [view.type for view in beacon.views] == ["navigate", "soft"]


@pytest.mark.parametrize(
    ("sample", "last", "told"),
    thorough_but(1, [("0.5", "7fffffff", True), ("0.5", "80000000", False), ("0", "00000000", False)]),
)
def test_a_session_is_in_the_sample_or_not_by_its_id_alone(
    page: Page, receiver: Receiver, sample: str, last: str, told: bool
) -> None:
    address = receiver.page("<button>Go</button>", sample=sample)
    page.goto(receiver.page(path="/first", storage="off", sample="0"))
    page.evaluate(
        """(last) => {
            const now = Date.now().toString(16).padStart(12, "0");
            localStorage.setItem("journey-user/test/session", `${now.slice(0, 8)}-${now.slice(8)}-7000-8000-0000${last}/${Date.now()}`);
        }""",
        last,
    )
    for _ in range(2):
        page.goto(address)
        page.get_by_role("button").click()
    leave(page)
    receiver.wait(2 if told else 0)
    let_pass(0.3, "no more must arrive", page)
    assert len(receiver.arrived) == (2 if told else 0)
