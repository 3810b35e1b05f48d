"""The signed-in state of a browser, made once by a set-up journey and used by others.

A run keeps it in `runs/.state/<set-up journey>.json`, which only its owner can read: whoever has its cookies is signed in.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from runner.browser.browser_storage import save_storage
from runner.browser.deadline import DeadlineReached
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.errors import JourneyError
from runner.execution.journey_call import JourneyCall, limit_time
from runner.execution.state_secrets import tokens
from runner.page.agent import Mark
from runner.redaction import Redactor
from runner.result import Failure
from runner.settings.secrets import Secrets


class StateUnusable(JourneyError):
    """A signed-in state can be neither written nor read. Names its file."""


class SignIn:
    """What signs in the journey of `plan`: the journey `setup`, whose state is kept in `file`."""

    def __init__(
        self, setup: Journey, plan: Plan, file: Path, secrets: Secrets, redactor: Redactor, mark: Mark | None = None
    ) -> None:
        self.setup = setup
        self.file = file
        self.reused = file.exists()
        """Whether the state was made earlier, so that the site may no longer accept it."""
        self._plan = plan
        self._secrets = secrets
        self._redactor = redactor
        self._mark = mark

    def ensure(self, browser: Browser, context_args: Mapping[str, Any], seconds: float) -> Failure | None:
        """Makes the state unless there is one, in at most `seconds`, and hides its values from now on.

        `context_args` are the options of the browser context to sign in with. Returns why signing in failed. Raises
        playwright's Error when no context can be opened, StateUnusable when the file cannot be written or read.
        """
        failure = None if self.file.exists() else self._make(browser, context_args, seconds)
        if failure is None:
            self._hide_values()
        return failure

    def invalidate(self) -> None:
        """Removes the state: the site may have forgotten the session, or it has expired."""
        self.file.unlink(missing_ok=True)
        self.reused = False

    def _make(self, browser: Browser, context_args: Mapping[str, Any], seconds: float) -> Failure | None:
        """Runs the set-up journey, without timing or artifacts, and saves the state that it ends with."""
        context = browser.new_context(**context_args)
        try:
            context.set_default_timeout(self._plan.action_timeout * 1000)
            call = JourneyCall(context, str(self.setup.file), mark=self._mark, waits=self._plan.waits)
            try:
                with limit_time(browser, seconds):
                    call.run(self.setup, self._plan, self._secrets)
                    state = save_storage(context)
            except (Exception, DeadlineReached) as error:  # noqa: BLE001 (a journey may raise anything; all of it is reported)
                return self._name_setup(call.explain(error))
            if call.steps.soft_failure:
                return self._name_setup(call.steps.soft_failure)
        finally:
            with suppress(PlaywrightError):  # a browser that has gone took the context with it
                context.close()
        try:
            self._write(state)
        except OSError as error:
            raise StateUnusable(f"the signed-in state {self.file} cannot be written: {error}") from error
        return None

    def _name_setup(self, failure: Failure) -> Failure:
        return replace(failure, message=f"signing in with {self.setup.name!r}: {failure.message}", step=None)

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
