"""What is kept under pytest of a set-up journey that fails: what pytest-playwright's options ask for, where it keeps its own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Playwright
from playwright.sync_api import Error as PlaywrightError

from runner.artifacts.recorder import PATIENCE, newest_page
from runner.artifacts.trace import start_trace, stop_trace
from runner.browser.deadline import DeadlineReached, deadline
from runner.pytest_plugin.project import PytestProject
from runner.pytest_plugin.redact_screenshots import ScreenshotRedactor
from runner.result import StepResult


class SignInRecording:
    """Records the context of one sign-in: a trace for `--tracing`, a picture of its failure for `--screenshot`."""

    def __init__(self, project: PytestProject, playwright: Playwright, journey: str, folder: Callable[[], Path]) -> None:
        """`folder` gives the folder of the test's artifacts."""
        self._project = project
        self._playwright = playwright
        self._journey = journey
        self._folder = folder
        self._pictures = ScreenshotRedactor(project)
        self._context: BrowserContext | None = None
        self.notes: list[str] = []
        """What could not be kept."""

    def context_options(self) -> Mapping[str, Any]:
        """What the browser context has to know before it is opened: nothing."""
        return {}

    def start(self, context: BrowserContext) -> None:
        """Begins to record a context."""
        self._context = context
        self._pictures.guard(context, self._playwright)
        if self._project.records("tracing"):
            start_trace(context, self._journey)

    def step_started(self, name: str) -> None:
        """A step is about to begin."""
        if self._context is not None and self._project.records("tracing"):
            self._context.tracing.group(name)

    def step_ended(self, step: StepResult) -> None:
        """A step has ended."""
        if self._context is not None and self._project.records("tracing"):
            self._guard(self._context.tracing.group_end)
        self.look(step.name, step.failure is not None)

    def look(self, _: str, failed: bool) -> None:
        """Pictures the newest page after a failure."""
        page = newest_page(self._context) if self._context is not None else None
        if failed and page is not None and self._project.records("screenshot"):
            self._guard(lambda: page.screenshot(path=self._folder() / "test-failed-1.png"))

    def finish(self) -> None:
        """Writes the trace and closes the context."""
        if self._context is not None and self._project.records("tracing"):
            context = self._context
            self._guard(lambda: stop_trace(context, self._folder() / "trace.zip"))
        self.discard()

    def discard(self) -> None:
        """Closes the context."""
        if self._context is not None:
            self._guard(self._context.close)

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            with deadline(PATIENCE):
                work()
        except (PlaywrightError, DeadlineReached, OSError) as error:
            # A browser that has gone, or a page that hangs: the failure is reported without a picture of it.
            self.notes.append(f"signing in: not recorded: {self._project.redactor.text(str(error).partition(chr(10))[0])}")
