"""A server that takes beacons as the collector does, and keeps them; it serves the agent, and pages of a test's own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from playwright.sync_api import Page

import reports.collector
from reports.collector.beacon import Beacon, View, decode_beacon
from tests.support.wait import PAUSE, rest, wait_until

AGENT = Path(reports.collector.__file__).parent / "agent.js"


class Arrived(Struct, frozen=True):
    """One body, as it came."""

    path: str
    media_type: str
    user_agent: str
    body: bytes

    @property
    def beacon(self) -> Beacon:
        """What it says. Raises msgspec.ValidationError when it is none of ours."""
        return decode_beacon(self.body)


class Receiver:
    """What has arrived since the test began."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.arrived: list[Arrived] = []
        self.status = 202
        self.pages: dict[str, str] = {}
        self.judges_clicks = False
        """Whether pages get what looks for dead clicks: on a busy machine, others' clicks would be dead too."""

    def page(self, body: str = "<h1>A page</h1>", head: str = "", path: str = "/page", how: str = "defer", **data: str) -> str:
        """Serves a page that has the agent with these `data-` attributes; returns its address."""
        attributes = " ".join(f'data-{name}="{value}"' for name, value in {"app": "test", **data}.items())
        script = f'<script src="/agent.js" {attributes} {how}></script>'
        self.pages[path] = f"<!doctype html><html><head><title>Title</title>{script}{head}</head><body>{body}</body></html>"
        return self.address + path

    @property
    def beacons(self) -> list[Beacon]:
        """All beacons, in the order in which they came; each is checked."""
        return [one.beacon for one in self.arrived]

    @property
    def views(self) -> list[View]:
        """The views of all beacons."""
        return [view for beacon in self.beacons for view in beacon.views]

    def wait(self, count: int = 1) -> list[Beacon]:
        """The beacons, once there are so many."""
        wait_until(lambda: len(self.arrived) >= count)
        return self.beacons

    def view(self, path: str) -> View:
        """What is told of the only view of a page, in one beacon."""
        wait_until(lambda: any(urlsplit(view.url).path == path for view in self.views))
        (view,) = [view for view in self.views if urlsplit(view.url).path == path]
        return view


class _Server(ThreadingHTTPServer):
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"", media_type: str = "text/html; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/views":
            # For journeys, which run in another process.
            self._answer(200, str(len(self.server.receiver.views)).encode())
        elif path in {"/agent.js", "/clicks.js", "/trace.js"}:
            judges = path != "/clicks.js" or self.server.receiver.judges_clicks
            script = AGENT.with_name(path[1:]).read_bytes() if judges else b"export const watch = () => {};"
            self._answer(200, script, "text/javascript; charset=utf-8")
        elif path in self.server.receiver.pages:
            self._answer(200, self.server.receiver.pages[path].encode())
        else:
            self._answer(404, b"nothing here")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.receiver.arrived.append(Arrived(self.path, self.headers["Content-Type"], self.headers["User-Agent"], body))
        self._answer(self.server.receiver.status)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Runs a receiver on a free port of loopback."""
    server = _Server(("127.0.0.1", 0), _Handler)
    receiver = server.receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(PAUSE,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


HIDE = """() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    delete document.visibilityState;
}"""
"""A tab that is put into the background, and comes back without an event: headless Chromium has no background."""
SHOW = 'document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))'


def look_at(page: Page, address: str) -> None:
    """Opens a page and looks at it for a moment, after something was painted."""
    page.goto(address)
    # Not `wait_for_function`: its second look would be an `eval` by the page, which a strict content policy forbids.
    page.evaluate(
        "new Promise((resolve) => { const look = () => performance.getEntriesByName('first-contentful-paint').length "
        "? resolve() : setTimeout(look, 20); look(); })"
    )
    # When the page has nothing to do, the agent begins to watch its vitals.
    rest(page)


def leave(page: Page) -> None:
    """Leaves the page, as a visitor does who goes to another site."""
    page.goto("about:blank")


def vitals(view: View) -> dict[str, float]:
    """The values of a view's vitals."""
    return {vital.name: vital.value for vital in view.vitals}


def acts(view: View) -> list[tuple[str, str, str]]:
    """What was done: type, role and name."""
    return [(one.type, one.role, one.name) for one in view.interactions]
