"""Whose visit it is."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.reports.collector.agent.receiver import Receiver, acts, leave


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


@pytest.mark.parametrize(
    ("how", "same"), [("29 minutes ago", True), ("31 minutes ago", False), ("begun 4 hours ago", False), ("next week", False)]
)
def test_a_session_ends_after_half_an_hour_without_use_and_after_four_hours(
    page: Page, receiver: Receiver, how: str, same: bool
) -> None:
    page.goto(receiver.page("<button>Go</button>"))
    page.evaluate(
        """(how) => {
            const name = "journey-user/test/session";
            const [id, used] = localStorage.getItem(name).split("/");
            const old = (Date.now() - 4 * 3600e3).toString(16).padStart(12, "0");
            localStorage.setItem(name, {
                "29 minutes ago": `${id}/${used - 29 * 60e3}`,
                "31 minutes ago": `${id}/${used - 31 * 60e3}`,
                "begun 4 hours ago": `${old.slice(0, 8)}-${old.slice(8)}${id.slice(13)}/${used}`,
                "next week": `${id}/${+used + 7 * 86400e3}`,
            }[how]);
        }""",
        how,
    )
    page.get_by_role("button").click()
    leave(page)
    beacons = receiver.wait(1 if same else 2)
    views = sorted((view for beacon in beacons for view in beacon.views), key=lambda view: view.started_at)
    assert [view.type for view in views] == (["navigate"] if same else ["navigate", "restore"])
    assert len({beacon.session for beacon in beacons}) == (1 if same else 2)
    assert acts(views[-1]) == [("click", "button", "Go")]


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
    ("sample", "last", "told"), [("0.5", "7fffffff", True), ("0.5", "80000000", False), ("0", "00000000", False)]
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
    page.wait_for_timeout(300)
    assert len(receiver.arrived) == (2 if told else 0)
