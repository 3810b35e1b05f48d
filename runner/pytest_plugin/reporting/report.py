"""The report of a journey or a test with steps: the failed step comes first, then the rest; secrets are hidden."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntryNative, ReprFileLocation, ReprTraceback

from runner.pytest_plugin.item_run import RUN, ItemRun
from runner.pytest_plugin.reporting.formatting import format_failure, format_heading, format_step
from runner.pytest_plugin.reporting.summary import STATUS
from runner.pytest_plugin.session import PROJECT
from runner.redaction import Redactor
from runner.settings.sections.quarantine import describe_quarantine

MACHINERY = frozenset({"playwright", "runner", "contextlib", "asyncio", "_pytest", "pluggy", "pytest_playwright"})
"""Packages whose frames are cut off the end of a traceback, unless `--full-trace` is given."""
STRUCTURE = frozenset({"type", "style", "path"})
"""Keys in a report's traceback that pytest itself needs unchanged."""


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Puts the reason of a failure into the report. Runs first of all plugins, so that all others see the report redacted."""
    run = item.stash.get(RUN, None)
    if run is not None and call.excinfo is not None and not item.config.getoption("fulltrace"):
        _end_in_own_lines(call.excinfo.value)
    report = yield
    if run is not None:
        run.skipped = run.skipped or report.skipped
        if call.excinfo is not None and report.failed and call.when != "teardown":
            run.fail(call.excinfo.value)
            _lead(report, run, traced=getattr(call.excinfo.value, "pytrace", True))
            _set_aside(report, run)
        if report.when == "call":
            _add_properties(item, run)
            report.user_properties = list(item.user_properties)
    project = item.config.stash[PROJECT]
    if project.redacts(item):
        _hide(report, project.redactor, item.config)
    return report


def _end_in_own_lines(error: BaseException) -> None:
    """Cuts off the traceback after the last frame of the project's own code, if there is one."""
    last, entry = None, error.__traceback__
    while entry is not None:
        package = entry.tb_frame.f_globals.get("__name__", "").partition(".")[0]
        last = entry if package not in MACHINERY else last
        entry = entry.tb_next
    if last is not None:
        last.tb_next = None


def _set_aside(report: pytest.TestReport, run: ItemRun) -> None:
    """Makes a failure that is in quarantine an expected one (`xfailed`), which does not fail the session."""
    result = run.result()
    if result.set_aside:
        report.outcome = "skipped"
        report.wasxfail = "; ".join(describe_quarantine(one) for one in result.quarantine if not one.over)


def _lead(report: pytest.TestReport, run: ItemRun, traced: bool) -> None:
    """Puts the failure before the traceback, or in its place when the error is not `traced`."""
    failure = run.failure
    if not run.missed_budget and (failure is None or (run.journey is None and failure.step is None)):
        return
    lines = [format_heading(failure), *format_failure(failure)] if failure else run.over_budget
    first = ": ".join([lines[0], *(failure.message.splitlines()[:1] if failure else ())])
    lines += ["", *map(format_step, run.steps)]
    if failure is not None and run.journey is not None:
        setattr(report, STATUS, run.status)
    path, line, _ = report.location
    crash = ReprFileLocation(path, (line or 0) + 1, first)
    if failure is not None and failure.file is not None and failure.line is not None:
        crash = ReprFileLocation(os.path.relpath(failure.file), failure.line, first)
    above = ReprTraceback([ReprEntryNative([f"{line}\n" for line in lines])], None, "native")
    shown: Any = report.longrepr
    below = getattr(shown, "chain", None) or [(getattr(shown, "reprtraceback", None), None, None)]
    if not traced or below[-1][0] is None:
        report.longrepr = ExceptionChainRepr([(above, crash, None)])
        return
    # The terminal's last lines, JUnit's message and others take the text and the place of the last one.
    report.longrepr = ExceptionChainRepr([(above, None, None), *below[:-1], (below[-1][0], crash, below[-1][2])])


def _add_properties(item: pytest.Item, run: ItemRun) -> None:
    """Adds the times of the steps, and removes those of an earlier attempt."""
    others = [one for one in item.user_properties if one not in run.properties]
    run.properties = []
    for step in run.steps:
        run.properties.append((f"step.{step.name}.status", step.status))
        if step.latency_seconds is not None and step.wall_seconds is not None:
            run.properties.append((f"step.{step.name}.latency_seconds", step.latency_seconds))
            run.properties.append((f"step.{step.name}.wall_seconds", step.wall_seconds))
    item.user_properties[:] = [*others, *run.properties]


def _hide(report: pytest.TestReport, redactor: Redactor, config: pytest.Config) -> None:
    """Hides secrets in the texts of a report: failure, captured output, properties."""
    report.sections = _hidden(report.sections, redactor)
    report.user_properties = _hidden(report.user_properties, redactor)
    if report.longrepr is None:
        return
    hook = config.hook
    data = hook.pytest_report_to_serializable(config=config, report=report)
    clean = {**data, "longrepr": _hidden(data["longrepr"], redactor)}
    if clean != data:
        report.longrepr = hook.pytest_report_from_serializable(config=config, data=clean).longrepr


def _hidden(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, list | tuple):
        return type(value)(_hidden(one, redactor) for one in value)
    if isinstance(value, dict):
        return {key: one if key in STRUCTURE else _hidden(one, redactor) for key, one in value.items()}
    return value
