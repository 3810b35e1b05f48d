"""Playwright's own trace viewer, served with one trace on a loopback port, so that it opens offline in any browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import HTTPServer, SimpleHTTPRequestHandler
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

from runner.archive.zip_errors import ZIP_ERRORS
from runner.errors import RunNotFound
from runner.scheduler.bounded_server import BoundedThreads
from runner.untrusted_text import decode_strictly

TRACE = "/trace.zip"
HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


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


class _Server(BoundedThreads, HTTPServer):
    within = 600.0


class _Handler(SimpleHTTPRequestHandler):
    """Serves the viewer's folder, and the one trace under TRACE; nothing else of the disk.

    Only under a name of this machine: a page elsewhere could point its own name here and read the trace (DNS rebinding).
    """

    timeout = 30
    """Seconds without a byte."""

    def __init__(self, *args: Any, trace: Path, viewer: Path, **kwargs: Any) -> None:
        self._trace = trace
        super().__init__(*args, directory=str(viewer), **kwargs)

    def parse_request(self) -> bool:
        """Whether the request is answered."""
        if not super().parse_request():
            return False
        port = self.connection.getsockname()[1]
        if self.headers.get_all("Host") not in ([f"127.0.0.1:{port}"], [f"localhost:{port}"]):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, f"open it as http://127.0.0.1:{port}")
            return False
        return True

    def end_headers(self) -> None:
        """Ends the headers; no page elsewhere frames or loads the trace, and nothing keeps it."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

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


class _Line(msgspec.Struct, frozen=True):
    """The part of a line of a trace that says which step it belongs to."""

    type: str
    callId: str = ""  # noqa: N815 (Playwright's name)
    title: str = ""
    method: str = ""
    parentId: str | None = None  # noqa: N815 (Playwright's name)


_LINE = msgspec.json.Decoder(_Line)


def cut(trace: Path, step: str, target: Path) -> None:
    """Writes `trace` with the actions of one step only to `target`. Raises RunNotFound, naming the steps, if it has none such.

    Snapshots stay: one may stand for parts of those before it. Raises RunNotFound also for a file that is not a trace.
    """
    try:
        _cut(trace, step, target)
    except (*ZIP_ERRORS, msgspec.DecodeError) as error:
        raise RunNotFound(
            f"the trace {trace} cannot be read: {error}; it is damaged, or not a trace of Playwright's"
        ) from error


def _cut(trace: Path, step: str, target: Path) -> None:
    with ZipFile(trace) as source, ZipFile(target, "w", ZIP_DEFLATED, compresslevel=1) as cut_out:
        names = source.namelist()
        lines = {name: source.read(name).splitlines() for name in names if name.endswith(".trace")}
        decoded = {name: [decode_strictly(line, _LINE) for line in found] for name, found in lines.items()}
        begun = [line for found in decoded.values() for line in found if line.type == "before"]
        groups = {line.callId: line.title for line in begun if line.method == "tracingGroup"}
        kept = {call for call, title in groups.items() if title == step}
        if not kept:
            there = f"it has: {', '.join(map(repr, groups.values()))}" if groups else "it has none"
            raise RunNotFound(f"the trace {trace} has no step {step!r}; {there}")
        kept |= {line.callId for line in begun if line.parentId in kept}
        for name in names:
            if name not in lines:
                cut_out.writestr(name, source.read(name))
                continue
            chosen = [
                line
                for line, found in zip(lines[name], decoded[name], strict=True)
                if found.type not in {"before", "after", "input", "log"} or found.callId in kept
            ]
            cut_out.writestr(name, b"\n".join(chosen))


@contextmanager
def serving(trace: Path, port: int = 0) -> Iterator[str]:
    """Serves the viewer on 127.0.0.1 (a free port for 0) while the block runs; yields the address that shows the trace."""
    server = _Server(("127.0.0.1", port), partial(_Handler, trace=trace, viewer=viewer_folder()))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        yield f"{address}/index.html?trace={address}{TRACE}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
