"""The signed-in state of a browser, made once by a set-up journey and used by others.

A run keeps it in `runs/.state/<set-up journey>.json`, which only its owner can read: whoever has its cookies is signed in.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Error as PlaywrightError

from runner.browser.browser_storage import save_storage
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.errors import JourneyError
from runner.execution.journey_call import JourneyCall, limit_time
from runner.execution.sessions.session_loss import PAGES, sign_in_pages
from runner.execution.sessions.state_secrets import tokens
from runner.page.agent import AgentMark
from runner.redaction import Redactor
from runner.result import Failure, StepResult
from runner.settings.secrets import Secrets


class StateUnusable(JourneyError):
    """A signed-in state can be neither written nor read. Names its file."""


class SignInRecorder(Protocol):
    """What records a sign-in: `runner.artifacts.recording.Recording`, and its like under pytest."""

    def context_options(self) -> Mapping[str, Any]:
        """What the browser context has to know before it is opened."""
        ...

    def start(self, context: BrowserContext) -> None:
        """Begins to record `context`."""
        ...

    def step_started(self, name: str) -> None:
        """A step is about to begin."""
        ...

    def step_ended(self, step: StepResult) -> None:
        """A step has ended."""
        ...

    def look(self, name: str, failed: bool) -> None:
        """The pages are as a step, or the journey, left them."""
        ...

    def discard(self) -> None:
        """Drops what was recorded and closes the context."""
        ...


class SignInFailed(Struct, frozen=True, kw_only=True):
    """A set-up journey that did not pass."""

    failure: Failure
    started_at: datetime
    duration_seconds: float
    steps: tuple[StepResult, ...]
    """Those of the set-up journey, named after it: `sign_in: open the form`."""


class SignIn:
    """What signs in the journey of `plan`: the journey `setup`, whose state is kept in `file`."""

    def __init__(
        self, setup: Journey, plan: Plan, file: Path, secrets: Secrets, redactor: Redactor, mark: AgentMark | None = None
    ) -> None:
        self.setup = setup
        self.file = file
        self.reused = file.exists()
        """Whether the state was made earlier, so that the site may no longer accept it."""
        self._plan = plan
        self._secrets = secrets
        self._redactor = redactor
        self._mark = mark

    def ensure(
        self,
        browser: Browser,
        context_args: Mapping[str, Any],
        seconds: float,
        recording: "SignInRecorder | None" = None,
        interruptible: bool = False,
    ) -> SignInFailed | None:
        """Makes the state unless there is one, in at most `seconds`, and hides its values from now on.

        `context_args` are the options of the browser context to sign in with. `recording` records the sign-in: the caller finishes
        it if signing in fails; otherwise it is dropped. Where it is `interruptible`, Ctrl-C is not a failure of the journey. Raises
        playwright's Error when no context can be opened, StateUnusable when the file cannot be written or read.
        """
        failed = None if self._take_up() else self._make(browser, context_args, seconds, recording, interruptible)
        if failed is None:
            self._hide_values()
        return failed

    def _take_up(self) -> bool:
        """Whether there is a state; notes that it is used, as one that is not is removed."""
        try:
            os.utime(self.file)
        except FileNotFoundError:
            return False
        except OSError:
            # It belongs to somebody else: whether it can be read shows later.
            return self.file.exists()
        return True

    def invalidate(self) -> None:
        """Removes the state: the site may have forgotten the session, or it has expired."""
        self.file.unlink(missing_ok=True)
        self.reused = False

    def _make(
        self,
        browser: Browser,
        context_args: Mapping[str, Any],
        seconds: float,
        recording: "SignInRecorder | None",
        interruptible: bool,
    ) -> SignInFailed | None:
        """Runs the set-up journey, untimed, and saves the state that it ends with."""
        context = browser.new_context(**context_args, **(recording.context_options() if recording else {}))
        failed: SignInFailed | None = None
        try:
            context.set_default_timeout(self._plan.action_timeout * 1000)
            call = JourneyCall(
                context,
                str(self.setup.file),
                lambda name, _: recording.step_started(self._name_step(name)) if recording else None,
                lambda step: recording.step_ended(replace(step, name=self._name_step(step.name))) if recording else None,
                mark=self._mark,
                waits=self._plan.waits,
                base_url=self._plan.base_url,
            )
            if recording:
                recording.start(context)
            started_at, started = datetime.now(UTC), time.perf_counter()
            failure: Failure | None = None
            try:
                with limit_time(browser, seconds):
                    call.run(self.setup, self._plan, self._secrets)
                    state = save_storage(context)
                    call.collect_late()
                    pages = sign_in_pages(call.steps.results(), context)
            except BaseException as error:
                if interruptible and isinstance(error, KeyboardInterrupt):
                    raise
                failure = call.explain(error)
            failure = failure or call.steps.fatal or call.steps.soft_failure
            if failure is not None:
                if recording and failure.step is None:
                    recording.look(self.setup.name, failed=True)
                failed = SignInFailed(
                    failure=self._name_setup(failure),
                    started_at=started_at,
                    duration_seconds=round(time.perf_counter() - started, 6),
                    steps=tuple(replace(one, name=self._name_step(one.name)) for one in call.steps.results()),
                )
                return failed
        finally:
            if recording is not None and failed is None:
                recording.discard()
            elif recording is None:
                with suppress(PlaywrightError):  # a browser that has gone took the context with it
                    context.close()
        try:
            self._write(msgspec.json.encode({**msgspec.json.decode(state), PAGES: pages}))
        except OSError as error:
            raise StateUnusable(f"the signed-in state {self.file} cannot be written: {error}") from error
        return None

    def _name_setup(self, failure: Failure) -> Failure:
        step = None if failure.step is None else self._name_step(failure.step)
        return replace(failure, message=f"signing in with {self.setup.name!r}: {failure.message}", step=step)

    def _name_step(self, step: str) -> str:
        return step if step == self.setup.name else f"{self.setup.name}: {step}"

    def _write(self, state: bytes) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self.file.with_suffix(f".{os.getpid()}.partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            written.write(state)
        partial.replace(self.file)

    def _hide_values(self) -> None:
        """Hides what the state holds of tokens, in cookies and in the pages' storage."""
        try:
            state = msgspec.json.decode(self.file.read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            raise StateUnusable(
                f"the signed-in state {self.file} cannot be used: {error}; remove the file, and it is made again"
            ) from error
        for value in tokens(state):
            self._redactor.hide(value)
