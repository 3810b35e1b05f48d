"""One run: its attempts, in a warm browser that is replaced when it is gone."""

import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path

from msgspec.structs import replace
from playwright.sync_api import Browser, Playwright
from playwright.sync_api import Error as PlaywrightError

import runner
from runner.attempt import Outcome, Setting, run_attempt
from runner.browser import Browser as Program
from runner.browser import launch
from runner.errors import BrowserFailed
from runner.failure import trim
from runner.journey import Journey
from runner.messages import Execution
from runner.moments import Moment
from runner.plan import Plan
from runner.redaction import Redactor
from runner.result import Attempt, Environment, Failure, Status
from runner.secrets import Secrets


class WarmBrowser:
    """A browser that stays open between runs, and is started again when it has gone."""

    def __init__(self, playwright: Playwright, program: Program, headed: bool, slow_mo: float) -> None:
        self.playwright = playwright
        self._program = program
        self._headed = headed
        self._slow_mo = slow_mo
        self._browser: Browser | None = None

    def get(self) -> Browser:
        """The open browser. Raises BrowserFailed when one cannot be started."""
        if self._browser is None or not self._browser.is_connected():
            self._browser = launch(self.playwright, self._program, self._headed, self._slow_mo)
        return self._browser

    def close(self) -> None:
        """Ends the browser, if one is open."""
        if self._browser is not None and self._browser.is_connected():
            self._browser.close()


def execute(
    run: str,
    journey: Journey,
    plan: Plan,
    browser: WarmBrowser,
    folder: Path,
    tell: Callable[[Moment], None],
    secrets: Secrets,
    redactor: Redactor,
) -> Execution:
    """Runs a journey until an attempt passes, the retries are used up, or its timeout is over.

    The timeout holds for all attempts together. Never raises for what the journey, the site or the browser does.
    """
    setting = Setting(run=run, plan=plan, journey=journey, secrets=secrets, redactor=redactor, folder=folder, tell=tell)
    started_at, started = datetime.now(UTC), time.perf_counter()
    outcomes: list[Outcome] = []
    version = ""

    def another(status: Status, used: float) -> bool:
        spent = sum(outcome.attempt.duration_seconds for outcome in outcomes) + used
        return status in {"failed", "error"} and len(outcomes) < plan.retries and spent < plan.timeout

    while True:
        spent = sum(outcome.attempt.duration_seconds for outcome in outcomes)
        number = len(outcomes) + 1
        try:
            opened = browser.get()
            version = opened.version
            room = plan.artifact_limit - sum(one.bytes for outcome in outcomes for one in outcome.artifacts)
            outcome = run_attempt(number, setting, opened, browser.playwright, plan.timeout - spent, another, room)
        except (BrowserFailed, PlaywrightError) as error:
            outcome = Outcome(attempt=_not_started(number, error))
        repeat = another(outcome.attempt.status, outcome.attempt.duration_seconds)
        outcomes.append(outcome)
        if not repeat:
            break
    duration = time.perf_counter() - started
    return Execution(
        run=run,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        duration_seconds=round(duration, 6),
        attempts=tuple(outcome.attempt for outcome in outcomes),
        artifacts=tuple(artifact for outcome in outcomes for artifact in outcome.artifacts),
        notes=tuple(dict.fromkeys(note for outcome in outcomes for note in outcome.notes)),
        environment=_environment(version, plan.base_url),
    )


def _not_started(number: int, error: Exception) -> Attempt:
    failure = Failure(kind="browser", message=trim(str(error)))
    return Attempt(number=number, status="error", started_at=datetime.now(UTC), duration_seconds=0.0, failure=failure)


def _environment(version: str, base_url: str | None) -> Environment:
    return replace(_machine(), browser=f"chromium {version}" if version else "", base_url=base_url)


@cache
def _machine() -> Environment:
    """What stays the same as long as the process lives."""
    return Environment(
        runner=runner.__version__,
        playwright=installed("playwright"),
        python=platform.python_version(),
        platform=platform.platform(),
    )
