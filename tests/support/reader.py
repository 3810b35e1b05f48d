"""Serves some of the dashboard's routes for a test, and looks at a page as a reader would."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import BrowserContext, Dialog, Page
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from reports.web.render.problem import render_not_found
from reports.web.server.bounded_http import ConnectionGuard
from reports.web.server.server import Server, open_socket


@contextmanager
def serving(routes: Sequence[BaseRoute]) -> Iterator[str]:
    """The address at which the routes are served, on a free port, until the block ends."""
    listening = open_socket("127.0.0.1:0")
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    application: Any = Starlette(routes=routes, exception_handlers={404: render_not_found})
    server = Server(application, ConnectionGuard(lambda _: None))
    thread = threading.Thread(target=server.serve_until_stopped, args=(listening,))
    thread.start()
    try:
        yield address
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


class Reader:
    """A browser that notes what goes wrong in a page."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.address = address
        self.wrong: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", self._refuse)
        self.page.on(
            "request",
            lambda asked: self.elsewhere.append(asked.url) if not asked.url.startswith((address, "data:")) else None,
        )

    def _refuse(self, dialog: Dialog) -> None:
        self.wrong.append(f"a dialog was opened: {dialog.message}")
        dialog.dismiss()

    def open(self, path: str) -> Page:
        """The page at a path."""
        self.page.goto(self.address + path)
        return self.page

    def assert_quiet(self) -> None:
        """Fails if the page complained, asked for something from elsewhere, or is wider than the window."""
        assert self.wrong == []
        assert self.elsewhere == []
        width, shown = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= shown, self.page.url
