"""Playwright's own trace viewer, served with one trace on a loopback port, so that it opens offline in any browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from runner.errors import RunNotFound

TRACE = "/trace.zip"


def viewer_folder() -> Path:
    """Where the playwright package keeps the viewer's files. Raises RunNotFound when it has none."""
    package = find_spec("playwright")
    folder = (
        Path(package.origin).parent / "driver" / "package" / "lib" / "vite" / "traceViewer"
        if package and package.origin
        else None
    )
    if folder is None or not (folder / "index.html").is_file():
        raise RunNotFound(
            f"Playwright's trace viewer is not in {folder}; install playwright again, or open the trace on trace.playwright.dev"
        )
    return folder


class _Handler(SimpleHTTPRequestHandler):
    """Serves the viewer's folder, and the one trace under TRACE; nothing else of the disk."""

    def __init__(self, *args: Any, trace: Path, viewer: Path, **kwargs: Any) -> None:
        self._trace = trace
        super().__init__(*args, directory=str(viewer), **kwargs)

    def translate_path(self, path: str) -> str:
        """The file behind an address."""
        if unquote(urlsplit(path).path) == TRACE:
            return str(self._trace)
        return super().translate_path(path)

    def list_directory(self, path: Any) -> None:
        """Folders are not listed."""
        self.send_error(HTTPStatus.NOT_FOUND, f"no page at {Path(path).name}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Requests are not logged: the terminal belongs to the person who opened the trace."""


@contextmanager
def serving(trace: Path, port: int = 0) -> Iterator[str]:
    """Serves the viewer on 127.0.0.1 (a free port for 0) while the block runs; yields the address that shows the trace."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, trace=trace, viewer=viewer_folder()))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        yield f"{address}/index.html?trace={address}{TRACE}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
