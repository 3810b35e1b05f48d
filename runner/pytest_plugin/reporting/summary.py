"""Reports the runs, in the process that writes to the terminal: the status word, the section of journeys, spans."""

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from runner.errors import ConfigError
from runner.events import RunEnded
from runner.pytest_plugin.reporting.formatting import format_step
from runner.pytest_plugin.session import PROJECT
from runner.result import RunResult
from runner.settings.sections.quarantine import describe_quarantine

ATTRIBUTE = "journey_run"
"""Attribute of a test's last report: its run, as JSON."""
STATUS = "journey_status"
"""Attribute of the report of a journey that did not pass: `failed` (the site) or `error` (the monitor)."""


class ReportedRun(Struct, frozen=True):
    """The run of a test with steps, as it was sent from the process that ran it."""

    result: RunResult
    journey: bool
    folder: str | None = None


class Summary:
    """Listens to the reports of all processes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.runs: dict[str, ReportedRun] = {}
        """By the ids of the tests."""

    @property
    def journeys(self) -> list[ReportedRun]:
        """The runs of journeys."""
        return [one for one in self.runs.values() if one.journey]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps the newest run of each test, which includes its earlier attempts."""
        reported = getattr(report, ATTRIBUTE, None)
        if reported is not None and not hasattr(self._config, "workerinput"):
            self.runs[report.nodeid] = msgspec.json.decode(reported, type=ReportedRun)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """An error of the monitor is not a failure of the site, and a failed sign-in is not an error of a fixture."""
        status = getattr(report, STATUS, None)
        if status is None or not report.failed:
            return None
        if status == "error":
            return "error", "E", ("MONITOR ERROR", {"red": True})
        return "failed", "F", "FAILED"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Lists journeys and tests with steps, each with its steps."""
        if not self.runs:
            return
        terminalreporter.section("journeys")
        for nodeid, reported in self.runs.items():
            result = reported.result
            again = f" at attempt {result.attempts}" if result.attempts > 1 else ""
            terminalreporter.line(f"{nodeid} {result.status}{again} in {result.duration_seconds:.3f} s")
            for step in result.steps:
                terminalreporter.line(format_step(step))
            for one in result.quarantine:
                terminalreporter.line(f"  {describe_quarantine(one)}")
            for note in result.notes:
                terminalreporter.line(f"  note: {note}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Sends all runs as spans, if that is wanted."""
        if hasattr(self._config, "workerinput") or not self.runs or not self._config.stash[PROJECT].settings.sends_tests:
            return
        # Here and not above: it imports a client of OpenTelemetry.
        from runner.telemetry.telemetry import Telemetry

        settings = self._config.stash[PROJECT].settings
        try:
            telemetry = Telemetry(settings, "pytest")
        except ConfigError as error:
            # The tests have run: the rest of the report must not be lost.
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
            self._say(f"ERROR: {error}", red=True)
            return
        for reported in self.runs.values():
            telemetry(RunEnded(result=reported.result))
        if left := telemetry.stop(settings.otlp_timeout):
            self._say(f"WARNING: {left} runs were not sent as spans; the next session tries again", yellow=True)

    def _say(self, text: str, **markup: bool) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"\n{text}", **markup)
