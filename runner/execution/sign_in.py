"""The signed-in state of a browser, made once by a set-up journey and used by others.

It is kept in `runs/.state/<set-up journey>.json`, which only its owner can read: whoever has its cookies is signed in.
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

from runner.browser.deadline import DeadlineReached
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.execution.journey_call import Walk, time_with
from runner.page.agent import Mark
from runner.redaction import Redactor
from runner.result import Failure
from runner.settings.secrets import Secrets

SHORTEST = 8
"""Characters of a cookie's value that is hidden wherever it turns up; a shorter one may be any word."""


def make(
    setup: Journey,
    plan: Plan,
    secrets: Secrets,
    file: Path,
    browser: Browser,
    opening: Mapping[str, Any],
    seconds: float,
    mark: Mark | None = None,
) -> Failure | None:
    """Runs the set-up journey for `seconds` at most, without timing or artifacts, and saves the state that it ends with.

    `plan` is of the journey that needs it, `opening` the options of its browser context. Returns why it could not be made.
    Raises playwright's Error when no context can be opened, OSError when the state cannot be written.
    """
    context = browser.new_context(**opening)
    try:
        context.set_default_timeout(plan.action_timeout * 1000)
        walk = Walk(context, str(setup.file), mark=mark, waits=plan.waits)
        try:
            with time_with(browser, seconds):
                walk.call(setup, plan, secrets)
                state = msgspec.json.encode(context.storage_state())
        except (Exception, DeadlineReached) as error:  # noqa: BLE001 (a journey may raise anything; all of it is reported)
            return _signing_in(setup, walk.why(error))
        if walk.steps.soft_failure:
            return _signing_in(setup, walk.steps.soft_failure)
    finally:
        with suppress(PlaywrightError):  # a browser that has gone took the context with it
            context.close()
    _write(file, state)
    return None


def _signing_in(setup: Journey, failure: Failure) -> Failure:
    return replace(failure, message=f"signing in with {setup.name!r}: {failure.message}", step=None)


def _write(file: Path, state: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = file.with_suffix(f".{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        written.write(state)
    partial.replace(file)


def hide(file: Path, redactor: Redactor) -> None:
    """Hides the values of the state's cookies and its local storage. Raises msgspec.DecodeError when it is no JSON."""
    state = msgspec.json.decode(file.read_bytes())
    values = [cookie["value"] for cookie in state.get("cookies", ())]
    values += [entry["value"] for origin in state.get("origins", ()) for entry in origin.get("localStorage", ())]
    for value in values:
        if len(value) >= SHORTEST:
            redactor.hide(value)
