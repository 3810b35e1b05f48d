"""What a context's pages said and what went wrong in them: console messages, uncaught errors, failed requests; one JSON
object a line."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError
from playwright.sync_api import Error as PlaywrightError

from runner.browser import playwright_internals as bridge
from runner.page.downloads import Downloads
from runner.result import ArtifactKind
from runner.untrusted_text import encode_json, tamed

KEPT = 5_000
"""Lines of each kind; a page that says more is cut off with a last line that tells how many there were."""
PATIENCE = 2.0
"""Seconds that downloads get to end."""
LONGEST = 20_000
"""Characters of one text of a line."""
NAMES: dict[ArtifactKind, str] = {
    "console": "console",
    "page_errors": "page-errors",
    "failed_requests": "failed-requests",
}
"""The kinds, each with its file's name without `.jsonl`."""


class Logs:
    """The logs of one attempt; `kinds` are those of NAMES that are wanted."""

    def __init__(self, context: BrowserContext, kinds: set[ArtifactKind]) -> None:
        self._lines: dict[ArtifactKind, list[dict[str, Any]]] = {kind: [] for kind in kinds}
        self._count = dict.fromkeys(kinds, 0)
        if "console" in kinds:
            context.on("console", self._console)
        if "page_errors" in kinds:
            context.on("weberror", self._page_error)
        self._context = context
        self._downloads = Downloads(context)
        self._status: dict[Request, int] = {}
        self._failed: list[tuple[Request, dict[str, Any]]] = []
        """Failed requests with their lines."""
        if "failed_requests" in kinds:
            context.on("requestfailed", self._request_failed)
            context.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        at = message.location
        where = {"url": at["url"], "line": at["lineNumber"] + 1, "column": at["columnNumber"] + 1}
        self._add("console", lambda: {"level": message.type, "text": message.text, **where})

    def _page_error(self, error: WebError) -> None:
        self._add(
            "page_errors",
            lambda: {
                "message": error.error.message,
                "stack": error.error.stack or "",
                "url": error.page.url if error.page else "",
            },
        )

    def _request_failed(self, request: Request) -> None:
        if self._status.get(request, 0) >= 400:
            return  # It has its line: an answer that failed is one failure.
        line = self._add("failed_requests", lambda: {**_request(request), "failure": request.failure or "failed"})
        if line is not None:
            self._failed.append((request, line))

    def _answered(self, response: Response) -> None:
        self._status[response.request] = response.status
        if response.status >= 400:
            self._add("failed_requests", lambda: {**_request(response.request), "status": response.status})

    def _add(self, kind: ArtifactKind, line: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        self._count[kind] += 1
        if self._count[kind] > KEPT:
            return None
        try:
            kept = {"at": _now(), **_bounded(line())}
        except PlaywrightError as error:
            # Its page may be gone by the time it arrives.
            kept = {"at": _now(), "lost": str(error).partition("\n")[0]}
        self._lines[kind].append(kept)
        return kept

    def gather(self) -> None:
        """Asks how the downloads have ended; to be called before the context is closed."""
        bridge.gather(self._context, self._downloads.questions(), PATIENCE)

    def _leave_out_arrived(self) -> None:
        arrived = [
            line
            for request, line in self._failed
            if "failure" in line and not self._downloads.failure(request, line["failure"], self._status.get(request))
        ]
        kept = [line for line in self._lines["failed_requests"] if not any(line is one for one in arrived)]
        self._count["failed_requests"] -= len(self._lines["failed_requests"]) - len(kept)
        self._lines["failed_requests"], self._failed = kept, []

    def text(self, kind: ArtifactKind) -> bytes | None:
        """The lines of one kind, None when there are none."""
        if kind == "failed_requests":
            self._leave_out_arrived()
        lines = self._lines[kind]
        if not lines:
            return None
        more = self._count[kind] - len(lines)
        ended = [*lines, {"at": _now(), "dropped": more}] if more else lines
        return b"".join(encode_json(line) + b"\n" for line in ended)


def _bounded(line: dict[str, Any]) -> dict[str, Any]:
    return {name: tamed(value, LONGEST) if isinstance(value, str) else value for name, value in line.items()}


def _request(request: Request) -> dict[str, str]:
    return {"method": request.method, "url": request.url, "kind": request.resource_type}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
