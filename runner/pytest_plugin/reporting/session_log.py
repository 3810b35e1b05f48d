"""What all tests of a session reported, journeys or not, of all processes: attempt by attempt."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from msgspec import Struct

from reports.suite.records import Outcome, RecordedAttempt, RecordedTest, shorten_text
from runner.pytest_plugin.reporting.saved_files import find_saved_files
from runner.pytest_plugin.reporting.summary import STATUS, ReportedRun
from runner.untrusted_text import well_formed

CRASHED = "???"
"""What pytest-xdist calls the phase of a test whose process died."""
PHASES = ("setup", "call")
"""After which another phase of the same attempt follows."""


class _Attempt(Struct):
    began: float
    reports: list[pytest.TestReport]
    ended: float


class SessionLog:
    """Listens in the process that writes to the terminal."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._attempts: dict[str, list[_Attempt]] = {}
        self._began: dict[str, float] = {}
        self._broken: dict[str, tuple[float, pytest.CollectReport]] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins; that of one whose process dies has no other time."""
        self._began[nodeid] = time.time()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps the report; the first phase, or a repeated one, begins an attempt."""
        now = time.time()
        attempts = self._attempts.setdefault(report.nodeid, [])
        if not attempts or report.when == "setup" or attempts[-1].reports[-1].when not in PHASES:
            attempts.append(_Attempt(report.start or self._began.get(report.nodeid, now), [], now))
        attempts[-1].reports.append(report)
        attempts[-1].ended = report.stop or now

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keeps what could not be collected: its tests did not run."""
        if report.failed:
            self._broken[report.nodeid] = (time.time(), report)

    def list_records(self, runs: Mapping[str, ReportedRun]) -> list[RecordedTest]:
        """What could not be collected, then all tests as they began; `runs` are those of tests with steps."""
        broken = [_broken_record(nodeid, at, report) for nodeid, (at, report) in self._broken.items()]
        return broken + [self._make_record(nodeid, runs.get(nodeid)) for nodeid in self._attempts]

    def _make_record(self, nodeid: str, run: ReportedRun | None) -> RecordedTest:
        attempts = self._attempts[nodeid]
        # Each phase repeats the properties of those before it.
        properties = dict.fromkeys(one for report in attempts[-1].reports for one in report.user_properties if _is_file(one))
        folder, artifacts = find_saved_files(properties, self._config.invocation_params.dir)
        return RecordedTest(
            id=nodeid,
            attempts=tuple(_make_attempt(number, one) for number, one in enumerate(attempts, 1)),
            run=run.result.id if run and run.journey else "",
            steps_run=run.result if run and not run.journey else None,
            folder=str(folder) if folder else None,
            artifacts=artifacts,
        )


def _is_file(named: tuple[str, object]) -> bool:
    return named[0].startswith("playwright_") and isinstance(named[1], str)


def _broken_record(nodeid: str, at: float, report: pytest.CollectReport) -> RecordedTest:
    attempt = RecordedAttempt(
        number=1,
        outcome="error",
        started_at=datetime.fromtimestamp(at, UTC),
        duration_seconds=0.0,
        message="it could not be collected",
        text=well_formed(shorten_text(report.longreprtext)),
    )
    return RecordedTest(id=nodeid, attempts=(attempt,))


def _make_attempt(number: int, attempt: _Attempt) -> RecordedAttempt:
    decisive = next((one for one in attempt.reports if _judge(one) != "passed"), attempt.reports[-1])
    outcome = _judge(decisive)
    bad = outcome in {"failed", "error", "crashed", "xfailed"}
    return RecordedAttempt(
        number=number,
        outcome=outcome,
        started_at=datetime.fromtimestamp(attempt.began, UTC),
        duration_seconds=round(max(attempt.ended - attempt.began, 0.0), 6),
        worker=_name_worker(attempt.reports[-1]),
        message=well_formed(_find_message(decisive, outcome)),
        text=well_formed(shorten_text(decisive.longreprtext)) if bad else "",
    )


def _judge(report: pytest.TestReport) -> Outcome:
    """The outcome of a phase; one that was repeated by pytest-rerunfailures has failed, whatever it calls that."""
    if report.when == CRASHED:
        return "crashed"
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed" if report.passed else "failed"
    if report.passed or report.skipped:
        return "passed" if report.passed else "skipped"
    status: Outcome | None = getattr(report, STATUS, None)
    return status or ("failed" if report.when == "call" else "error")


def _name_worker(report: pytest.TestReport) -> str:
    name = getattr(report, "worker_id", "")
    if report.when == CRASHED:
        name = getattr(getattr(getattr(report, "node", None), "gateway", None), "id", name)
    return "" if name == "master" else str(name)


def _find_message(report: pytest.TestReport, outcome: Outcome) -> str:
    if outcome in {"xfailed", "xpassed"}:
        return str(getattr(report, "wasxfail", "")).removeprefix("reason: ")
    if outcome == "skipped":
        shown = report.longrepr
        return (shown[2] if isinstance(shown, tuple) else str(shown)).removeprefix("Skipped: ")
    if outcome == "passed":
        return ""
    if outcome == "crashed":
        return report.longreprtext.strip().rpartition("\n")[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    return next((line for line in text.splitlines() if line.strip()), "")
