"""A site of a few pages, each written by the test that needs it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

from tests.support.wait import PAUSE

Page = str | bytes | Callable[[BaseHTTPRequestHandler], None]
"""The HTML of a page, or what answers a request by itself."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: ClassVar[Mapping[str, Page]] = {}

    def _answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        page = self.pages.get(self.path.partition("?")[0])
        if callable(page):
            page(self)
            return
        content = page.encode() if isinstance(page, str) else page or b"nothing here"
        answer(self, content, status=404 if page is None else 200)

    do_GET = do_POST = _answer  # noqa: N815 (the names that http.server calls)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def answer(
    request: BaseHTTPRequestHandler, content: bytes, status: int = 200, kind: str = "text/html; charset=utf-8", **headers: str
) -> None:
    """Sends a whole answer."""
    request.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(content)


@contextmanager
def serving_pages(pages: Mapping[str, Page]) -> Iterator[str]:
    """Serves pages by their paths until the block ends; yields the site's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"pages": pages}))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(PAUSE,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
