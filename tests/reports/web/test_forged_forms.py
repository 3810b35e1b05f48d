"""Forms that a page elsewhere has a real browser send: the dashboard's own do what they say, all others nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Browser, Page, Playwright

from runner.browser.chromium import Browser as Program
from tests.support.services.dashboard import TOKEN, Visited, made
from tests.support.services.http_server import serving_handler
from tests.support.thorough import thorough_but

Start = Callable[..., Visited]
FORGED = """<!doctype html><title>elsewhere</title>
<form method="post" action="{action}" target="{target}"><input name="for" value="1h"><input name="token" value="{token}"></form>
<script>document.forms[0].submit()</script>"""
FRAMED = """<!doctype html><title>elsewhere</title><iframe name="frame" sandbox="allow-scripts allow-forms" srcdoc='{page}'></iframe>"""


class Elsewhere:
    """A site of somebody else, on a port of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.page = ""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = site.page.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving_handler(Handler) as address:
        site = Elsewhere(int(address.rpartition(":")[2]))
        yield site


@pytest.fixture(scope="module")
def browser(driver: Playwright, chromium: Program) -> Iterator[Browser]:
    """One to which every name in `.example` is this machine, by http: no such name is trusted with Sec-Fetch-Site."""
    rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
    opened = driver.chromium.launch(executable_path=chromium.path, args=[rules])
    yield opened
    opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def paused(served: Visited) -> bool:
    return bool(served.store.pauses.active(datetime.now(UTC)))


def send(page: Page, elsewhere: Elsewhere, address: str, action: str, framed: bool = False) -> dict[str, str]:
    """Has the browser open a page elsewhere that sends a form; the headers with which it came, as the dashboard saw them."""
    form = FORGED.format(action=action, target="_self", token=TOKEN)
    elsewhere.page = FRAMED.format(page=form) if framed else form
    with (
        page.expect_request(lambda one: one.url == action and one.method == "POST") as sent,
        page.expect_response(action) as got,
    ):
        page.goto(address)
    assert got.value.status == 403
    return sent.value.all_headers()


@pytest.mark.parametrize("host", thorough_but(1, ["evil.example", "127.0.0.1", "localhost"]))
@pytest.mark.parametrize("framed", [False, True])
def test_a_page_elsewhere_changes_nothing_on_a_dashboard_that_is_open_to_this_machine(
    dashboard: Start, elsewhere: Elsewhere, page: Page, host: str, framed: bool
) -> None:
    served = dashboard()
    served.store.add(made())
    sent = send(page, elsewhere, f"http://{host}:{elsewhere.port}/", f"{served.address}/journeys/buy/pause", framed)
    assert sent["sec-fetch-site"] in {"same-site", "cross-site"}
    assert sent["origin"] == ("null" if framed else f"http://{host}:{elsewhere.port}")
    assert not paused(served)


def test_a_page_elsewhere_signs_nobody_in(dashboard: Start, elsewhere: Elsewhere, page: Page) -> None:
    served = dashboard({"JOURNEY_SERVE_TOKEN": TOKEN})
    send(page, elsewhere, f"http://127.0.0.1:{elsewhere.port}/", f"{served.address}/sign-in")
    assert page.context.cookies() == []


@pytest.fixture
def plain(dashboard: Start) -> Visited:
    """A dashboard by plain http under a name of the network."""
    served = dashboard({"JOURNEY_SERVE_TOKEN": TOKEN, "JOURNEY_PUBLIC_URL": "http://monitor.example"})
    served.store.add(made())
    return served


def test_by_plain_http_a_form_of_ours_does_what_it_says(plain: Visited, page: Page) -> None:
    here = f"http://monitor.example:{plain.port}"
    page.goto(f"{here}/sign-in")
    page.get_by_role("textbox").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{here}/journeys/buy")
    with page.expect_request("**/pause") as sent:
        page.get_by_role("button", name="Pause").click()
    headers = sent.value.all_headers()
    assert ("sec-fetch-site" in headers, headers["origin"]) == (False, here), "nothing but Origin tells where it is from"
    page.get_by_role("button", name="Resume").wait_for()
    assert paused(plain)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def test_by_plain_http_a_page_elsewhere_changes_nothing(plain: Visited, elsewhere: Elsewhere, page: Page) -> None:
    here = f"http://monitor.example:{plain.port}"
    page.context.add_cookies([{"name": "journey", "value": plain.sign_in(token=TOKEN).partition("=")[2], "url": here}])
    # Of the same site, so that the browser sends the cookie along.
    sent = send(page, elsewhere, f"http://evil.monitor.example:{elsewhere.port}/", f"{here}/journeys/buy/pause")
    assert ("sec-fetch-site" in sent, "cookie" in sent) == (False, True)
    assert not paused(plain)
