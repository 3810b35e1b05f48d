"""What never leaves the page."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.support.services.receiver import Receiver, leave, look_at, vitals
from tests.support.wait import wait_until

CANARY = "Xyloph0ne-Canary"


def typed_everywhere(page: Page, tea_shop: str) -> None:
    """Types the canary into everything that takes a text, and has it searched for, sent and asked for."""
    page.goto(f"{tea_shop}/switch/fields#{CANARY}")
    for field in ("Name", "Secret", "Note", "Leaves"):
        page.get_by_label(field).fill(CANARY)
        page.get_by_label(field).press("End")
        page.get_by_label(field).press("Enter")
    page.locator(".greeting").press_sequentially(CANARY)
    page.locator(".greeting a").click()
    page.locator("#tile").click()
    page.get_by_test_id("send-order").click()
    page.goto(f"{tea_shop}/search?q={CANARY}")
    page.get_by_role("searchbox").fill(f"{CANARY} again")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**again**")
    page.goto(f"{tea_shop}/login?next=/{CANARY}")
    page.get_by_label("Email").fill(f"{CANARY}@example.com")
    page.get_by_label("Password").fill(CANARY)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{tea_shop}/app?delay=0&user={CANARY}")
    page.get_by_label("What are you looking for?").fill(CANARY)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("0 found")).to_be_visible()
    page.evaluate(f"fetch('/api/none?key={CANARY}').then(() => {{ history.pushState({{}}, '', '/app/x?{CANARY}#{CANARY}'); }})")
    page.wait_for_url(f"**/app/x?{CANARY}**")


def test_nothing_that_is_typed_leaves_the_page(page: Page, receiver: Receiver, tea_shop: str) -> None:
    typed_everywhere(page, tea_shop)
    leave(page)
    wait_until(lambda: any(view.url.endswith("/app/x") for view in receiver.views))
    everything = b"\n".join(one.body for one in receiver.arrived)
    assert sum(len(view.interactions) for view in receiver.views) >= 12
    assert CANARY.lower().encode() not in everything.lower()
    assert b"Xyloph" not in everything


def test_the_search_for_what_is_typed_can_find_it(page: Page, receiver: Receiver, tea_shop: str) -> None:
    page.goto(f"{tea_shop}/switch/fields")
    page.get_by_label("Name").fill(CANARY)
    page.evaluate("journeyUser.event(order.name.value)")
    leave(page)
    assert receiver.view("/switch/fields").interactions[-1].name == CANARY
    assert CANARY.encode() in receiver.arrived[0].body


def test_addresses_lose_their_query_but_for_the_keys_that_are_allowed(page: Page, receiver: Receiver) -> None:
    script = """throw Object.assign(new Error("cannot read https://me:pw@a.example/x.js?token=1 at all"),
      { stack: "Error\\n    at f (https://a.example/x.js?v=3&token=1:10:5)\\n    at https://a.example/y.js#z:7:1" })"""
    address = receiver.page(
        f"<a href='/page?tab=2'>on</a><script>addEventListener('load', () => {{ {script} }})</script>", query="tab, lang"
    )
    page.goto(f"{address}?tab=1&token=secret&lang=d%C3%A9#secret")
    page.get_by_role("link").click()
    page.wait_for_url("**tab=2")
    leave(page)
    first, second = (beacon.views[0] for beacon in receiver.wait(2))
    assert (first.url, second.url) == (f"{address}?tab=1&lang=d%C3%A9", f"{address}?tab=2")
    assert second.referrer == first.url
    assert first.errors[0].message == "cannot read https://a.example/x.js at all"
    assert first.errors[0].stack == "Error\n    at f (https://a.example/x.js:10:5)\n    at https://a.example/y.js:7:1"
    assert not any(b"secret" in one.body or b"token" in one.body for one in receiver.arrived)


def test_who_asks_for_privacy_is_counted_and_not_followed(visitor: BrowserContext, page: Page, receiver: Receiver) -> None:
    visitor.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })")
    address = receiver.page("<button data-testid='go'>Go</button>", titles="on")
    look_at(page, address)
    page.get_by_role("button").click()
    page.evaluate("journeyUser.event('bought tea'); history.pushState({}, '', '/next')")
    page.goto(address)
    leave(page)
    beacons = receiver.wait(3)
    assert len({beacon.session for beacon in beacons}) == 3
    assert page.evaluate("location.href") == "about:blank"
    first = next(beacon.views[0] for beacon in beacons if beacon.views[0].interactions)
    assert first.interaction_counts == {"click": 1, "custom": 1}
    assert [one.element for one in first.interactions] == ["", ""]
    assert [(one.type, one.role, one.name, one.test_id) for one in first.interactions] == [
        ("click", "button", "", ""),
        ("custom", "", "", ""),
    ]
    assert {"fcp", "ttfb"} <= set(vitals(first))
    assert {view.referrer + view.title for view in receiver.views} == {""}
    page.goto(address)
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_a_site_may_leave_privacy_control_aside_and_may_store_nothing(
    visitor: BrowserContext, page: Page, receiver: Receiver
) -> None:
    visitor.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })")
    page.goto(receiver.page(gpc="ignore"))
    assert page.evaluate("Object.keys(localStorage)") == ["journey-user/test/session"]
    page.evaluate("localStorage.clear()")
    page.goto(receiver.page(gpc="ignore", storage="off"))
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    leave(page)
    wait_until(lambda: len({beacon.session for beacon in receiver.beacons}) == 2, "a session of each of both pages")
