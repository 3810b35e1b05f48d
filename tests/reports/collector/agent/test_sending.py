"""When beacons are sent, how large they are, and what becomes of those that cannot be."""

import json

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.support.services.receiver import HIDE, SHOW, Receiver, acts, leave
from tests.support.wait import let_pass, rest, wait_until

HURRY = """const native = window.setTimeout;
window.setTimeout = (f, after) => native(f, after >= 5000 ? after / 20 : after);"""
"""Five seconds are over after a quarter of one, half a minute after one and a half."""

HURRY_ERRORS = HURRY.replace("after >= 5000", "after === 5000")
"""Only the five seconds after an error are short: nothing else may send it first, however long the test's own steps take."""

PENDING = """const native = fetch;
window.pending = 0;
window.fetch = (...all) => {
    const answer = native(...all);
    pending++;
    answer.catch(() => {}).finally(() => pending--);
    return answer;
};"""
"""Counts the requests that have no answer yet."""


def stored(page: Page) -> list[str]:
    """What the agent has in the browser's storage."""
    keys: list[str] = page.evaluate("Object.keys(localStorage)")
    return keys


def test_a_new_error_is_sent_while_the_page_is_still_looked_at(visitor: BrowserContext, page: Page, receiver: Receiver) -> None:
    visitor.add_init_script(HURRY_ERRORS)
    page.goto(receiver.page("<button id=go onclick='nothing.at.all()'>Go</button>"))
    page.click("#go")
    (beacon,) = receiver.wait()
    assert [error.type for error in beacon.views[0].errors] == ["ReferenceError"]
    page.click("#go")
    let_pass(0.5, "an error that is known must not be sent at once", page)
    assert len(receiver.arrived) == 1
    leave(page)
    first, again = receiver.wait(2)
    assert first.id != again.id
    assert (first.views[0].id, first.views[0].errors[0].count) == (again.views[0].id, again.views[0].errors[0].count)


@pytest.mark.thorough
def test_a_page_that_stays_open_tells_what_is_new_after_half_a_minute(
    visitor: BrowserContext, page: Page, receiver: Receiver
) -> None:
    visitor.add_init_script(HURRY)
    page.goto(receiver.page("<button>Go</button>"))
    (beacon,) = receiver.wait()
    assert beacon.views[0].phases["total"] > 0
    assert not beacon.views[0].ended
    let_pass(2, "nothing must be sent when half a minute is over and there is nothing new", page)
    assert len(receiver.arrived) == 1
    page.get_by_role("button").click()
    _, later = receiver.wait(2)
    assert (later.views[0].id, later.views[0].interaction_counts) == (beacon.views[0].id, {"click": 1})
    assert later.views[0].phases == {}


@pytest.mark.thorough
def test_how_long_loading_took_is_told_later_where_the_page_was_told_of_before(
    visitor: BrowserContext, page: Page, receiver: Receiver, tea_shop: str
) -> None:
    visitor.add_init_script(HURRY)
    page.goto(receiver.page(f"<img src='{tea_shop}/api/wait?delay=1500'><script>nothing.at.all()</script>", how=""))
    early, late = (beacon.views[0] for beacon in receiver.wait(2))
    assert early.id == late.id
    assert "total" not in early.phases
    assert late.phases["total"] >= 1.5


@pytest.mark.thorough
def test_a_beacon_never_has_more_than_60000_bytes(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page("<button>Go</button>"))
    for number in range(12):
        page.evaluate(
            """(number) => {
                const long = "\\u2603\\ud83c\\udf75\\u0001".repeat(2000);
                journeyUser.reportError(Object.assign(new Error(`${number} ${long}`), { stack: long }));
                journeyUser.event(`${number} ${long}`);
            }""",
            number,
        )
        # A browser hands over no more than 64 KiB at a time.
        rest(page)
    leave(page)
    wait_until(lambda: sum(len(view.errors) for view in receiver.views) == 12)
    assert len(receiver.arrived) > 3
    assert 30_000 < max(len(one.body) for one in receiver.arrived) <= 60_000
    assert sum(view.interaction_counts["custom"] for view in receiver.views) == 12
    assert len({view.id for view in receiver.views}) == 1


