"""The channel between the page agents of a browser context and the runner.

Playwright's own means are `expose_binding` and `Frame.evaluate`. They put two scripts into each document that are larger than the agent,
and take a round trip for each message. In a driver that is started by `event_waits.preloaded` (page_channel.cjs), what the agents report
waits in the driver until the runner asks, and one message asks all documents.
"""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext, CDPSession, Frame, Response
from playwright.sync_api import Error as PlaywrightError

from runner.browser.driver import event_waits
from runner.browser.driver import playwright_internals as bridge
from runner.untrusted_text import decode_json

REPORT = "__journeyReport"
"""A function of every document, to be called with a text."""
MARK = "// journey: channel={}\n"
"""Searched for by page_channel.cjs in a context's init scripts."""
PATIENCE = 10.0
"""Seconds in which the browser has to take new headers."""
MARGIN = 1.0
"""Seconds that the driver has to pass on what did not come in time."""


class Question(Struct, frozen=True):
    """What one document is asked: an expression, whose value may be a promise, and the seconds that it has."""

    frame: Frame
    expression: str
    seconds: float


class Size(Struct, frozen=True):
    """How much a response is, in bytes."""

    transferred: int
    """Headers and body, as they came."""
    decoded: int | None = None
    """The body without compression; None where nobody knows."""


class PageChannel(Protocol):
    """What passes between the agents and the runner."""

    mark: str
    """Stands at the beginning of the agent's script."""
    dropped: int
    """Reports that were lost, because there were too many."""

    def ask(self, questions: Sequence[Question], beside: Sequence[Coroutine[Any, Any, Any]] = ()) -> list[Any]:
        """Asks all at once. What was reported before is received first.

        Returns the answers and the results of the calls `beside`, in order: an exception for each that failed, TimeoutError for what
        did not come in time, None of a frame that is gone.
        """
        ...

    async def measure(self, responses: Sequence[Response]) -> list[Size | None]:
        """How much each response is; None where nobody knows."""
        ...

    def read_chains(self) -> dict[str, list[bytes]]:
        """The chain of certificates (DER) of each host that was met over HTTPS, by host; empty where the browser does not say them."""
        ...

    def set_headers(self, origins: Sequence[str], headers: Mapping[str, str]) -> str:
        """From now on requests of all pages to these origins have these headers too; returns why not, if that cannot be done.

        Nobody waits for a further call: it is on its way before whatever the journey does next.
        """
        ...


def open_channel(context: BrowserContext, receive: Callable[[object], str | None]) -> PageChannel:
    """The cheapest channel that there is in this context; `receive` takes what an agent reports, and returns what one has asked for."""
    if event_waits.is_preloaded() and context.browser is not None:
        try:
            return DriverChannel(context, context.browser, receive)
        except PlaywrightError:
            # Another browser than Chromium has no such sessions, another driver no such methods.
            pass
    return BindingChannel(context, receive)


class BindingChannel:
    """By Playwright's own means."""

    mark = ""
    dropped = 0

    def __init__(self, context: BrowserContext, receive: Callable[[object], str | None]) -> None:
        self._context = context
        context.expose_binding(REPORT, lambda _, message: receive(message))

    def ask(self, questions: Sequence[Question], beside: Sequence[Coroutine[Any, Any, Any]] = ()) -> list[Any]:
        """As PageChannel has it."""
        calls = [bridge.bounded(bridge.evaluate(one.frame, one.expression), one.seconds) for one in questions]
        return bridge.gather(self._context, [*calls, *beside], _longest(questions) + MARGIN)

    async def measure(self, responses: Sequence[Response]) -> list[Size | None]:
        """As PageChannel has it."""
        sizes = await asyncio.gather(*(bridge.sizes(one.request) for one in responses), return_exceptions=True)
        return [
            None if isinstance(one, BaseException) else Size(one["responseHeadersSize"] + one["responseBodySize"])
            for one in sizes
        ]

    def read_chains(self) -> dict[str, list[bytes]]:
        """As PageChannel has it."""
        return {}

    def set_headers(self, _origins: Sequence[str], _headers: Mapping[str, str]) -> str:
        """As PageChannel has it."""
        tested = ", ".join(".".join(map(str, one)) for one in event_waits.TESTED)
        return f"that has been tested with Playwright {tested} and Chromium, started by the runner"


