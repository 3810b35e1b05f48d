"""Errors, and requests that failed or took long."""

from playwright.sync_api import Page, expect

from tests.support.services.receiver import Receiver, leave
from tests.support.wait import rest


def listen(page: Page) -> None:
    """Has the page count its errors."""
    page.add_init_script(
        "window.errors = 0; for (const type of ['error', 'unhandledrejection']) addEventListener(type, () => errors++, true);"
    )


def wait_for_errors(page: Page, count: int) -> None:
    """Waits until there have been so many errors, and everybody has heard of them."""
    page.wait_for_function("(count) => errors >= count", arg=count)


def test_errors_are_told_with_their_place_and_counted(page: Page, receiver: Receiver, tea_shop: str) -> None:
    listen(page)
    page.goto(f"{tea_shop}/switch/onerror")
    page.get_by_role("button", name="Go").click(click_count=2)
    page.get_by_role("button", name="Reject").click()
    page.evaluate("setTimeout(() => { throw 'only a text'; })")
    page.evaluate("Promise.reject(undefined); 1")
    wait_for_errors(page, 6)
    leave(page)
    errors = {(error.kind, error.type, error.message): error for error in receiver.view("/switch/onerror").errors}
    assert set(errors) == {
        ("error", "RangeError", "the lid does not fit"),
        ("error", "TypeError", "and so did this one"),
        ("error", "", "only a text"),
        ("unhandled-rejection", "SyntaxError", "no such leaf"),
        ("unhandled-rejection", "", "no message"),
    }
    lid = errors["error", "RangeError", "the lid does not fit"]
    assert (lid.count, lid.source) == (2, f"{tea_shop}/switch/onerror")
    assert lid.line > 0
    assert lid.column > 0
    assert "go.onclick" in lid.stack


def test_an_error_before_the_agent_was_loaded_is_told_where_the_page_collects_them(
    page: Page, receiver: Receiver, tea_shop: str
) -> None:
    page.goto(f"{tea_shop}/switch/js-error")
    leave(page)
    (error,) = receiver.view("/switch/js-error").errors
    assert (error.kind, error.message, error.count) == ("error", "the kettle is empty", 1)


def test_resources_that_cannot_be_loaded_are_told_once_each(page: Page, receiver: Receiver) -> None:
    # One has failed when the agent comes, the others fail later.
    receiver.pages["/page"] = """<!doctype html><script>
        const add = (tag, what) => document.body.append(Object.assign(document.createElement(tag), what));
        const agent = () => {
            add("script", { src: "/agent.js", onload: others });
            document.querySelector("script[src]").dataset.app = "test";
        };
        const others = () => { add("img", { src: "/a.png" }); add("script", { src: "/b.js" }); };
        </script><link rel="stylesheet" href="/early.css?token=1" onerror="agent()"><body>A page"""
    listen(page)
    page.goto(f"{receiver.address}/page")
    wait_for_errors(page, 3)
    rest(page)
    page.evaluate("document.body.append(Object.assign(new Image(), { src: '/late.png' }))")
    wait_for_errors(page, 4)
    leave(page)
    errors = receiver.view("/page").errors
    assert {error.kind for error in errors} == {"resource"}
    assert sorted((error.source.removeprefix(receiver.address), error.count) for error in errors) == [
        ("/a.png", 1),
        ("/b.js", 1),
        ("/early.css", 1),
        ("/late.png", 1),
    ]


def test_failed_and_slow_requests_are_told_and_no_others(page: Page, receiver: Receiver, tea_shop: str) -> None:
    page.goto(f"{tea_shop}/switch/requests?delay=1050")
    page.click("#go")
    expect(page.get_by_text("done")).to_be_visible()
    rest(page)
    leave(page)
    requests = receiver.view("/switch/requests").requests
    assert [(one.method, one.kind, one.url.removeprefix(tea_shop), one.status, one.failure) for one in requests] == [
        ("POST", "fetch", "/api/none", 404, ""),
        ("PUT", "fetch", "http://127.0.0.1:9/away", 0, "network error"),
        ("GET", "fetch", "/api/wait", 200, ""),
        ("GET", "xhr", "/switch/error", 503, ""),
    ]
    assert requests[2].duration_seconds >= 1.05
    assert all(one.at_seconds > 0 for one in requests)


def test_the_pages_own_handling_of_requests_is_left_alone(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page(slow="0.05"))
    found = page.evaluate("""async () => {
        const rejected = [];
        addEventListener("unhandledrejection", (event) => rejected.push(event.reason.name));
        const handled = await fetch("http://127.0.0.1:9/a").catch((error) => error.name);
        fetch("http://127.0.0.1:9/b");
        const wrong = await fetch("http://[").catch((error) => error.name);
        await new Promise((resolve) => setTimeout(resolve, 100));
        const xhr = new XMLHttpRequest();
        let opened;
        try { xhr.open("GET"); } catch (error) { opened = error.name; }
        return [handled, wrong, rejected, opened, typeof fetch, fetch.name, XMLHttpRequest.prototype.open.length];
    }""")
    assert found == ["TypeError", "TypeError", ["TypeError"], "TypeError", "function", "fetch", 2]
