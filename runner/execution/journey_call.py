"""What a journey's function does in one open browser context: called, timed in steps, and judged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from runner.browser.deadline import Deadline, DeadlineReached, deadline
from runner.browser.throttling import throttle
from runner.dsl.journey import Journey
from runner.dsl.options import Waits
from runner.dsl.plan import Plan
from runner.execution.api_requests import TimedRequests
from runner.execution.failure import explain
from runner.execution.step import Steps
from runner.page.agent import Mark
from runner.page.probe import Probe
from runner.result import Failure, StepResult
from runner.settings.secrets import Secrets

LATE = 5.0
"""Seconds that late timings (paints, sizes) may take after the journey has ended."""

GONE = 2.0
"""Seconds that a wait for a page goes on for once the browser has gone. Playwright ends it at once, but for one case: an answer
that names an object which went with the browser is dropped, and the call would wait for ever."""


class Walk:
    """Observes a context from its first page on; `file` is where the lines of the journey stand.

    `probe` is given for a context that has been observed before, `mark` tells the site's own agent whose pages these are.
    """

    def __init__(
        self,
        context: BrowserContext,
        file: str,
        on_start: Callable[[str, int], None] = lambda *_: None,
        on_end: Callable[[StepResult], None] = lambda _: None,
        probe: Probe | None = None,
        mark: Mark | None = None,
        waits: Waits = "events",
    ) -> None:
        self.context = context
        self.probe = probe or Probe(context, mark, waits)
        self.steps = Steps(self.probe, file, on_start, on_end)
        self._file = file

    def call(self, journey: Journey, plan: Plan, secrets: Secrets, page: Page | None = None) -> None:
        """Calls the journey's function with what it asks for; `page` is its page where one is open. Raises whatever it raises."""
        offered: dict[str, Any] = {
            "context": self.context,
            "browser": self.context.browser,
            "step": self.steps,
            "request": TimedRequests(self.context.request, self.probe.api_call),
            "params": dict(plan.params),
            "secrets": secrets,
        }
        if "page" in journey.parameters:
            offered["page"] = page or self.context.new_page()
        throttle(self.context, plan.network, plan.cpu)
        arguments = {name: offered[name] for name in journey.parameters}
        if "step" in journey.parameters:
            journey.function(**arguments)
            return
        # A recorded script knows nothing of steps: it is one step, under the journey's name.
        with self.steps(journey.name):
            journey.function(**arguments)

    def why(self, error: BaseException) -> Failure:
        """Why it stopped with `error`."""
        probe = self.probe
        return self.steps.fatal or explain(error, self._file, probe.crashed, probe.connected, probe.starved)

    def collect_late(self) -> str | None:
        """Reads what comes late, while the pages are still open; returns what has kept it from that, in words."""
        try:
            with deadline(LATE):
                self.probe.finish()
        except (PlaywrightError, DeadlineReached) as error:
            return f"late timings: {error}"
        return None


@contextmanager
def time_with(browser: Browser | None, seconds: float) -> Iterator[Deadline]:
    """Raises DeadlineReached in the block after `seconds`, and soon when it waits for a `browser` that has gone.

    A context that was opened together with its browser knows of none.
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