def test_what_a_hook_makes_too_large_is_not_sent_and_named(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page())
    page.evaluate("journeyUser.beforeSend = (beacon) => ({ ...beacon, environment: 'x'.repeat(70_000) }); 0")
    with page.expect_console_message() as message:
        page.evaluate(HIDE)
    assert "beforeSend: over 60000 bytes" in message.value.text
    let_pass(0.2, "nothing must arrive", page)
    assert receiver.arrived == []


def test_what_cannot_be_sent_is_kept_for_the_next_page(visitor: BrowserContext, page: Page, receiver: Receiver) -> None:
    address = receiver.page("<button>Go</button>")
    page.goto(address)
    page.get_by_role("button").click()
    visitor.set_offline(True)
    leave(page)
    let_pass(0.2, "nothing must arrive", page)
    assert receiver.arrived == []
    visitor.set_offline(False)
    page.goto(address)
    (late,) = receiver.wait()
    assert acts(late.views[0]) == [("click", "button", "Go")]
    assert late.sent_at - late.views[0].started_at >= 2
    wait_until(lambda: stored(page) == ["journey-user/test/session"], "what was kept to be forgotten")


def test_a_page_that_is_online_again_sends_what_it_kept(visitor: BrowserContext, page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page("<button>Go</button>"))
    visitor.set_offline(True)
    page.get_by_role("button").click()
    page.evaluate(HIDE)
    page.evaluate(SHOW)
    page.get_by_role("button").click()
    page.evaluate(HIDE)
    let_pass(0.2, "nothing must arrive", page)
    assert receiver.arrived == []
    visitor.set_offline(False)
    beacons = receiver.wait(2)
    assert [beacon.views[0].interaction_counts for beacon in beacons] == [{"click": 1}, {"click": 1}]


@pytest.mark.thorough
def test_what_a_server_did_not_take_is_sent_again_with_the_same_id(
    visitor: BrowserContext, page: Page, receiver: Receiver
) -> None:
    visitor.add_init_script("navigator.sendBeacon = () => false")
    receiver.status = 503
    address = receiver.page()
    page.goto(address)
    leave(page)
    (refused,) = receiver.wait()
    receiver.status = 202
    page.goto(address)
    _, again = receiver.wait(2)
    assert (refused.id, refused.views) == (again.id, again.views)
    receiver.status = 422
    leave(page)
    receiver.wait(3)
    page.goto(address)
    receiver.wait(4)
    wait_until(lambda: stored(page) == ["journey-user/test/session"], "what is wrong to be forgotten: it stays wrong")


@pytest.mark.thorough
def test_what_is_kept_has_a_bound_of_size_and_of_age(visitor: BrowserContext, page: Page, receiver: Receiver) -> None:
    visitor.add_init_script(f"navigator.sendBeacon = () => false; {PENDING}")
    receiver.status = 503
    page.goto(receiver.page())
    page.evaluate("""() => {
        const long = "tea ".repeat(250);
        for (let i = 0; i < 60; i++) journeyUser.reportError(Object.assign(new Error(`${i} ${long}`), { stack: long.repeat(3) }));
    }""")
    page.evaluate(HIDE)
    page.wait_for_function("pending === 0")
    leave(page)
    receiver.status = 202
    receiver.arrived.clear()
    page.goto(receiver.page())
    kept = page.evaluate("localStorage.getItem('journey-user/test/unsent')")
    assert 60_000 < len(kept) <= 120_000
    old = [{**one, "at": one["at"] - 25 * 3600e3} for one in json.loads(kept)]
    page.evaluate(
        "(old) => localStorage.setItem('journey-user/test/unsent', old)", json.dumps([*old[:-1], json.loads(kept)[-1]])
    )
    (beacon,) = receiver.wait()
    assert beacon.id == old[-1]["id"]
    let_pass(1.3, "what is too old must not be sent a second later", page)
    assert len(receiver.arrived) == 1
