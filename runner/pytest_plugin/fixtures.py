"""Fixtures: overrides of pytest-playwright's for journeys, and `step`, `params`, `secrets` for ordinary tests.

A project can override each of them. An override requests all fixtures that the overridden one requests: an older pytest does not
follow the chain, and the browser would be missing from the test's id.
"""

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.browser.sandbox import start_sandboxed
from runner.pytest_plugin.activation import activate
from runner.pytest_plugin.session import JOURNEY, PROJECT
from runner.settings.secrets import Secrets

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, BrowserType, Playwright

    from runner.execution.step import Steps
    from runner.pytest_plugin.item_run import ItemRun


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
    """Prepares the driver for event-driven waits, which the contexts of tests that walk ask for."""
    if fixturedef.argname != "playwright":
        return (yield)
    from runner.browser.driver import event_waits

    with event_waits.preloaded():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def delete_output_dir(request: pytest.FixtureRequest) -> None:
    """pytest-playwright's, once in a session of pytest-xdist: a process that starts late would delete the files of those before it."""
    if hasattr(request.config, "workerinput"):
        # The folder that all processes of the session have in common.
        mark = request.getfixturevalue("tmp_path_factory").getbasetemp().parent / "journey-output-deleted"
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return
    request.getfixturevalue("delete_output_dir")


@pytest.fixture(scope="session")
def browser_type_launch_args(pytestconfig: pytest.Config, browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright's, with the Chromium of this machine where Playwright has none of its own."""
    only_chromium = set(pytestconfig.getoption("browser")) <= {"chromium"}
    if not only_chromium or {"executable_path", "channel"} & set(browser_type_launch_args):
        return browser_type_launch_args
    headed = browser_type_launch_args.get("headless") is False
    project = pytestconfig.stash[PROJECT]
    found = project.chromium(headed)
    wanted = {**browser_type_launch_args, **project.launch_args(browser_type_launch_args)}
    return {**wanted, "executable_path": str(found)} if found else wanted


@pytest.fixture(scope="session")
def launch_browser(
    pytestconfig: pytest.Config,
    browser_type: "BrowserType",
    launch_browser: Callable[..., "Browser"],
    browser_type_launch_args: Mapping[str, Any],
    connect_options: Mapping[str, Any] | None,
) -> Callable[..., "Browser"]:
    """pytest-playwright's, with Chromium's sandbox where it can be; our Chromium replaces no channel and no remote browser of a project."""

    def launch(**given: Any) -> "Browser":
        wanted = {**browser_type_launch_args, **given}
        if "executable_path" in wanted and (wanted.get("channel") or connect_options):
            ours = pytestconfig.stash[PROJECT].chromium(wanted.get("headless") is False)
            if wanted["executable_path"] == str(ours):
                given["executable_path"] = None
        project = pytestconfig.stash[PROJECT]
        local = browser_type.name == "chromium" and not connect_options and not wanted.get("channel")
        if not local or "chromium_sandbox" in wanted:
            # What the project says of it holds.
            project.sandbox = "" if not local else "on" if wanted["chromium_sandbox"] else "off: chromium_sandbox is False"
            return launch_browser(**given)
        program = Path(wanted.get("executable_path") or browser_type.executable_path)
        started, project.sandbox = start_sandboxed(
            program, lambda sandboxed: launch_browser(**given, chromium_sandbox=sandboxed)
        )
        return started

    return launch


@pytest.fixture
def _journey_opening(
    request: pytest.FixtureRequest,
    browser: "Browser",
    playwright: "Playwright",
    base_url: str | None,
    browser_context_args: Mapping[str, Any],
) -> None:
    """Before a journey's context is opened: its options, and the state that it is signed in with."""
    if JOURNEY in request.node.stash:
        from runner.pytest_plugin.context_args import prepare_context_args

        prepare_context_args(request, browser, playwright, base_url, browser_context_args)


@pytest.fixture
def new_context(
    request: pytest.FixtureRequest,
    playwright: "Playwright",
    browser: "Browser",  # noqa: ARG001 (see above)
    _journey_opening: None,
    new_context: Callable[..., "BrowserContext"],
) -> Callable[..., "BrowserContext"]:
    """pytest-playwright's; known secrets are kept out of screenshots and videos of the contexts that it opens."""
    run = _get_run(request) if _is_observed(request) else None
    project = request.config.stash[PROJECT]
    if not project.redacts(request.node):
        return new_context
    from runner.pytest_plugin.redact_screenshots import PICTURES, ScreenshotRedactor

    pictures = request.node.stash[PICTURES] = ScreenshotRedactor(project)
    if run is not None:
        run.pictures = pictures

    def opened(**given: Any) -> "BrowserContext":
        context = new_context(**given)
        pictures.guard(context, playwright)
        if run is not None:
            run.configure_context(context)
        return context

    return opened


@pytest.fixture
def context(
    request: pytest.FixtureRequest,
    new_context: object,  # noqa: ARG001 (see above)
    context: "BrowserContext",
) -> "BrowserContext":
    """pytest-playwright's; in a journey, or a test with steps, it is observed before its first page is opened."""
    if _is_observed(request):
        _get_run(request).observe(context)
    return context


@pytest.fixture
def _journey_observe(request: pytest.FixtureRequest, _journey_opening: None, context: "BrowserContext") -> None:
    """Requested first by every journey."""
    _get_run(request).observe(context)


@pytest.fixture
def step(request: pytest.FixtureRequest, context: "BrowserContext") -> "Steps":
    """Times a part of a test by the page clock, as in a journey: `with step("search", budget="1s"): …`."""
    return _get_run(request).observe(context).steps


@pytest.fixture(scope="session")
def params(pytestconfig: pytest.Config) -> dict[str, str]:
    """The values given with `--journey-param`, `JOURNEY_PARAM_K` or the setting `params`."""
    return dict(pytestconfig.stash[PROJECT].settings.params)


@pytest.fixture(scope="session")
def secrets(pytestconfig: pytest.Config) -> Secrets:
    """The secrets by name, as journeys get them; from now on they are hidden in all that the tests of the session write."""
    activate(pytestconfig)
    return pytestconfig.stash[PROJECT].secrets


def _get_run(request: pytest.FixtureRequest) -> "ItemRun":
    from runner.pytest_plugin.item_run import get_run

    activate(request.config)
    return get_run(request.node)


def _is_observed(request: pytest.FixtureRequest) -> bool:
    """Whether the test is a journey, or requests the `step` of this module, not one that the project defines."""
    if JOURNEY in request.node.stash:
        return True
    known = getattr(getattr(request.node, "_fixtureinfo", None), "name2fixturedefs", {}).get("step", ())
    return bool(known) and getattr(known[-1].func, "__module__", "") == __name__
