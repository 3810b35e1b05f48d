"""The run of one test: its attempts, of which the last may be in progress."""

import math
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from threading import current_thread, main_thread
from typing import NoReturn

import pytest
from msgspec.structs import replace
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from runner.accessibility import Audit, AuditRequest
from runner.archive.run_id import run_id
from runner.browser.browser_storage import restore_sessions
from runner.browser.deadline import end_on_interrupt
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.errors import BrowserNotFound
from runner.execution.environment import describe_environment
from runner.execution.failure import trim_message
from runner.execution.journey_call import JourneyCall, limit_time
from runner.execution.sessions.sign_in import SignIn
from runner.page.agent import AgentMark
from runner.page.probe import Probe
from runner.pytest_plugin.project import PytestProject
from runner.pytest_plugin.redact_screenshots import ScreenshotRedactor
from runner.pytest_plugin.session import JOURNEY, PROJECT
from runner.pytest_plugin.step_audit import audit_pages
from runner.result import Attempt, Environment, Failure, Load, RunResult, Status, StepResult, skipped, status_of
from runner.settings.sections.budgets import find_overruns
from runner.settings.sections.quarantine import find_quarantine
from runner.telemetry.trace_ids import trace_id
from runner.workers.machine_load import LoadMeter, contended

SHORTEST = 0.1
"""Seconds that a journey gets, however long its sign-in took."""
FOREIGN = "the project's own fixture `context` was used: options of the journey that configure the context have no effect"
_probes: dict[BrowserContext, Probe] = {}
"""Of the open contexts: a project may use one for several tests."""


