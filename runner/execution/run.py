"""One run: its attempts, in a warm browser that is replaced when it is gone."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace
from playwright.sync_api import Browser, Playwright
from playwright.sync_api import Error as PlaywrightError

from runner.browser import memory
from runner.browser.chromium import Browser as Program
from runner.browser.chromium import launch
from runner.browser.context_options import options
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.errors import BrowserFailed
from runner.events import Moment
from runner.execution import sign_in as signed_in
from runner.execution.attempt import Outcome, Setting, run_attempt
from runner.execution.environment import environment
from runner.execution.failure import trim
from runner.execution.outcome import Execution
from runner.page.agent import Mark
from runner.redaction import Redactor
from runner.result import Attempt, Failure, Status, skipped, status_of
from runner.settings.secrets import Secrets


class WarmBrowser:
    """A browser that stays open between runs, and is started again when it has gone."""

    def __init__(self, playwright: Playwright, program: Program, headed: bool, slow_mo: float, min_free_memory: int) -> None:
        self.playwright = playwright
        self._program = program
        self._headed = headed
        self._slow_mo = slow_mo
        self._min_free_memory = min_free_memory
        self._browser: Browser | None = None

    def get(self) -> Browser:
        """The open browser. Raises BrowserFailed when one cannot be started."""
        if self._browser is None or not self._browser.is_connected():
            free = memory.available()
            if free < self._min_free_memory:
                raise BrowserFailed(
                    f"only {memory.shown(free)} of memory are free, fewer than min_free_memory "
                    f"({memory.shown(self._min_free_memory)}): no browser was started; use fewer workers, or give the machine more"
                )
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
    setup: Journey | None = None,
) -> Execution:
    """Runs a journey until an attempt passes, the retries are used up, or its timeout is over.

    The timeout holds for all attempts together. `setup` makes the signed-in state that the plan asks for, if there is none; an
    attempt that does not pass with one of an earlier run is followed by one with a new state, which is no retry. Never raises
    for what the journey, the site or the browser does.
    """
    setting = Setting(run=run, plan=plan, journey=journey, secrets=secrets, redactor=redactor, folder=folder, tell=tell)
    started_at, started = datetime.now(UTC), time.perf_counter()
    outcomes: list[Outcome] = []
    version = ""
    state = plan.state_file
    stale = state is not None and state.exists()
    renewals = 0

    def another(status: Status, used: float) -> bool:
        spent = sum(outcome.attempt.duration_seconds for outcome in outcomes) + used
        wanted = stale or len(outcomes) < plan.retries + renewals
        return status in {"failed", "error"} and wanted and spent < plan.timeout

    while True:
        spent = sum(outcome.attempt.duration_seconds for outcome in outcomes)
        number = len(outcomes) + 1
        try:
            opened = browser.get()
            version = opened.version
            failure = None
            if state is not None and setup is not None:
                began = time.perf_counter()
                if not state.exists():
                    opening = options(replace(plan, storage_state=None), browser.playwright, opened)
                    mark = Mark(journey=setup.name, run=run, location=plan.location)
                    failure = signed_in.make(setup, plan, secrets, state, opened, opening, plan.timeout - spent, mark)
                if failure is None:
                    signed_in.hide(state, redactor)
                    setting = replace(setting, plan=replace(plan, storage_state=state))
                spent += time.perf_counter() - began
            if failure is not None:
                outcome = Outcome(attempt=_not_started(number, plan, failure))
            else:
                room = plan.artifact_limit - sum(one.bytes for outcome in outcomes for one in outcome.artifacts)
                outcome = run_attempt(
                    number, setting, opened, browser.playwright, max(plan.timeout - spent, 0.1), another, room
                )
        except (BrowserFailed, PlaywrightError) as error:
            outcome = Outcome(attempt=_not_started(number, plan, Failure(kind="browser", message=trim(str(error)))))
        except (OSError, msgspec.DecodeError) as error:
            message = f"the signed-in state {state} cannot be used: {error}; remove it, it is made again"
            outcome = Outcome(attempt=_not_started(number, plan, Failure(kind="monitor", message=message)))
        repeat = another(outcome.attempt.status, outcome.attempt.duration_seconds)
        outcomes.append(outcome)
        if not repeat:
            break
        if stale and state is not None:
            # The site may have forgotten the session, or it has run out.
            state.unlink(missing_ok=True)
            stale, renewals = False, 1
            note = f"the signed-in state was made anew with {plan.signed_in_by!r}"
            outcomes[-1] = replace(outcome, notes=(*outcome.notes, note))
    duration = time.perf_counter() - started
    return Execution(
        run=run,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        duration_seconds=round(duration, 6),
        attempts=tuple(outcome.attempt for outcome in outcomes),
        artifacts=tuple(artifact for outcome in outcomes for artifact in outcome.artifacts),
        notes=tuple(dict.fromkeys(note for outcome in outcomes for note in outcome.notes)),
        environment=environment("chromium", version, plan.base_url),
    )


def _not_started(number: int, plan: Plan, failure: Failure) -> Attempt:
    return Attempt(
        number=number,
        status=status_of(failure),
        started_at=datetime.now(UTC),
        duration_seconds=0.0,
        steps=skipped(plan.step_names, 0),
        failure=failure,
    )
