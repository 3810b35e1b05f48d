"""How a page embeds the agent, what it may call, and what it may do to it."""

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import runner.page
from tests.support.engines import MEASURED
from tests.support.services.receiver import AGENT, Receiver, acts, leave, look_at, vitals
from tests.support.thorough import thorough_but
from tests.support.wait import let_pass, rest, wait_until


@pytest.mark.parametrize("how", thorough_but(1, ["", "defer", "async"]))
def test_the_script_may_be_embedded_in_any_way(page: Page, receiver: Receiver, how: str) -> None:
    look_at(page, receiver.page("<button>Go</button>", how=how))
    page.get_by_role("button").click()
    leave(page)
    view = receiver.view("/page")
    assert acts(view) == [("click", "button", "Go")]
    assert {"fcp", "ttfb"} <= set(vitals(view))
    assert "total" in view.phases


def test_a_site_can_report_errors_events_and_its_release(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page(release="1", environment="test", titles="on"))
    page.evaluate("""() => {
        journeyUser.reportError(new TypeError("caught"));
        journeyUser.reportError("a text");
        journeyUser.reportError();
        journeyUser.reportError({ toString() { throw new Error("mine") } });
        journeyUser.event("bought tea");
        journeyUser.event();
        journeyUser.setRelease("2");
    }""")
    leave(page)
    (beacon,) = receiver.wait()
    (view,) = beacon.views
    assert (beacon.release, beacon.environment, view.title) == ("2", "test", "Title")
    assert [(one.kind, one.type, one.message) for one in view.errors] == [
        ("reported", "TypeError", "caught"),
        ("reported", "", "a text"),
        ("reported", "", "no message"),
    ]
    assert acts(view) == [("custom", "", "bought tea"), ("custom", "", "")]


def test_a_hook_may_change_a_beacon_or_keep_it_back(page: Page, receiver: Receiver) -> None:
    before = "<script>window.journeyUser = { beforeSend: (beacon) => { beacon.views[0].url = 'https://a.example/clean'; } };</script>"
    page.goto(receiver.page(head=before, how="defer"))
    leave(page)
    assert receiver.wait()[0].views[0].url == "https://a.example/clean"
    for hook in ("() => null", "() => { throw new Error('broken') }", "async (beacon) => beacon"):
        page.goto(receiver.page(path="/other"))
        page.evaluate(f"journeyUser.beforeSend = {hook}; 0")
        leave(page)
    page.goto(receiver.page(path="/last"))
    page.evaluate("journeyUser.beforeSend = (beacon) => ({ ...beacon, environment: 'changed' }); 0")
    leave(page)
    assert [(beacon.views[0].url, beacon.environment) for beacon in receiver.wait(2)][1] == (
        f"{receiver.address}/last",
        "changed",
    )


def test_beacons_can_go_elsewhere(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page(endpoint="/somewhere/neutral"))
    leave(page)
    receiver.wait()
    assert receiver.arrived[0].path == "/somewhere/neutral"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"app": "my shop"}, 'data-app "my shop"'),
        ({"sample": "half"}, 'data-sample "half" is not between 0 and 1'),
        ({"slow": "-1"}, 'data-slow "-1" is not between 0 and 3600'),
    ],
)
def test_a_wrong_setting_is_named_on_the_console(page: Page, receiver: Receiver, data: dict[str, str], told: str) -> None:
    with page.expect_console_message() as message:
        page.goto(receiver.page(**data))
    assert told in message.value.text
    leave(page)
    if "app" not in data:
        receiver.wait()


def test_a_page_that_does_not_name_its_app_says_nothing(page: Page, receiver: Receiver) -> None:
    receiver.pages["/page"] = "<!doctype html><script src='/agent.js'></script>"
    with page.expect_console_message() as message:
        page.goto(f"{receiver.address}/page")
    assert 'data-app "undefined"' in message.value.text
    leave(page)
    let_pass(0.2, "nothing must arrive", page)
    assert receiver.arrived == []


def test_a_strict_content_security_policy_is_no_obstacle(page: Page, receiver: Receiver, tea_shop: str, engine: str) -> None:
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    look_at(page, f"{tea_shop}/switch/csp")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("done")).to_be_visible()
    leave(page)
    wait_until(lambda: any(view.ended for view in receiver.views), "the last beacon")
    # The policy forbids a picture and a style sheet: on a busy machine these errors are sent before the page is left.
    assert [act for view in receiver.views for act in acts(view)] == [("click", "button", "Go")]
    assert {name for view in receiver.views for name in vitals(view)} == MEASURED[engine]
    assert not [text for text in blocked if "agent.js" in text or "script" in text.lower() or "connect" in text]


SOURCES = Path(runner.page.__file__).parent / "agent" / "src" / "visitor"
HOSTILE = """<script>
window.performance = { now: () => 7, timeOrigin: 0, mark() {}, getEntriesByType: () => [] };
window.PerformanceObserver = function () { throw new Error("not yours"); };
window.fetch = XMLHttpRequest.prototype.open = navigator.sendBeacon = () => { throw new Error("not yours"); };
window.setTimeout = window.requestAnimationFrame = window.addEventListener = () => 0;
window.JSON = {};
Date.now = () => 3;
Array.prototype.map = Array.prototype.push = () => { throw new Error("not yours"); };
</script>"""


@pytest.mark.thorough
def test_a_page_that_replaces_what_is_the_browsers_is_told_of_all_the_same(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page("<button>Go</button>", head=HOSTILE, how=""))
    rest(page)
    page.get_by_role("button").click()
    rest(page)
    leave(page)
    view = receiver.view("/page")
    assert acts(view) == [("click", "button", "Go")]
    assert view.started_at > 1e9
    assert {"ttfb", "total"} <= set(view.phases)
    assert "lcp" in vitals(view)


def test_an_agent_that_comes_too_late_for_that_is_silent(page: Page, receiver: Receiver, tea_shop: str) -> None:
    page.goto(f"{tea_shop}/switch/hostile?delay=1")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("done")).to_be_visible()
    leave(page)


def test_an_old_library_that_changes_how_json_is_written_does_not_spoil_a_beacon(page: Page, receiver: Receiver) -> None:
    spoil = "<script>Array.prototype.toJSON = Object.prototype.toJSON = String.prototype.toJSON = () => 'spoilt';</script>"
    page.goto(receiver.page(head=spoil))
    leave(page)
    assert receiver.view("/page").id


def test_every_attribute_and_all_that_a_page_may_call_is_documented(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page())
    callable_names = set(page.evaluate("Object.keys(journeyUser)")) - {"release"}
    settings = (SOURCES / "settings.js").read_text()
    plain = re.search(r"export const \{ ([^}]+) \} = data;", settings)
    assert plain
    names = {*plain[1].split(", "), *re.findall(r"\bdata\.(\w+)", settings), *re.findall(r'number\("(\w+)"', settings)}
    documented = (Path(__file__).parents[4] / "docs" / "real-users.md").read_text()
    assert {name for name in names if f"| `data-{name}` |" not in documented} == set()
    assert {name for name in callable_names if f"| `journeyUser.{name}" not in documented} == set()
    assert len(names) == 11


def test_the_agent_is_small() -> None:
    assert len(gzip.compress(AGENT.read_bytes(), 9)) <= 10 * 1024