class DriverChannel:
    """Through what was preloaded into the driver. Raises playwright's Error where the browser or the driver cannot do that."""

    def __init__(self, context: BrowserContext, browser: Browser, receive: Callable[[object], str | None]) -> None:
        self._context = context
        self._receive = receive
        self._id = bridge.find_guid(context)
        self._session = open_session(browser)
        self.mark = MARK.format(self._id)
        self.dropped = 0
        self._headed = False
        """Whether Chromium watches the origins whose requests get headers."""
        self._session.on("Journey.asked", self._answer)
        context.once("close", lambda _: self._session.remove_listener("Journey.asked", self._answer))

    def ask(self, questions: Sequence[Question], beside: Sequence[Coroutine[Any, Any, Any]] = ()) -> list[Any]:
        """As PageChannel has it."""
        asked = [
            {"frame": bridge.find_guid(one.frame), "expression": one.expression, "ms": one.seconds * 1000} for one in questions
        ]
        call = bridge.send(self._session, "Journey.ask", {"context": self._id, "questions": asked})
        told, *others = bridge.gather(self._context, [call, *beside], _longest(questions) + MARGIN)
        if isinstance(told, Exception):
            return [told] * len(questions) + others
        for report in told["reports"]:
            self._receive(report)
        self.dropped += told["dropped"]
        return [*map(_read_answer, told["answers"]), *others]

    async def measure(self, responses: Sequence[Response]) -> list[Size | None]:
        """As PageChannel has it."""
        ids = [bridge.find_guid(one) for one in responses]
        told = await bridge.send(self._session, "Journey.measure", {"responses": ids})
        return [None if one is None else Size(*one) for one in told["sizes"]]

    def read_chains(self) -> dict[str, list[bytes]]:
        """As PageChannel has it."""
        call = bridge.send(self._session, "Journey.readCertificates", {"context": self._id})
        (answer,) = bridge.gather(self._context, [call], PATIENCE)
        if isinstance(answer, Exception):
            return {}
        return {host: [b64decode(one) for one in chain] for host, chain in answer["chains"].items()}

    def set_headers(self, origins: Sequence[str], headers: Mapping[str, str]) -> str:
        """As PageChannel has it."""
        wanted = {"context": self._id, "origins": list(origins), "headers": dict(headers)}
        call = bridge.send(self._session, "Journey.setHeaders", wanted)
        if self._headed:
            # Chromium watches these origins already, and the driver takes messages in their order.
            bridge.start(self._context, call)
            return ""
        (answer,) = bridge.gather(self._context, [call], PATIENCE)
        self._headed = not isinstance(answer, Exception)
        return "the browser did not answer in time" if isinstance(answer, TimeoutError) else ""

    def _answer(self, question: dict[str, Any]) -> None:
        """Answers what the agent of a document asks."""
        if question["context"] != self._id:
            return
        name = self._receive(question["asked"])
        if name is None:
            return
        try:
            number = decode_json(question["asked"], _asked).id
        except msgspec.DecodeError:
            # A site can call the binding too; the agent's questions have numbers.
            return
        expression = f"globalThis.__journeyAgent?.answered?.({msgspec.json.encode([number, name]).decode()})"
        place = {"session": question["session"], "document": question["document"]}
        bridge.start(self._context, bridge.send(self._session, "Journey.answer", {**place, "expression": expression}))


class _Asked(Struct):
    id: int = 0


_asked = msgspec.json.Decoder(_Asked)
_sessions: WeakKeyDictionary[Browser, CDPSession] = WeakKeyDictionary()


def open_session(browser: Browser) -> CDPSession:
    """The one session of a browser that all of its contexts use."""
    if browser not in _sessions:
        session = browser.new_browser_cdp_session()
        # A driver without page_channel.cjs would ask Chromium, which says that it has no such method.
        session.send("Journey.measure", {"responses": []})
        _sessions[browser] = session
    return _sessions[browser]


def _read_answer(answer: dict[str, Any] | None) -> object:
    if answer is None:
        return None
    if "late" in answer:
        return TimeoutError()
    if "error" in answer:
        return PlaywrightError(answer["error"])
    return answer.get("value")


def _longest(questions: Sequence[Question]) -> float:
    return max((one.seconds for one in questions), default=0.0)
