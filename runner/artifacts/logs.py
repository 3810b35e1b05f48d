"""What a context's pages said and what went wrong in them: console messages, uncaught errors, failed requests; one JSON
object a line."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError
from playwright.sync_api import Error as PlaywrightError

from runner.result import ArtifactKind
from runner.untrusted_text import encode_json, tamed

KEPT = 5_000
"""Lines of each kind; a page that says more is cut off with a last line that tells how many there were."""
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
        self._add("failed_requests", lambda: {**_request(request), "failure": request.failure or "failed"})

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._add("failed_requests", lambda: {**_request(response.request), "status": response.status})

    def _add(self, kind: ArtifactKind, line: Callable[[], dict[str, Any]]) -> None:
        self._count[kind] += 1
        if self._count[kind] <= KEPT:
            try:
                self._lines[kind].append({"at": _now(), **_bounded(line())})
            except PlaywrightError as error:
                # Its page may be gone by the time it arrives.
                self._lines[kind].append({"at": _now(), "lost": str(error).partition("\n")[0]})

    def text(self, kind: ArtifactKind) -> bytes | None:
        """The lines of one kind, None when there are none."""
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