class ItemRun:
    """A run of a journey, or of a test that asks for `step` (`journey` is None); a test that is run again adds an attempt."""

    def __init__(self, item: pytest.Function, project: PytestProject, journey: Journey | None) -> None:
        self.journey = journey
        self.project = project
        self.name = journey.name if journey else item.name
        self._file = str(journey.file) if journey else item.function.__code__.co_filename
        self._id = run_id()
        self._earlier: list[Attempt] = []
        self.properties: list[tuple[str, object]] = []
        """Those of the item's `user_properties` that the last attempt has added."""
        self._environment = Environment()
        self._begun = False
        self.begin()

    def begin(self) -> None:
        """An attempt begins: the test is being set up."""
        if self._begun:
            self._earlier.append(self._attempt())
        self._begun = True
        self.plan: Plan | None = None
        self.journey_call: JourneyCall | None = None
        self.failure: Failure | None = None
        self.spent = 0.0
        """Seconds of the journey's timeout that were spent before it was called."""
        self.sign_in: SignIn | None = None
        """What signs it in."""
        self.notes: list[str] = []
        self.skipped = False
        self.missed_budget = False
        """True when a step was over its budget, and that fails the test."""
        self.pictures: ScreenshotRedactor | None = None
        self._opened = False
        self._steps: tuple[StepResult, ...] | None = None
        self._started_at = self._ended_at = datetime.now(UTC)
        self._started = time.perf_counter()
        self._duration = 0.0
        self._meter = LoadMeter.start(time.monotonic(), _beside())
        self._load: Load | None = None

    def configure_context(self, context: BrowserContext) -> None:
        """Applies the setting `action_timeout` to a context of a journey, except in a debugger; and its state's session storage."""
        self._opened = True
        if self.sign_in is not None:
            restore_sessions(context, self.sign_in.file)
        if self.plan is not None and not self.project.is_debugged:
            context.set_default_timeout(self.plan.action_timeout * 1000)

    def observe(self, context: BrowserContext) -> JourneyCall:
        """Begins to observe a context, once in an attempt."""
        if self.journey_call is None:
            if self.plan is not None and not self._opened:
                self.notes.append(FOREIGN)
            mark = AgentMark(journey=self.name, run=self._id, location=self.project.settings.location)
            waits = (self.plan or self.project.settings).waits
            base_url = self.plan.base_url if self.plan else None
            self.journey_call = JourneyCall(
                context,
                self._file,
                self._step_started,
                self._step_ended,
                _probes.get(context),
                mark,
                waits,
                base_url,
                self._audit,
            )
            if context not in _probes:
                _probes[context] = self.journey_call.probe
                context.on("close", _forget)
            if context.browser is not None:
                self._environment = describe_environment(
                    context.browser.browser_type.name, context.browser.version, base_url, self.project.sandbox
                )
        return self.journey_call

    def _step_started(self, name: str, _: int) -> None:
        if self.journey_call is not None and self.project.records("tracing"):
            self.journey_call.context.tracing.group(name)

    def _step_ended(self, _: StepResult) -> None:
        if self.journey_call is not None and self.project.records("tracing"):
            with suppress(PlaywrightError):  # a browser that has gone took the trace with it
                self.journey_call.context.tracing.group_end()
        if self.pictures is not None:
            self.pictures.check_pages()

    def _audit(self, step: str, asked: AuditRequest | None) -> Audit | None:
        context = self.journey_call.context if self.journey_call is not None else None
        mode = (self.plan or self.project.settings).accessibility
        return audit_pages(context, self.name, step, mode, asked, self.notes)

    def start(self) -> None:
        """The test's function is about to be called."""
        self._started_at, self._started = datetime.now(UTC), time.perf_counter()
        self._meter = LoadMeter.start(time.monotonic(), _beside())

    def call(self, page: Page | None) -> None:
        """Calls the journey, with its timeout except in a debugger. Raises whatever it raises."""
        assert self.journey is not None
        assert self.plan is not None
        assert self.journey_call is not None
        if current_thread() is not main_thread():
            self.notes.append("the timeout was not enforced: pytest does not run in the main thread")
        seconds = math.inf if self.project.is_debugged else max(self.plan.timeout - self.spent, SHORTEST)
        with limit_time(self.journey_call.context.browser, seconds) as end, end_on_interrupt(end):
            self.project.deadline = end
            self.journey_call.run(self.journey, self.plan, self.project.secrets, page)

    def end(self) -> None:
        """The test's function has ended; its pages are still open."""
        self._duration, self._ended_at = time.perf_counter() - self._started, datetime.now(UTC)
        self._load = self._meter.read(time.monotonic())
        self.project.deadline = None
        if self.journey_call is None:
            return
        try:
            problem = self.journey_call.collect_late()
            self.notes += [problem] if problem else []
        finally:
            # An alarm of pytest-timeout may end the reading; what is known by then is reported.
            self.notes += self.journey_call.probe.problems
            self._steps = self.journey_call.steps.results(self.journey.step_names if self.journey else ())

    def fail_to_sign_in(self, steps: tuple[StepResult, ...]) -> None:
        """Notes the steps of the set-up journey that did not pass; those of the journey itself are skipped."""
        names = self.journey.step_names if self.journey else ()
        self._steps = (*steps, *skipped(names, len(steps)))

    def fail(self, error: BaseException) -> None:
        """Notes why the attempt did not pass, unless that is known. An attempt that only exceeds a budget has passed."""
        while isinstance(error, BaseExceptionGroup):
            # What pytest-playwright makes of several soft assertions, and of one beside another error.
            error = error.exceptions[0]
        if self.missed_budget:
            return
        if self.sign_in is not None:
            # The next journey signs in again.
            self.sign_in.invalidate()
        if self.failure is not None:
            return
        if self.journey_call is not None:
            self.failure = self.journey_call.explain(error)
        elif isinstance(error, PlaywrightError | BrowserNotFound):
            # No context is open yet.
            self.failure = Failure(kind="browser", message=trim_message(str(error)))
        else:
            self.failure = Failure(kind="journey", message=trim_message(f"{type(error).__name__}: {error}"))

    def set_results(self, steps: tuple[StepResult, ...], environment: Environment) -> None:
        """Notes the steps of a check, which no page was observed for."""
        self._steps, self._environment = steps, environment

    @property
    def observed(self) -> bool:
        """Whether anything is known about the attempt: its pages were observed, or it is a check that was called."""
        return self.journey_call is not None or self._steps is not None

    @property
    def steps(self) -> tuple[StepResult, ...]:
        """The steps of the last attempt, as far as they are known."""
        known = self.journey.step_names if self.journey else ()
        return skipped(known, 0) if self._steps is None else self._steps

    @property
    def status(self) -> Status:
        """Of the last attempt."""
        return status_of(self.failure)

    @property
    def over_budget(self) -> list[str]:
        """Messages about steps over their own budget and about missed budgets of the settings."""
        own = [
            f"step {step.name!r}: {step.latency_seconds:.3f} s is over its budget of {step.budget_seconds:.3f} s"
            for step in self.steps
            if step.over_budget
        ]
        others = [
            f"{f'step {one.step!r}' if one.step else 'the journey'}: {one.figure} {one.value:g} is over its budget of {one.bound:g}"
            for one in self.result().overruns
        ]
        return own + others

    def _attempt(self) -> Attempt:
        return Attempt(
            number=len(self._earlier) + 1,
            status=self.status,
            started_at=self._started_at,
            duration_seconds=round(self._duration, 6),
            steps=self.steps,
            failure=self.failure,
        )

    def result(self) -> RunResult:
        """The run with all its attempts, as `journey run` reports it."""
        last = self._attempt()
        attempts = (*self._earlier, last)
        result = RunResult(
            id=self._id,
            journey=self.name,
            kind=self.journey.kind if self.journey else "journey",
            status=last.status,
            started_at=attempts[0].started_at,
            ended_at=self._ended_at,
            duration_seconds=round(sum(one.duration_seconds for one in attempts), 6),
            location=self.project.settings.location,
            attempts=len(attempts),
            steps=last.steps,
            failure=last.failure,
            earlier_attempts=tuple(self._earlier),
            tags=self.journey.options.tags if self.journey else (),
            release=self.project.settings.release,
            environment=self._environment,
            notes=tuple(dict.fromkeys(self.notes)),
            last_success_at=self._ended_at if last.status == "passed" else None,
            load=self._load,
            contended=self._load is not None and contended(self._load),
            trace_id=trace_id(self._id) if self.project.settings.sends_tests else "",
        )
        entries = self.project.settings.quarantine if self.journey else ()
        return replace(
            result,
            overruns=find_overruns(result, self.plan.budgets if self.plan else ()),
            quarantine=find_quarantine(result, entries, self._ended_at),
        )


def _forget(closed: BrowserContext) -> None:
    _probes.pop(closed, None)


def _beside() -> int:
    """How many tests may run beside this one: the other processes of pytest-xdist."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) - 1


RUN = pytest.StashKey[ItemRun]()


def get_run(item: pytest.Function) -> ItemRun:
    """The run of a journey or a test with steps; the first call begins it."""
    project = item.config.stash[PROJECT]
    project.observed_item = item
    if RUN not in item.stash:
        item.stash[RUN] = ItemRun(item, project, item.stash.get(JOURNEY, None))
    return item.stash[RUN]


def fail_test(run: ItemRun, failure: Failure) -> NoReturn:
    """Fails the test with this failure, without a traceback, which would show only the plugin."""
    run.failure = failure
    raise pytest.fail.Exception(failure.message, pytrace=False) from None
