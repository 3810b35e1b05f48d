"""The report files that a command was asked for, each written whole or not at all."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.formats.registry import REPORT_FORMATS, ReportFormat, Runs, list_saved
from runner.archive.json_document import replace_file
from runner.errors import ConfigError

if TYPE_CHECKING:
    from reports.smoke.result import SmokeResult


class Files:
    """Where each report goes."""

    def __init__(self, **targets: str | None) -> None:
        """By the names of formats: a file's path, `-` for standard output, None for a report that is not wanted."""
        self.targets = {name: target for name in REPORT_FORMATS if (target := targets.get(name)) is not None}

    @property
    def on_stdout(self) -> bool:
        """Whether standard output is a report's, so that nothing else may be written there."""
        return "-" in self.targets.values()

    def check(self) -> None:
        """Raises ConfigError when two reports would be mixed on standard output."""
        mixed = [f"--{name}" for name, target in self.targets.items() if target == "-"]
        if len(mixed) > 1:
            raise ConfigError(f"{' and '.join(mixed)} cannot both go to standard output; name a file for all but one")


def write_runs(wanted: Files, runs: Runs, environ: Mapping[str, str] = os.environ) -> None:
    """Writes the wanted reports of runs, and reports to GitHub Actions where it runs this program.

    Raises ConfigError, naming every file that could not be written, after the others have been written.
    """
    problems = _write_all(wanted, lambda row, beside: row.render_runs(runs, beside))
    if environ.get("GITHUB_ACTIONS"):
        from reports.formats.github_actions import report_runs

        report_runs(list_saved(runs), environ, sys.stderr if wanted.on_stdout else sys.stdout)
    _raise_problems(problems)


def write_smoke(wanted: Files, result: "SmokeResult", environ: Mapping[str, str] = os.environ) -> None:
    """Writes the wanted reports of a smoke check, and reports to GitHub Actions where it runs this program.

    Raises ConfigError, naming every file that could not be written, after the others have been written.
    """
    problems = _write_all(wanted, lambda row, beside: row.render_smoke(result, beside))
    if environ.get("GITHUB_ACTIONS"):
        from reports.formats.github_actions import report_smoke

        report_smoke(result, environ, sys.stderr if wanted.on_stdout else sys.stdout)
    _raise_problems(problems)


def write_report(content: str | bytes, target: str, option: str) -> None:
    """Writes a report to a file, or to standard output for `-`. Raises ConfigError when the file cannot be written."""
    if target != "-":
        replace_file(Path(target), content, option)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content if isinstance(content, bytes) else content.encode())
    sys.stdout.buffer.flush()


def _write_all(wanted: Files, render: Callable[[ReportFormat, Path], str | bytes]) -> list[str]:
    problems = []
    for name, target in wanted.targets.items():
        try:
            write_report(render(REPORT_FORMATS[name], Path(target).parent), target, f"--{name}")
        except ConfigError as error:
            problems.append(str(error))
    return problems


def _raise_problems(problems: Sequence[str]) -> None:
    if problems:
        raise ConfigError("\n".join(problems))
