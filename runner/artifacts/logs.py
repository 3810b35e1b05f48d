"""What a context's pages said and what went wrong in them: console messages, uncaught errors, failed requests; one JSON
object a line."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError
from playwright.sync_api import Error as PlaywrightError

from runner.artifacts.recorder import Recorded, Recorder, Workspace
from runner.browser.driver.playwright_internals import gather
from runner.page.bounded_listener import BURST, BoundedListener
from runner.page.downloads import Downloads
from runner.page.service_workers import find_passed_on
from runner.redaction.document_forms import LOG_LINE
from runner.settings.artifact_kinds import Policy
from runner.untrusted_text import encode_json, tamed

LIMIT = 5_000
"""Lines of one log; a longer one is cut off with a last line that says how many were dropped."""
PATIENCE = 2.0
"""Seconds that downloads get to end."""
LONGEST = 20_000
"""Characters of one text of a line."""


class LogRecorder(Recorder):
    """A log of one attempt, as lines of JSON; an empty one is not saved."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(workspace, policy)
        self._lines: list[dict[str, Any]] = []
        self._count = 0

    def add(self, line: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """Adds what `line` returns, with the time; returns the line as it is kept, None over LIMIT."""
        self._count += 1
        if self._count <= LIMIT:
            try:
                kept = {"at": _now(), **_bounded(line())}
            except PlaywrightError as error:
                # Its page may be gone by the time it arrives.
                kept = {"at": _now(), "lost": str(error).partition("\n")[0]}
            self._lines.append(kept)
            return kept
        return None

    def save(self) -> Iterator[Recorded]:
        if self._lines:
            more = self._count - len(self._lines)
            lines = [*self._lines, {"at": _now(), "dropped": more}] if more else self._lines
            yield Recorded(b"".join(self.workspace.redact_json(encode_json(line), LOG_LINE) + b"\n" for line in lines))


class BurstRecorder(LogRecorder):
    """A log of what a page can say any number of times: of each step, the first BURST lines."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(workspace, policy)
        self.listener: BoundedListener | None = None

    def step_started(self, name: str) -> None:
        if self.listener is not None:
            self.listener.renew()

    def add_cut(self) -> None:
        """Adds a line that says that the rest of a step's is missing."""
        self.add(lambda: {"cut": f"only the first {BURST} of this step are recorded"})


class ConsoleRecorder(BurstRecorder):
    """The messages on the pages' consoles."""

    def start(self, context: BrowserContext) -> None:
        self.listener = BoundedListener(context, "console", self._add_message, self.add_cut)

    def _add_message(self, message: ConsoleMessage) -> None:
        at = message.location
        where = {"url": at["url"], "line": at["lineNumber"] + 1, "column": at["columnNumber"] + 1}
        self.add(lambda: {"level": message.type, "text": message.text, **where})


class PageErrorRecorder(BurstRecorder):
    """The uncaught errors of the pages' scripts."""

    def start(self, context: BrowserContext) -> None:
        self.listener = BoundedListener(context, "weberror", self._add_error, self.add_cut)

    def _add_error(self, error: WebError) -> None:
        self.add(
            lambda: {
                "message": error.error.message,
                "stack": error.error.stack or "",
                "url": error.page.url if error.page else "",
            },
        )


class FailedRequestRecorder(LogRecorder):
    """The requests that failed or were answered with 400 or more; a download that arrived is not a failure."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(workspace, policy)
        self._downloads: Downloads | None = None
        self._status: dict[Request, int] = {}
        self._failed: list[tuple[Request, dict[str, Any]]] = []
        """Failed requests with their lines."""
        self._answered_badly: list[tuple[Request, dict[str, Any]]] = []

    def start(self, context: BrowserContext) -> None:
        self._downloads = Downloads(context)
        context.on("requestfailed", self._add_failed)
        context.on("response", self._add_answered)

    def _add_failed(self, request: Request) -> None:
        if self._status.get(request, 0) >= 400:
            return  # It has its line: an answer that failed is one failure.
        if not request.url.startswith("http"):
            return  # What a page reads from itself (`blob:`, `data:`) is not a request.
        line = self.add(lambda: {**_describe(request), "failure": request.failure or "failed"})
        if line is not None:
            self._failed.append((request, line))

    def _add_answered(self, response: Response) -> None:
        self._status[response.request] = response.status
        if response.status >= 400:
            line = self.add(lambda: {**_describe(response.request), "status": response.status})
            if line is not None:
                self._answered_badly.append((response.request, line))

    def stop(self, context: BrowserContext, kept: bool) -> None:
        if kept and self._downloads is not None and not self.workspace.silent:
            gather(context, self._downloads.questions(), PATIENCE)

    def save(self) -> Iterator[Recorded]:
        arrived = [
            line
            for request, line in self._failed
            if self._downloads is not None
            and "failure" in line
            and not self._downloads.failure(request, line["failure"], self._status.get(request))
        ]
        lines = dict([*self._failed, *self._answered_badly])
        passed_on = find_passed_on(lines, lambda *_: True)
        for page, worker in passed_on.items():
            lines[page].update({name: lines[worker][name] for name in ("failure", "status") if name in lines[worker]})
        twice = [lines[worker] for worker in passed_on.values()]
        kept = [line for line in self._lines if not any(line is one for one in (*arrived, *twice))]
        self._count -= len(self._lines) - len(kept)
        self._lines = kept
        yield from super().save()


def _bounded(line: dict[str, Any]) -> dict[str, Any]:
    return {name: tamed(value, LONGEST) if isinstance(value, str) else value for name, value in line.items()}


def _describe(request: Request) -> dict[str, str]:
    return {"method": request.method, "url": request.url, "kind": request.resource_type}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
