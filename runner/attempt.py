"""One try of a run: a fresh browser context, and the journey's function called in it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext, Playwright
from playwright.sync_api import Error as PlaywrightError

from runner.api import TimedRequests
from runner.artifacts.recording import Recording
from runner.context import options
from runner.deadline import DeadlineReached, deadline
from runner.emulation import throttle
from runner.failure import explain
from runner.journey import Journey
from runner.moments import AttemptEnded, AttemptStarted, Moment, StepEnded, StepStarted
from runner.page.agent import Mark
from runner.page.probe import Probe
from runner.plan import Plan
from runner.redaction import Redactor
from runner.result import Artifact, Attempt, Failure, Status, StepResult
from runner.secrets import Secrets
from runner.step import SITE, Steps

LATE = 5.0
"""Seconds that late timings (paints, sizes) may take after the journey has ended."""


GONE = 2.0
"""Seconds that a wait for a page goes on for once the browser has gone. Playwright ends it at once, but for one case: an answer
that names an object which went with the browser is dropped, and the call would wait for ever."""


class Setting(Struct, frozen=True, kw_only=True):
    """What all attempts of one run share."""

    run: str
    plan: Plan
    journey: Journey
    secrets: Secrets
    redactor: Redactor
    folder: Path
    """Where artifacts go until the run is saved."""
    tell: Callable[[Moment], None]


class Outcome(Struct, frozen=True, kw_only=True):
    """An attempt, and what it leaves behind."""

    attempt: Attempt
    artifacts: tuple[Artifact, ...] = ()
    notes: tuple[str, ...] = ()


def run_attempt(
    number: int,
    setting: Setting,
    browser: Browser,
    playwright: Playwright,
    seconds: float,
    another: Callable[[Status, float], bool],
    room: int,
) -> Outcome:
    """Calls the journey once, for `seconds` at most; its artifacts may have `room` bytes.

    `another` is asked, with the status and the seconds used, whether one more attempt will follow. Raises playwright's
    Error when no context can be opened.
    """
    plan, tell = setting.plan, setting.tell
    recording = Recording(plan, number, setting.folder, setting.redactor, room)
    context = browser.new_context(**options(plan, playwright, browser), **recording.context_options())
    context.set_default_timeout(plan.action_timeout * 1000)
    probe = Probe(context, Mark(journey=plan.journey, run=setting.run, location=plan.location))
    recording.start(context)

    def step_started(name: str, index: int) -> None:
        tell(StepStarted(run=setting.run, journey=plan.journey, attempt=number, name=name, index=index))
        recording.step_started(name)

    def step_ended(step: StepResult) -> None:
        tell(StepEnded(run=setting.run, journey=plan.journey, attempt=number, step=step))
        recording.step_ended(step)

    steps = Steps(probe, str(plan.file), step_started, step_ended)
    tell(AttemptStarted(run=setting.run, journey=plan.journey, number=number))
    started_at, started = datetime.now(UTC), time.perf_counter()
    failure: Failure | None = None
    try:
        with time_with(browser, seconds):
            call(setting, context, probe, steps)
    except (Exception, DeadlineReached) as error:  # noqa: BLE001 (a journey may raise anything; all of it is reported)
        failure = steps.fatal or explain(error, str(plan.file), probe.crashed, probe.connected, probe.starved)
    duration = time.perf_counter() - started
    tell(AttemptEnded(run=setting.run, journey=plan.journey, number=number))
    if failure is not None and failure.step is None:
        recording.take_picture(plan.journey)
        recording.take_tree(plan.journey)
    failure = failure or steps.fatal or steps.soft_failure
    status: Status = "passed" if failure is None else "failed" if failure.kind in SITE else "error"
    try:
        with deadline(LATE):
            probe.finish()
    except (PlaywrightError, DeadlineReached) as error:
        recording.notes.append(f"late timings: {error}")
    recording.finish(passed=status == "passed", last=not another(status, duration))
    attempt = Attempt(
        number=number,
        status=status,
        started_at=started_at,
        duration_seconds=round(duration, 6),
        steps=steps.results(plan.step_names),
        failure=failure,
    )
    return Outcome(attempt=attempt, artifacts=tuple(recording.artifacts), notes=(*probe.problems, *recording.notes))


@contextmanager
def time_with(browser: Browser, seconds: float) -> Iterator[None]:
    """Raises DeadlineReached in the block after `seconds`, and soon when it waits for a `browser` that has gone."""
    with deadline(seconds) as end:

        def gone(_: Browser) -> None:
            end.hasten(GONE)

        browser.on("disconnected", gone)
        try:
            yield
        finally:
            browser.remove_listener("disconnected", gone)


def call(setting: Setting, context: BrowserContext, probe: Probe, steps: Steps) -> None:
    """Calls the journey's function with what it asks for. Raises whatever it raises."""
    plan, journey = setting.plan, setting.journey
    offered: dict[str, Any] = {
        "context": context,
        "browser": context.browser,
        "step": steps,
        "request": TimedRequests(context.request, probe.api_call),
        "params": dict(plan.params),
        "secrets": setting.secrets,
    }
    if "page" in journey.parameters:
        offered["page"] = context.new_page()
    throttle(context, plan.network, plan.cpu)
    arguments = {name: offered[name] for name in journey.parameters}
    if "step" in journey.parameters:
        journey.function(**arguments)
        return
    # A recorded script knows nothing of steps: it is one step, under the journey's name.
    with steps(plan.journey):
        journey.function(**arguments)
