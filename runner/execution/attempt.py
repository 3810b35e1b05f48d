"""One attempt of a run: a fresh browser context, and the journey's function called in it."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from playwright.sync_api import Browser, Playwright
from playwright.sync_api import Error as PlaywrightError

from runner.artifacts.expected_picture import PictureStore, use_pictures
from runner.artifacts.page_picture import Framing
from runner.artifacts.policy import slug
from runner.artifacts.recording import Recording
from runner.browser.browser_storage import restore_sessions
from runner.browser.context_options import options
from runner.browser.driver.playwright_internals import hear_listeners
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.events import AttemptEnded, AttemptStarted, Moment, StepEnded, StepStarted
from runner.execution.journey_call import JourneyCall, limit_time
from runner.execution.outcome import Execution
from runner.execution.sessions.session_loss import find_session_loss
from runner.execution.step import Steps
from runner.page.agent import AgentMark
from runner.redaction import Redactor
from runner.result import Artifact, Attempt, Certificate, Status, StepResult, status_of
from runner.settings.secrets import Secrets
from runner.telemetry.certificates import Certificates
from runner.telemetry.trace_headers import TraceHeaders
from runner.telemetry.trace_ids import trace_id


class RunContext(Struct, frozen=True, kw_only=True):
    """What all attempts of one run share."""

    run: str
    plan: Plan
    journey: Journey
    secrets: Secrets
    redactor: Redactor
    folder: Path
    """Holds the artifacts until the run is saved."""
    emit: Callable[[Moment], None]
    """Receives the events of the run as they happen."""
    keep: Callable[[Execution, bool], None] = lambda *_: None
    """Receives what the run has shown when it goes on after an attempt, and whether its verdict is settled: that outlives the worker."""
    keep_names: Callable[[], Callable[[], None]] = lambda: lambda: None
    """Keeps what modules and classes hold; what it returns puts that back."""


class AttemptOutcome(Struct, frozen=True, kw_only=True):
    """An attempt and its artifacts."""

    attempt: Attempt
    artifacts: tuple[Artifact, ...] = ()
    notes: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    session_loss: str = ""
    """What shows that the site no longer accepts the session of the signed-in state; empty if nothing does."""


def run_attempt(
    number: int,
    context: RunContext,
    browser: Browser,
    playwright: Playwright,
    seconds: float,
    repeats: Callable[[Status, float, str], bool],
    room: int,
    state: Path | None = None,
) -> AttemptOutcome:
    """Calls the journey once, for at most `seconds`; its artifacts may take `room` bytes.

    `repeats` says, from the status, the seconds that the attempt took, and what shows that the session of `state` is lost,
    whether another one follows. Raises playwright's Error when no context can be opened.
    """
    plan, emit = context.plan, context.emit
    restore_names = context.keep_names()
    recording = Recording(plan, number, context.folder, context.redactor, room, seconds)
    browser_context = browser.new_context(**options(plan, playwright, browser), **recording.context_options())
    restore_sessions(browser_context, plan.storage_state)
    browser_context.set_default_timeout(plan.action_timeout * 1000)

    def step_started(name: str, index: int) -> None:
        emit(StepStarted(run=context.run, journey=plan.journey, attempt=number, name=name, index=index))
        trace_headers.step_started(call.probe.channel, index)
        recording.step_started(name)

    def step_ended(step: StepResult) -> None:
        emit(StepEnded(run=context.run, journey=plan.journey, attempt=number, step=step))
        recording.step_ended(step)

    certificates = Certificates(browser_context)
    baggage = {"baggage": f"journey.run.id={context.run}"} if plan.trace_baggage else {}
    by_browser = plan.trace_origins if plan.trace_requests == "all" else ()
    trace_headers = TraceHeaders(by_browser, context.run, number, baggage)
    others = [one for one in browser.contexts if one is not browser_context]
    mark = AgentMark(journey=plan.journey, run=context.run, location=plan.location)
    call = JourneyCall(
        browser_context,
        str(plan.file),
        step_started,
        step_ended,
        mark=mark,
        waits=plan.waits,
        base_url=plan.base_url,
        audit=recording.audit,
    )
    if plan.trace_origins and plan.trace_requests == "api":
        call.probe.trace_requests(plan.trace_origins, trace_id(context.run), baggage)
    recording.start(browser_context)
    emit(AttemptStarted(run=context.run, journey=plan.journey, number=number))
    started_at, started = datetime.now(UTC), time.perf_counter()
    raised: BaseException | None = None
    try:
        with limit_time(browser, seconds), use_pictures(_picture_store(context, recording, call.steps)):
            call.run(context.journey, plan, context.secrets)
    except BaseException as error:  # noqa: BLE001 (a journey may raise anything, SystemExit too; all of it is reported)
        raised = error
    duration = time.perf_counter() - started
    restore_names()  # what follows needs json, open and many others
    failure = call.explain(raised) if raised is not None else None
    with hear_listeners(browser_context):  # and drop it: the journey has ended
        emit(AttemptEnded(run=context.run, journey=plan.journey, number=number))
        if failure is not None and failure.step is None:
            recording.look(plan.journey, failed=True)
        failure = failure or call.steps.fatal or call.steps.soft_failure
        status = status_of(failure)
        problem = call.collect_late()
        if problem is not None:
            recording.notes.append(problem)
        steps = recording.add_findings(call.steps.results(plan.step_names))
        met = certificates.read(call.probe.channel)
        session_loss = find_session_loss(browser_context, steps, state) if state is not None and failure is not None else ""
        recording.finish(passed=status == "passed", last=not repeats(status, duration, session_loss))
        for left_open in browser.contexts:
            if left_open not in others and left_open is not browser_context:
                with suppress(PlaywrightError):  # it may close by itself meanwhile
                    left_open.close()
    attempt = Attempt(
        number=number,
        status=status,
        started_at=started_at,
        duration_seconds=round(duration, 6),
        steps=steps,
        failure=failure,
    )
    notes = (*call.probe.problems, *recording.notes, *filter(None, [trace_headers.note]))
    return AttemptOutcome(
        attempt=attempt, artifacts=tuple(recording.artifacts), notes=notes, certificates=met, session_loss=session_loss
    )


def _picture_store(context: RunContext, recording: Recording, steps: Steps) -> PictureStore:
    """Where `expect_picture` finds its pictures in this attempt."""
    plan = context.plan
    return PictureStore(
        folder=plan.file.parent / plan.picture_folder / slug(plan.journey),
        keep=recording.attach_picture,
        note=steps.note_picture,
        step=lambda: steps.running,
        redactor=context.redactor,
        framing=Framing(area=plan.picture_area, ignore=plan.picture_ignore),
        scope=plan.audit_scope,
        update=plan.update_pictures,
        names=set(),
    )
