"""The frames of a page as Chromium's protocol has them, each with an isolated world in which axe-core runs."""

import time
from importlib.resources import files
from typing import Any

import msgspec
from playwright.sync_api import CDPSession, Page
from playwright.sync_api import Error as PlaywrightError

from runner.browser.driver import playwright_internals as bridge

WORLD = "journey-accessibility"
Box = tuple[float, float, float, float]
"""Left, top, width, height, in CSS pixels."""
CALM = 2.0
"""Seconds for what takes only the browser, not the page."""
TOO_LATE = "it took too long"


class AuditFailed(Exception):
    """A document could not be checked. Says why."""


class FrameSessions:
    """The sessions of one page's frames, which are in several processes where they are of other sites. Closed at the end of the block."""

    def __init__(self, page: Page, seconds: float) -> None:
        self._page = page
        self._ends = time.monotonic() + seconds
        self._sessions: list[CDPSession] = []
        self._of_frames: dict[str, CDPSession] = {}
        self._others_opened = False

    def __enter__(self) -> "FrameSessions":
        return self

    def __exit__(self, *_: object) -> None:
        calls = [bridge.detach(one) for one in self._sessions]
        bridge.gather(self._page.context, calls, CALM)

    @property
    def seconds_left(self) -> float:
        """Until everything has to be done."""
        return max(self._ends - time.monotonic(), 0.0)

    def open_page(self) -> str:
        """The id of the page's own frame."""
        return self._open(self._page)

    def open_document(self, frame: str, script: str) -> "DocumentWorld":
        """A document with axe-core in a world of its own. Raises AuditFailed."""
        if frame not in self._of_frames and not self._others_opened:
            self._open_other_processes()
        if frame not in self._of_frames:
            raise AuditFailed("it has gone")
        session = self._of_frames[frame]
        made = self.send(session, "Page.createIsolatedWorld", {"frameId": frame, "worldName": WORLD})
        world = DocumentWorld(self, session, made["executionContextId"])
        if not world.evaluate("'axe' in globalThis"):
            world.evaluate(script)
        return world

    def find_offset(self, frame: str, world: "DocumentWorld", owner: str) -> tuple[float, float]:
        """Where the process of a frame draws in that of the document around it, whose element `owner` is. Raises AuditFailed."""
        if frame not in self._of_frames and not self._others_opened:
            self._open_other_processes()
        if self._of_frames.get(frame) is world.session:
            return 0.0, 0.0
        box = world.find_box(owner, content=True)
        return (box[0], box[1]) if box else (0.0, 0.0)

    def find_scroll(self) -> tuple[float, float]:
        """How far the page is scrolled. Raises AuditFailed."""
        view = self.send(self._sessions[0], "Page.getLayoutMetrics", {}, CALM)["cssLayoutViewport"]
        return float(view["pageX"]), float(view["pageY"])

    def send(self, session: CDPSession, method: str, parameters: dict[str, Any], seconds: float | None = None) -> Any:
        """A command's answer. Raises AuditFailed for one that fails or does not come in time."""
        limit = self.seconds_left if seconds is None else seconds
        if limit <= 0:
            raise AuditFailed(TOO_LATE)
        (answer,) = bridge.gather(self._page.context, [bridge.send(session, method, parameters)], limit)
        if isinstance(answer, TimeoutError):
            raise AuditFailed(TOO_LATE)
        if isinstance(answer, Exception):
            raise AuditFailed("it has gone" if self._page.is_closed() else _first_line(answer)) from answer
        return answer

    def _open(self, target: Any) -> str:
        (session,) = bridge.gather(
            self._page.context, [bridge.open_session(self._page.context, target)], min(self.seconds_left, CALM * 2)
        )
        if isinstance(session, Exception):
            raise AuditFailed(TOO_LATE if isinstance(session, TimeoutError) else _first_line(session)) from session
        self._sessions.append(session)
        tree = self.send(session, "Page.getFrameTree", {})["frameTree"]
        for frame in _list_frames(tree):
            self._of_frames[frame] = session
        return str(tree["frame"]["id"])

    def _open_other_processes(self) -> None:
        self._others_opened = True
        for frame in self._page.frames[1:]:
            try:
                self._open(frame)
            except AuditFailed as error:
                # Most frames are in the process of their page, and have no session of their own.
                if not isinstance(error.__cause__, PlaywrightError):
                    raise


class DocumentWorld:
    """The isolated world of one document."""

    def __init__(self, sessions: FrameSessions, session: CDPSession, context: int) -> None:
        self.sessions = sessions
        self.session = session
        self._context = context

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, waited for. Raises AuditFailed."""
        return self._evaluate(expression, returnByValue=True).get("value")

    def check(self, function: str, argument: dict[str, Any]) -> Any:
        """The decoded JSON that a function returns; a function that goes on is ended. Raises AuditFailed."""
        try:
            value = self.evaluate(f"{function}({msgspec.json.encode(argument).decode()})")
        except AuditFailed as error:
            if str(error) == TOO_LATE:
                # Or the page would be kept busy, and the next step with it.
                self.sessions.send(self.session, "Runtime.terminateExecution", {}, CALM)
                # What was to follow finds nothing to go on with.
                stop = {"expression": "axe.teardown()", "contextId": self._context}
                self.sessions.send(self.session, "Runtime.evaluate", stop, CALM)
            raise
        return msgspec.json.decode(value)

    def find_frame(self, expression: str) -> str:
        """The id of the frame that an element holds. Raises AuditFailed."""
        return str(self._describe("DOM.describeNode", expression)["node"].get("frameId", ""))

    def find_box(self, expression: str, content: bool = False) -> Box | None:
        """Left, top, width and height of an element in the process's part of the window; None for one that is not drawn."""
        try:
            model = self._describe("DOM.getBoxModel", expression)["model"]
        except AuditFailed as error:
            if str(error) == TOO_LATE:
                raise
            return None
        quad = model["content" if content else "border"]
        xs, ys = quad[0::2], quad[1::2]
        return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)

    def _describe(self, method: str, expression: str) -> dict[str, Any]:
        found = self._evaluate(expression, returnByValue=False)
        if "objectId" not in found:
            raise AuditFailed("it has gone")
        answer: dict[str, Any] = self.sessions.send(self.session, method, {"objectId": found["objectId"]})
        return answer

    def _evaluate(self, expression: str, *, returnByValue: bool) -> dict[str, Any]:  # noqa: N803 (the protocol's name)
        answer = self.sessions.send(
            self.session,
            "Runtime.evaluate",
            {"expression": expression, "contextId": self._context, "awaitPromise": True, "returnByValue": returnByValue},
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            words = details.get("exception", {}).get("description") or details["text"]
            raise AuditFailed(words.partition("\n")[0])
        found: dict[str, Any] = answer["result"]
        return found


def read_axe() -> str:
    """axe-core, as the build put it there. Raises FileNotFoundError in a bare checkout."""
    return files("runner.page").joinpath("axe.js").read_text(encoding="utf-8")


def _list_frames(tree: dict[str, Any]) -> list[str]:
    return [tree["frame"]["id"], *(one for child in tree.get("childFrames", ()) for one in _list_frames(child))]


def _first_line(error: Exception) -> str:
    text = next(iter(str(error).splitlines()), type(error).__name__)
    return text.partition("._wrap_api_call: ")[2] or text
