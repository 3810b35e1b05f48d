"""Journeys under pytest: `pytest journeys` runs them as `journey run` does; see docs/pytest.md.

pytest loads this package by the entry point `journey`. Nothing of Playwright is imported here, nor by what is registered here:
that waits until a journey is collected or a test asks for `step` or `secrets`.
"""

import sys
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.pytest_plugin import collection, fixtures
from runner.pytest_plugin.project import PytestProject
from runner.pytest_plugin.reporting import summary
from runner.pytest_plugin.session import PROJECT
from runner.settings.load_settings import parse_params

FILES = ("journey_json", "journey_html", "journey_report_dir")
"""The options that name what to write."""
PLAYWRIGHT = "pytest_playwright.pytest_playwright"
"""The module of pytest-playwright, whose fixtures and options journeys use."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the journeys; all others are pytest-playwright's."""
    group = parser.getgroup("journey", "Journeys (journey-runner)")
    group.addoption("--journey-param", metavar="K=V", action="append", default=[], help="A value for `params`; repeatable.")
    group.addoption("--journey-env", metavar="NAME", help="Lay the settings' table env.NAME over them, as JOURNEY_ENV does.")
    group.addoption(
        "--journey-budgets",
        choices=("fail", "warn", "off"),
        default="fail",
        help="What a step does that is over its budget: fail the test (default), warn, or nothing.",
    )
    group.addoption(
        "--update-pictures", action="store_true", help="Store the pictures of expect_picture instead of comparing them."
    )
    group.addoption(
        "--journey-json",
        metavar="FILE",
        type=Path,
        help="Write the runs of all journeys to FILE, as `journey run --json` does, and how each test ended.",
    )
    group.addoption(
        "--journey-html",
        metavar="FILE",
        type=Path,
        help="Write the whole session as one page: failures first, attempts side by side, slowest steps, workers over time.",
    )
    group.addoption(
        "--journey-report-dir",
        metavar="DIR",
        type=Path,
        help="Write that page to DIR with the files that it links to, and Playwright's viewer for its traces.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the parts that are cheap to import. Raises UsageError for an option that is not valid."""
    for option in ("json", "html"):
        target = config.getoption(f"journey_{option}")
        if target is not None and not target.absolute().parent.is_dir():
            raise pytest.UsageError(f"--journey-{option} {target}: cannot be written; name a file in a folder that exists")
    try:
        parse_params(config.getoption("journey_param"), "--journey-param")
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    module = sys.modules.get(PLAYWRIGHT)
    usable = module is not None and config.pluginmanager.is_registered(module)
    config.stash[PROJECT] = PytestProject(config, usable)
    config.addinivalue_line("markers", "journey: a @journey function (journey-runner)")
    config.pluginmanager.register(collection, "journey-collection")
    shown = summary.Summary(config)
    config.pluginmanager.register(shown, "journey-summary")
    if not hasattr(config, "workerinput") and any(config.getoption(one) is not None for one in FILES):
        _write_files(config, shown)
    if usable:
        # Registered here and not by an entry point: these override fixtures of pytest-playwright, so they have to come after.
        config.pluginmanager.register(fixtures, "journey-fixtures")


def _write_files(config: pytest.Config, shown: summary.Summary) -> None:
    # Here and not above: a session that writes no file must not wait for what they are written with.
    from runner.pytest_plugin.reporting.session_files import SessionFiles, check_report_folder
    from runner.pytest_plugin.reporting.session_log import SessionLog

    folder: Path | None = config.getoption("journey_report_dir")
    if folder is not None:
        check_report_folder(folder)
    log = SessionLog(config)
    config.pluginmanager.register(log, "journey-test-log")
    config.pluginmanager.register(SessionFiles(config, shown, log), "journey-session-files")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Raises UsageError for settings that are not valid, in a project that has journeys."""
    project = session.config.stash[PROJECT]
    try:
        _ = project.settings
    except ConfigError as error:
        if project.has_journeys():
            raise pytest.UsageError(str(error)) from error


def pytest_report_header(config: pytest.Config) -> str | None:
    """Says why existing journeys are not collected."""
    project = config.stash[PROJECT]
    return None if project.usable or not project.has_journeys() else f"journeys: not collected, {collection.missing_plugin()}"
