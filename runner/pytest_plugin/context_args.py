"""The arguments of a journey's browser context: its options, pytest-playwright's command line, a signed-in state."""

import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Playwright

from runner.browser.context_options import options
from runner.dsl.plan import Plan, plan
from runner.errors import ConfigError
from runner.execution.sessions.sign_in import SignIn, StateUnusable
from runner.pytest_plugin.item_run import ItemRun, fail_test, get_run
from runner.pytest_plugin.session import JOURNEY, SETUP
from runner.pytest_plugin.sign_in_recording import SignInRecording
from runner.result import Failure

MARKER = "browser_context_args"
"""pytest-playwright's marker; its values win over the fixture of the same name."""
_BY_HAND = pytest.StashKey[dict[str, Any]]()


def prepare_context_args(
    request: pytest.FixtureRequest, browser: Browser, playwright: Playwright, base_url: str | None, given: Mapping[str, Any]
) -> None:
    """Resolves the journey's plan and puts it into the marker from which pytest-playwright opens a context.

    `given` is what pytest-playwright would use by itself. The later wins: `given`, the journey's options, a marker in the code,
    `--device`. Fails the test when the plan is not valid, or when signing in fails.
    """
    item = request.node
    run = get_run(item)
    journey = item.stash[JOURNEY]
    try:
        wanted = plan(journey, run.project.settings_at(base_url))
    except ConfigError as error:
        fail_test(run, Failure(kind="journey", message=str(error)))
    device = item.config.getoption("device")
    if device:
        wanted = replace(wanted, device=device, viewport=None)
    if wanted.base_url is None:
        wanted = replace(wanted, base_url=given.get("base_url"))
    for text in (*(wanted.basic_auth or ())[1:], *wanted.context.hidden):
        run.project.redactor.hide(text)
    run.plan = wanted
    opening = {**given, **options(wanted, playwright, browser)}
    if item.stash[SETUP] is not None:
        opening["storage_state"] = _sign_in(request, run, wanted, browser, playwright, opening)
    marker = item.get_closest_marker(MARKER)
    by_hand = item.stash.setdefault(_BY_HAND, dict(marker.kwargs) if marker else {})
    item.own_markers = [one for one in item.own_markers if one.name != MARKER]
    item.add_marker(pytest.mark.browser_context_args(**{**opening, **by_hand}))


def _sign_in(
    request: pytest.FixtureRequest,
    run: ItemRun,
    wanted: Plan,
    browser: Browser,
    playwright: Playwright,
    opening: Mapping[str, Any],
) -> Path:
    """The file of the state. It is made by the first journey of the session that needs it, and again after one has failed with it."""
    setup, project = request.node.stash[SETUP], run.project
    assert setup is not None
    key = sha256(f"{setup.where} {wanted.base_url} {browser.browser_type.name}".encode()).hexdigest()[:12]
    state = project.states / f"{setup.name}-{key}.json"
    run.sign_in = SignIn(setup, wanted, state, project.secrets, project.redactor)
    fresh = {name: value for name, value in opening.items() if name != "storage_state" and not name.startswith("record_")}
    began = time.perf_counter()
    try:
        recording = SignInRecording(project, playwright, setup.name, lambda: Path(request.getfixturevalue("output_path")))
        failed = run.sign_in.ensure(browser, fresh, wanted.timeout, recording, interruptible=True)
        if failed is not None:
            recording.finish()
            run.notes += recording.notes
            run.fail_to_sign_in(failed.steps)
        failure = failed.failure if failed else None
    except StateUnusable as error:
        failure = Failure(kind="monitor", message=str(error))
    run.spent = time.perf_counter() - began
    if failure is not None:
        fail_test(run, failure)
    return state
