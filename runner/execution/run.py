"""One run: its attempts, until one passes or no other follows."""

import time
from datetime import UTC, datetime

from msgspec.structs import replace
from playwright.sync_api import Error as PlaywrightError

from runner.artifacts.recording import Recording
from runner.browser.context_options import find_rejected_option, options
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.errors import BrowserFailed
from runner.execution.attempt import AttemptOutcome, RunContext, run_attempt
from runner.execution.environment import describe_environment
from runner.execution.failure import trim_message
from runner.execution.outcome import Execution
from runner.execution.retry import RetryPolicy
from runner.execution.second_look import describe_second_look, plan_second_look
from runner.execution.sessions.sign_in import SignIn, SignInFailed, StateUnusable
from runner.execution.warm_browser import WarmBrowser
from runner.page.agent import AgentMark
from runner.result import Attempt, Failure, StepResult, skipped, status_of

SHORTEST = 0.1
"""Seconds that an attempt gets, however long signing in took."""


def execute_run(context: RunContext, browser: WarmBrowser, setup: Journey | None = None) -> Execution:
    """Runs a journey until an attempt passes, the retries are used up, or its timeout is over.

    The timeout applies to all attempts together. `setup` is the journey that signs in if the plan asks for a signed-in state.
    Never raises for what the journey, the site or the browser does.
    """
    run, plan = context.run, context.plan
    sign_in = None
    if setup is not None and plan.state_file is not None:
        mark = AgentMark(journey=setup.name, run=run, location=plan.location)
        sign_in = SignIn(setup, plan, plan.state_file, context.secrets, context.redactor, mark)
    retry = RetryPolicy(plan, sign_in)
    started_at, started = datetime.now(UTC), time.perf_counter()
    outcomes: list[AttemptOutcome] = []
    version = ""
    while True:
        number = len(outcomes) + 1
        room = plan.artifact_limit - sum(one.bytes for outcome in outcomes for one in outcome.artifacts)
        try:
            version = browser.get().version
            outcome = _make_attempt(number, context, browser, sign_in, retry, room)
        except (BrowserFailed, PlaywrightError) as error:
            option = find_rejected_option(plan, str(error))
            where = f"{plan.file}: option {option} of {plan.journey}: " if option else ""
            failure = Failure(kind="journey" if option else "browser", message=trim_message(f"{where}{error}"))
            outcome = _not_started(number, plan, failure)
        except OSError as error:
            # A folder that is not there, a disk that is full, a certificate that cannot be read.
            message = trim_message(f"this machine could not run the journey: {type(error).__name__}: {error}")
            outcome = _not_started(number, plan, Failure(kind="monitor", message=message))
        repeats = retry.repeats(outcome.attempt.status, outcome.attempt.duration_seconds, outcome.session_loss)
        note = retry.end_attempt(outcome.attempt, outcome.session_loss, repeats)
        outcomes.append(replace(outcome, notes=(*outcome.notes, note)) if note else outcome)
        execution = Execution(
            run=run,
            started_at=started_at,
            ended_at=datetime.now(UTC),
            duration_seconds=round(time.perf_counter() - started, 6),
            attempts=tuple(one.attempt for one in outcomes),
            artifacts=tuple(artifact for one in outcomes for artifact in one.artifacts),
            notes=tuple(dict.fromkeys(note for one in outcomes for note in one.notes)),
            environment=describe_environment(plan.browser, version, plan.base_url, browser.sandbox),
            certificates=tuple({one.host: one for outcome in outcomes for one in outcome.certificates}.values()),
        )
        if not repeats:
            break
        context.keep(execution, False)
    second_look = plan_second_look(plan, execution.attempts, retry.seconds_left)
    if second_look is None:
        return execution
    context.keep(execution, True)
    room -= sum(one.bytes for one in outcome.artifacts)
    looked = _look_again(second_look, context, browser, sign_in, retry, room)
    return replace(
        execution,
        second_look=looked.attempt,
        artifacts=(*execution.artifacts, *looked.artifacts),
        notes=tuple(dict.fromkeys((*execution.notes, *looked.notes))),
    )


def _look_again(
    plan: Plan, context: RunContext, browser: WarmBrowser, sign_in: SignIn | None, retry: RetryPolicy, room: int
) -> AttemptOutcome:
    """Walks the journey once more for what it records. Nobody hears of its steps, and what goes wrong becomes a note."""
    quiet = replace(context, plan=plan, emit=lambda _: None)
    try:
        outcome = _make_attempt(2, quiet, browser, sign_in, retry, room, only_once=True)
    except (BrowserFailed, PlaywrightError, OSError) as error:
        why = trim_message(f"{type(error).__name__}: {error}")
        return _not_started(
            2, plan, Failure(kind="monitor", message=why), notes=(f"the failure could not be walked once more: {why}",)
        )
    return replace(outcome, notes=(*outcome.notes, describe_second_look(plan, outcome.attempt)))


def _make_attempt(
    number: int,
    context: RunContext,
    browser: WarmBrowser,
    sign_in: SignIn | None,
    retry: RetryPolicy,
    room: int,
    only_once: bool = False,
) -> AttemptOutcome:
    """Signs in if the plan asks for it, then calls the journey. Raises BrowserFailed, playwright's Error, OSError."""
    plan, opened, began = context.plan, browser.get(), time.perf_counter()
    state = None
    if sign_in is not None:
        state = sign_in.file if sign_in.reused else None
        recording = (
            None
            if sign_in.file.exists()
            else Recording(plan, number, context.folder, context.redactor, room, retry.seconds_left)
        )
        try:
            failed = sign_in.ensure(opened, options(plan, browser.playwright, opened), retry.seconds_left, recording)
        except StateUnusable as error:
            failure = Failure(kind="monitor", message=trim_message(str(error)))
            return replace(_not_started(number, plan, failure), session_loss="it cannot be read")
        if failed is not None:
            return _finish_sign_in(number, plan, failed, recording, retry)
        context = replace(context, plan=replace(plan, storage_state=sign_in.file))
    seconds = max(retry.seconds_left - (time.perf_counter() - began), SHORTEST)
    repeats = (lambda *_: False) if only_once else retry.repeats
    return run_attempt(number, context, opened, browser.playwright, seconds, repeats, room, state)


def _finish_sign_in(
    number: int, plan: Plan, failed: SignInFailed, recording: Recording | None, retry: RetryPolicy
) -> AttemptOutcome:
    """The attempt whose set-up journey did not pass: its steps and artifacts are those of the set-up journey."""
    outcome = _not_started(number, plan, failed.failure, failed.steps)
    attempt = replace(outcome.attempt, started_at=failed.started_at, duration_seconds=failed.duration_seconds)
    if recording is None:
        return replace(outcome, attempt=attempt)
    recording.finish(passed=False, last=not retry.repeats(attempt.status, attempt.duration_seconds))
    return AttemptOutcome(attempt=attempt, artifacts=tuple(recording.artifacts), notes=tuple(recording.notes))


def _not_started(
    number: int, plan: Plan, failure: Failure, steps: tuple[StepResult, ...] = (), notes: tuple[str, ...] = ()
) -> AttemptOutcome:
    names = {step.name for step in steps}
    attempt = Attempt(
        number=number,
        status=status_of(failure),
        started_at=datetime.now(UTC),
        duration_seconds=0.0,
        steps=(*steps, *skipped([name for name in plan.step_names if name not in names], len(steps))),
        failure=failure,
    )
    return AttemptOutcome(attempt=attempt, notes=notes)
