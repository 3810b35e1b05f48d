"""A journey's function, called in an open browser context: its steps are timed, its end is judged."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from runner.browser.deadline import Deadline, DeadlineReached, deadline
from runner.browser.driver.exposed_functions import hear_exposed
from runner.browser.driver.playwright_internals import hear_listeners
from runner.browser.request_rules import prepare_context
from runner.browser.throttling import throttle
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.errors import JourneyError
from runner.execution.api_requests import TimedRequests
from runner.execution.failure import explain_failure
from runner.execution.mailbox import open_mailbox
from runner.execution.own_contexts import watched
from runner.execution.step import StepAudit, Steps
from runner.page.agent import AgentMark
from runner.page.probe import Probe
from runner.result import Failure, StepResult
from runner.settings.parsers.values import Waits
from runner.settings.secrets import Secrets

LATE = 5.0
"""Seconds in which late timings (paints, sizes) are collected after the journey has ended."""

GONE = 2.0
"""Seconds that a wait for a page may go on after the browser has gone. Playwright ends it at once, with one exception: it drops
an answer that names an object of the browser, and the call would never return."""


class JourneyCall:
    """Observes a context from its first page on; `file` is the journey's source.

    `probe` is given for a context that has been observed before. `mark` tells the site's own agent that the pages are a journey's.
    """

    def __init__(
        self,
        context: BrowserContext,
        file: str,
        on_start: Callable[[str, int], None] = lambda *_: None,
        on_end: Callable[[StepResult], None] = lambda _: None,
        probe: Probe | None = None,
        mark: AgentMark | None = None,
        waits: Waits = "events",
        base_url: str | None = None,
        audit: StepAudit = lambda *_: None,
    ) -> None:
        self.context = context
        self.probe = probe or Probe(context, mark, waits, base_url)
        self.steps = Steps(self.probe, file, on_start, on_end, audit)
        self._file = file

    def run(self, journey: Journey, plan: Plan, secrets: Secrets, page: Page | None = None) -> None:
        """Calls the journey's function with what its parameters name; `page` is a page that is already open. Raises whatever it raises."""
        offered: dict[str, Any] = {
            "context": self.context,
            "browser": self.context.browser,
            "step": self.steps,
            "request": TimedRequests(self.context.request, self.probe.api_call),
            "params": dict(plan.params),
            "secrets": secrets,
        }
        with ExitStack() as opened:
            if "mailbox" in journey.parameters and plan.mailbox is not None:
                offered["mailbox"] = opened.enter_context(open_mailbox(plan.mailbox, secrets, self.probe.api_call))
            self._run(journey, plan, offered, page)

    def _run(self, journey: Journey, plan: Plan, offered: dict[str, Any], page: Page | None) -> None:
        prepare_context(self.context, plan.context)
        if "page" in journey.parameters:
            offered["page"] = page or self.context.new_page()
        throttle(self.context, plan.network, plan.cpu, plan.context.http_cache)
        arguments = {name: offered[name] for name in journey.parameters}
        began = time.time()
        with (
            watched(self.context.browser, self.probe.watch),
            hear_listeners(self.context) as self.probe.heard,
            hear_exposed(self.context) as self.probe.exposed,
        ):
            self._call(journey, arguments)
            if self.probe.heard:
                raise self.probe.heard[0]
            self.steps.check_documents(began)
        if journey.unused and not (self.steps.fatal or self.steps.soft_failure):
            raise JourneyError(
                f"{journey.where}: {journey.name} asks for {' and '.join(journey.unused)} and does nothing with it, "
                "so it would pass whatever the site does; write what a visitor does"
            )

    def _call(self, journey: Journey, arguments: dict[str, Any]) -> None:
        if "step" in journey.parameters and (journey.step_names or journey.more_steps):
            _check_returned(journey.function(**arguments))
            self.steps.check_all_ran()
            return
        # A recorded script has no steps, nor have some journeys: each is one step, under the journey's name.
        with self.steps(journey.name):
            _check_returned(journey.function(**arguments))

    def explain(self, error: BaseException) -> Failure:
        """The failure that `error` means."""
        probe = self.probe
        return self.steps.fatal or explain_failure(
            error, self._file, probe.crashed, probe.connected, probe.starved, probe.obstacle
        )

    def collect_late(self) -> str | None:
        """Collects late timings while the pages are still open; returns a note when that failed."""
        try:
            with deadline(LATE):
                self.probe.finish()
        except (PlaywrightError, DeadlineReached) as error:
            return f"late timings: {error}"
        return None


def _check_returned(value: object) -> None:
    """Raises JourneyError for what would have to be awaited, iterated or called to do anything."""
    if isinstance(value, Coroutine):
        value.close()
    if isinstance(value, Awaitable | Iterator | AsyncIterator) or callable(value):
        raise JourneyError(
            f"the journey returned a {type(value).__name__} of which nothing was run; journeys use Playwright's sync API: "
            "call plain functions"
        )


@contextmanager
def limit_time(browser: Browser | None, seconds: float) -> Iterator[Deadline]:
    """Raises DeadlineReached in the block after `seconds`, and sooner when it waits for a `browser` that has gone.

    `browser` is None for a context that was opened together with its browser.
    """
    with deadline(seconds) as end:

        def gone(_: Browser) -> None:
            end.hasten(GONE)

        if browser is not None:
            browser.on("disconnected", gone)
        try:
            yield end
        finally:
            if browser is not None:
                browser.remove_listener("disconnected", gone)
