"""A site that keeps what it was asked for, so that a test sees which requests had which headers, and which preflights there were."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from msgspec import Struct

from tests.support.services.http_server import serving_handler


class Seen(Struct, frozen=True):
    """A request, as a site got it."""

    method: str
    path: str
    headers: dict[str, str]


class Site:
    """A site of its own origin, which keeps what it was asked for."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.seen: list[Seen] = []
        self.page = ""
        self.redirects: dict[str, str] = {}

    def header(self, path: str, name: str = "traceparent") -> str | None:
        """A header of the request for a path."""
        return next(one.headers.get(name) for one in self.seen if one.path == path and one.method != "OPTIONS")


@contextmanager
def serving_notes() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Any page, script or datum; or a redirect."""
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            site.seen.append(Seen(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}))
            target = site.redirects.get(self.path)
            body = site.page.encode() if self.path in {"/", "/more"} else b""
            self.send_response(302 if target else 200)
            if target:
                self.send_header("Location", target)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "*")
            self.send_header("Content-Type", "text/html" if body else "text/javascript")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_OPTIONS = do_GET  # noqa: N815 (the protocol's)

    with serving_handler(Handler) as address:
        site = Site(address)
        yield site
