"""Everything that is observed of one browser context: the page agents, the requests, the errors, the crashes."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct
from playwright.sync_api import BrowserContext, Page, WebError
from playwright.sync_api import Error as PlaywrightError

from runner.browser import memory
from runner.browser.driver.exposed_functions import ExposedError
from runner.browser.driver.page_channel import PageChannel
from runner.browser.driver.playwright_internals import is_driver_gone, list_unanswered_routes, watch_dialogs
from runner.page import step_findings as findings
from runner.page.agent import PATIENCE, SHORT_PATIENCE, AgentMark, PageAgent
from runner.page.bounded_listener import BoundedListener
from runner.page.clock import Reading, Stamp, Window, measure
from runner.page.network import RequestLog
from runner.page.request_trace import RequestTrace
from runner.page.signals import find_signals
from runner.result import Navigation, PageError, Requests, Vitals
from runner.result import Request as RequestResult
from runner.settings.parsers.values import Waits
from runner.untrusted_text import tamed

PAGE_ERRORS = 20


class Findings(Struct, frozen=True, kw_only=True):
    """What was seen in one window of time."""

    navigations: tuple[Navigation, ...]
    vitals: Vitals
    requests: Requests
    page_errors: tuple[PageError, ...]
    signals: dict[str, Any]
    """Further fields of a step's result, see `find_signals`."""


