"""One try of a run: a fresh browser context, and the journey's function called in it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from playwright.sync_api import Browser, Playwright

from runner.artifacts.recorder import Recording
from runner.browser.context_options import options
from runner.browser.deadline import DeadlineReached
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.events import AttemptEnded, AttemptStarted, Moment, StepEnded, StepStarted
from runner.execution.journey_call import Walk, time_with
from runner.page.agent import Mark
from runner.redaction import Redactor
from runner.result import Artifact, Attempt, Failure, Status, StepResult, status_of
from runner.settings.secrets import Secrets


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

    def step_started(name: str, index: int) -> None:
        tell(StepStarted(run=setting.run, journey=plan.journey, attempt=number, name=name, index=index))
        recording.step_started(name)

    def step_ended(step: StepResult) -> None:
        tell(StepEnded(run=setting.run, journey=plan.journey, attempt=number, step=step))
        recording.step_ended(step)

    mark = Mark(journey=plan.journey, run=setting.run, location=plan.location)
    walk = Walk(context, str(plan.file), step_started, step_ended, mark=mark, waits=plan.waits)
    recording.start(context)
    tell(AttemptStarted(run=setting.run, journey=plan.journey, number=number))
    started_at, started = datetime.now(UTC), time.perf_counter()
    failure: Failure | None = None
    try:
        with time_with(browser, seconds):
            walk.call(setting.journey, plan, setting.secrets)
    except (Exception, DeadlineReached) as error:  # noqa: BLE001 (a journey may raise anything; all of it is reported)
        failure = walk.why(error)
    duration = time.perf_counter() - started
    tell(AttemptEnded(run=setting.run, journey=plan.journey, number=number))
    if failure is not None and failure.step is None:
        recording.take_picture(plan.journey)
        recording.take_tree(plan.journey)
    failure = failure or walk.steps.fatal or walk.steps.soft_failure
    status = status_of(failure)
    problem = walk.collect_late()
    if problem is not None:
        recording.notes.append(problem)
    recording.finish(passed=status == "passed", last=not another(status, duration))
    attempt = Attempt(
        number=number,
        status=status,
        started_at=started_at,
        duration_seconds=round(duration, 6),
        steps=walk.steps.results(plan.step_names),
        failure=failure,
    )
    return Outcome(attempt=attempt, artifacts=tuple(recording.artifacts), notes=(*walk.probe.problems, *recording.notes))
