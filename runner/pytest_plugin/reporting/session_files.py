"""Writes what a session was asked for: `--journey-json`, `--journey-html`, `--journey-report-dir`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.suite.records import RecordedTest
from runner.archive.archive import Saved
from runner.archive.json_document import build_document, format_json, replace_file
from runner.errors import ConfigError, RunNotFound
from runner.pytest_plugin.reporting.session_log import SessionLog
from runner.pytest_plugin.reporting.summary import Summary

PAGE, DATA, VIEWER = "index.html", "data", "viewer"
"""What is in the folder of a report."""


def check_report_folder(folder: Path) -> None:
    """Raises UsageError for a folder that holds anything but an earlier report, which would be deleted."""
    if folder.exists() and not folder.is_dir():
        raise pytest.UsageError(f"--journey-report-dir {folder}: is not a folder; name one that is empty or does not exist")
    others = {one.name for one in folder.iterdir()} - {PAGE, DATA, VIEWER} if folder.is_dir() else set()
    if others:
        raise pytest.UsageError(
            f"--journey-report-dir {folder}: holds {min(others)!r}, which is not of a report; name a folder of its own"
        )


class SessionFiles:
    """Writes them at the end of the session, in the process that writes to the terminal."""

    def __init__(self, config: pytest.Config, summary: Summary, log: SessionLog) -> None:
        self._config = config
        self._summary = summary
        self._log = log

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Each is written whole or not at all; what could not be written fails the session, after the others have been."""
        records = self._log.list_records(self._summary.runs)
        wanted: dict[str, Callable[[Path, list[RecordedTest]], None]] = {
            "journey_json": self._write_json,
            "journey_html": self._write_page,
            "journey_report_dir": self._write_folder,
        }
        for option, write in wanted.items():
            target: Path | None = self._config.getoption(option)
            if target is None:
                continue
            try:
                write(target, records)
            except (ConfigError, RunNotFound, OSError) as error:
                # The tests have run: the rest of the report must not be lost.
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
                reporter = self._config.pluginmanager.get_plugin("terminalreporter")
                if reporter is not None:
                    named = str(error) if isinstance(error, ConfigError) else f"--{option.replace('_', '-')} {target}: {error}"
                    reporter.write_line(f"\nERROR: {named}", red=True)

    def _list_runs(self) -> list[tuple[Saved, bool]]:
        return [(Saved(one.result, Path(one.folder or "")), one.folder is not None) for one in self._summary.journeys]

    def _write_json(self, target: Path, records: list[RecordedTest]) -> None:
        runs = [(saved.result, saved.folder if known else None) for saved, known in self._list_runs()]
        replace_file(target, format_json(build_document(runs) | {"tests": records}), "--journey-json")

    def _write_page(self, target: Path, records: list[RecordedTest]) -> None:
        replace_file(target, self._render(records, target.absolute().parent, False), "--journey-html")

    def _render(self, records: list[RecordedTest], beside: Path, viewer: bool) -> bytes:
        from reports.formats.html.suite import suite_html
        from reports.suite.entries import list_test_entries

        runs = {saved.result.id: saved for saved, _ in self._list_runs()}
        return suite_html(list_test_entries(records, runs), beside, viewer=viewer)

    def _write_folder(self, target: Path, records: list[RecordedTest]) -> None:
        from reports.trace_viewer import viewer_folder

        for name in (DATA, VIEWER):
            shutil.rmtree(target / name, ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        copied = [self._copy(record, target / DATA / str(number)) for number, record in enumerate(records, 1)]
        if any(one.kind == "trace" for record in copied for one in record.artifacts):
            shutil.copytree(viewer_folder(), target / VIEWER)
        replace_file(target / PAGE, self._render(copied, target.absolute(), True), "--journey-report-dir")

    def _copy(self, record: RecordedTest, folder: Path) -> RecordedTest:
        """The test with copies of its files, so that the folder can be moved as it is."""
        kept = []
        for one in record.artifacts:
            source = Path(record.folder or "") / one.path
            if source.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / one.path)
                kept.append(one)
        return replace(record, folder=str(folder), artifacts=tuple(kept))