class Probe:
    """Observes a context from its first page on. Made before the first page, it misses nothing."""

    def __init__(
        self, context: BrowserContext, mark: AgentMark | None = None, waits: Waits = "events", base_url: str | None = None
    ) -> None:
        """`base_url` is the address of the site under test."""
        self._context = context
        self._agent = PageAgent(context, mark, waits)
        self._requests = RequestLog(context, base_url)
        self._errors: list[tuple[float, PageError]] = []
        self._api: list[tuple[float, float]] = []
        self.crashed: str | None = None
        """The address of the page whose renderer crashed, if one did."""
        self.heard: list[BaseException] = []
        """What listeners and route handlers of the journey have raised, and nothing has reported yet."""
        self.exposed: list[ExposedError] = []
        """What functions have raised that the journey exposes to its pages, since the step began."""
        self._kills = memory.kills()
        self._error_listener = BoundedListener(context, "weberror", self._page_error)
        context.on("page", self._watch_crash)
        self._others: list[RequestLog] = []
        self._dialogs: list[str] = []
        watch_dialogs(context, self._dialogs)

    def watch(self, context: BrowserContext) -> None:
        """Another context, which the journey opened: what its documents answer is judged as well."""
        self._others.append(RequestLog(context))
        context.on("page", self._watch_crash)
        watch_dialogs(context, self._dialogs)

    def trace_requests(self, origins: tuple[str, ...], trace: str, baggage: dict[str, str]) -> None:
        """From the next document on, what pages ask these origins for by `fetch` and XHR is in this trace, each a span of its own."""
        self._requests.trace = RequestTrace(self._context, origins, trace, baggage)

    @property
    def obstacle(self) -> str | None:
        """What keeps a page from being as awaited: a document that did not come whole, a dialog that a listener, or a request that a
        route handler of the journey has not answered yet."""
        if self._dialogs:
            return (
                f"a dialog was open and kept the page waiting: {self._dialogs[-1]}; "
                "a listener of `dialog` must call accept() or dismiss()"
            )
        routes = list_unanswered_routes(self._context)
        if routes:
            return (
                f"a route handler of the journey has not answered {tamed(routes[0], 300)}; "
                "it must call continue_(), fulfill(), fallback() or abort()"
            )
        return self._requests.incomplete_document

    def _page_error(self, error: WebError) -> None:
        with suppress(PlaywrightError):  # the page may be gone by the time its error arrives
            url = error.page.url if error.page else ""
            self._errors.append((time.time(), PageError(message=tamed(str(error.error).split("\n    at ")[0]), url=tamed(url))))

    def _watch_crash(self, page: Page) -> None:
        def crashed(_: Page) -> None:
            self.crashed = page.url

        page.on("crash", crashed)

    @property
    def starved(self) -> bool:
        """Whether the system has ended a process because it ran out of memory since the first page."""
        return memory.kills() > self._kills

    def api_call(self, started: float, ended: float) -> None:
        """Notes an API request that the journey made outside of any page; both stamps in seconds since the epoch."""
        self._api.append((started, ended))

    def step_started(self, name: str) -> None:
        """Notes that a step begins, for pages that ask which."""
        self._agent.step_started(name)
        self._error_listener.renew()
        self.exposed.clear()

    def read_clock(self, window: Window, wall: float, failed: bool = False, pictured: Sequence[Window] = ()) -> Reading:
        """Reads the page clock for the step that filled `window`; to be called as soon as its end has been stamped.

        A step that `failed` is timed by the stopwatch whatever its pages say, so they are not waited for long. `pictured` is when the
        journey has taken pictures: stilling a page changes it. What comes after its last cause's first picture does not count.
        """
        first = Window(window.start, pictured[0].start) if pictured else window
        reading = self._read_clock(first, wall, failed)
        later = [one.at for one in self._agent.causes if first.end < one.at <= window.end and one.what != "move"]
        if later:
            ends = [one.start for one in pictured if one.start > max(later)]
            reading = self._read_clock(Window(window.start, ends[0] if ends else window.end), wall, failed)
        self._agent.causes = [stamp for stamp in self._agent.causes if stamp.at > window.end]
        self._agent.waiting = []
        return reading

    def _read_clock(self, window: Window, wall: float, failed: bool) -> Reading:
        self._agent.effects.clear()
        self._agent.checks.clear()
        for document in self._agent.documents.values():
            timing = document.navigation
            if timing is not None and timing.load_event_end > 0:
                self._agent.effects.append(Stamp("load", (document.origin + timing.load_event_end) / 1000))
        if not self._agent.read(window, SHORT_PATIENCE if failed else PATIENCE) or not self._agent.trusted:
            return Reading(seconds=wall, clock="stopwatch")
        causes = [*self._agent.causes, *(Stamp("request", started) for started, _ in self._api)]
        effects = [*self._agent.effects, *(Stamp("response", ended) for _, ended in self._api)]
        return measure(window, wall, causes, effects, self._agent.waiting, self._agent.checks)

    @property
    def channel(self) -> PageChannel:
        """What passes between the pages and the runner."""
        return self._agent.channel

    def documents_answered(self, window: Window) -> list[RequestResult]:
        """The answers to top-level navigations that began in `window`, redirects included."""
        return [answer for log in (*self._others, self._requests) for answer in log.document_statuses(window)]

    def finish(self) -> None:
        """Collects what comes late (paints, sizes, the last interactions), when no step is being timed any more."""
        for answer in self._agent.read_late(self._requests.questions(self.channel)):
            # A page that has been closed has no sizes to give any more.
            if isinstance(answer, Exception) and not isinstance(answer, PlaywrightError | TimeoutError):
                raise answer

    def findings(self, window: Window) -> Findings:
        """What is known by now of `window`."""
        documents = list(self._agent.documents.values())
        return Findings(
            navigations=findings.navigations(documents, window),
            vitals=findings.vitals(documents, window),
            requests=self._requests.within(window),
            page_errors=tuple(error for at, error in self._errors if at in window)[:PAGE_ERRORS],
            signals=find_signals([document.signals for document in documents], window),
        )

    @property
    def url(self) -> str | None:
        """The address of the newest open page."""
        pages = [page for page in self._context.pages if not page.is_closed()]
        return pages[-1].url if pages else None

    @property
    def connected(self) -> bool:
        """False when the browser has gone."""
        browser = self._context.browser
        return (browser is None or browser.is_connected()) and not is_driver_gone(self._context)

    @property
    def problems(self) -> tuple[str, ...]:
        """What kept the page agent from working, and where the header of a trace went wrong, for the run's notes."""
        trace = self._requests.trace
        return tuple(sorted(self._agent.problems | (trace.problems if trace else set())))
