"""The formats of reports, one row each: everything that lists formats reads this table."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from runner.archive.archive import Saved
from runner.result import RunResult

if TYPE_CHECKING:
    from reports.smoke.result import SmokeResult
    from reports.suite.merge import Merged

Runs = Sequence[tuple[RunResult, Path | None]]
"""Runs, each with the folder it is saved in; None for one that could not be saved."""


class ReportFormat(Struct, frozen=True, kw_only=True):
    """One format of reports."""

    name: str
    """Its name for `journey report --format`, and that of its option where a command has one."""
    module: str
    """It has `render_runs(runs: Runs, beside: Path)` and `render_smoke(result: SmokeResult, beside: Path)`, which return text or
    bytes, and may have `render_suite(merged: Merged, beside: Path)`; `beside` is the folder that the report will be in.
    Imported only when a report is made."""
    suffix: str
    """Of its files."""
    to_file: bool = False
    """Whether `journey report` writes it to a file by default, and not to standard output."""
    options: dict[str, str] = {}
    """The commands that have an option for it, each with the option's help."""

    def render_runs(self, runs: Runs, beside: Path) -> str | bytes:
        """A report of runs."""
        rendered: str | bytes = self._load().render_runs(runs, beside)
        return rendered

    def render_smoke(self, result: "SmokeResult", beside: Path) -> str | bytes:
        """A report of a smoke check."""
        rendered: str | bytes = self._load().render_smoke(result, beside)
        return rendered

    def render_suite(self, merged: "Merged", beside: Path) -> str | bytes:
        """A report of merged documents; formats without `render_suite` have the runs alone."""
        module = self._load()
        if hasattr(module, "render_suite"):
            suite: str | bytes = module.render_suite(merged, beside)
            return suite
        return self.render_runs([(saved.result, saved.folder) for saved in merged.runs], beside)

    def _load(self) -> Any:
        return import_module(self.module)


_ROWS = (
    ReportFormat(
        name="html",
        module="reports.formats.html.report",
        suffix=".html",
        to_file=True,
        options={"smoke": "Write the result as one page.", "report": "Write one page to FILE."},
    ),
    ReportFormat(
        name="junit",
        module="reports.formats.junit",
        suffix=".xml",
        options={
            "run": "Write the result as JUnit XML to FILE, or to standard output for -.",
            "smoke": "Write the result as JUnit XML.",
            "report": "Write JUnit XML to FILE, or to standard output for -.",
        },
    ),
    ReportFormat(
        name="markdown",
        module="reports.formats.markdown",
        suffix=".md",
        options={
            "run": "Write the result as Markdown to FILE, or to standard output for -.",
            "smoke": "Write the result as Markdown.",
            "report": "Write Markdown to FILE, or to standard output for -.",
        },
    ),
    ReportFormat(
        name="json",
        module="reports.formats.json",
        suffix=".json",
        options={
            "run": "Write the result as JSON to FILE, or to standard output for -.",
            "smoke": "Write the result as JSON to FILE, or to standard output for -.",
            "report": "Write JSON to FILE, or to standard output for -.",
        },
    ),
)
REPORT_FORMATS: dict[str, ReportFormat] = {row.name: row for row in _ROWS}
"""The formats by their names, in the order in which reports are written."""


def list_option_formats(command: str) -> list[ReportFormat]:
    """The formats for which a command has an option, in the order of its help."""
    offered = [row for row in REPORT_FORMATS.values() if command in row.options]
    return sorted(offered, key=lambda row: (row.to_file, row.name))


def list_saved(runs: Runs) -> list[Saved]:
    """The runs with their folders."""
    # A run that could not be saved has no artifacts, so nobody asks where they are.
    return [Saved(result, folder or Path()) for result, folder in runs]
