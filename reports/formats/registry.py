"""The report files that a command was asked for, made from results and written in one place; each whole or not at all."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct

from reports.formats import json as json_report
from reports.smoke.result import SmokeResult
from runner.archive.archive import Saved
from runner.errors import ConfigError
from runner.result import RunResult

Format = Literal["html", "junit", "markdown", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)


class Files(Struct, frozen=True, kw_only=True):
    """Where each report goes: a file's path, `-` for standard output, None when it is not wanted."""

    json: str | None = None
    junit: str | None = None
    markdown: str | None = None
    html: str | None = None

    def wanted(self) -> dict[Format, str]:
        """Where each wanted report goes."""
        return {name: target for name in FORMATS if (target := getattr(self, name)) is not None}

    @property
    def on_stdout(self) -> bool:
        """Whether standard output is a report's, so that nothing else may be written there."""
        return "-" in self.wanted().values()

    def check(self) -> None:
        """Raises ConfigError when two reports would be mixed on standard output."""
        mixed = [f"--{name}" for name, target in self.wanted().items() if target == "-"]
        if len(mixed) > 1:
            raise ConfigError(f"{' and '.join(mixed)} cannot both go to standard output; name a file for all but one")


def of_runs(form: Format, runs: Sequence[tuple[RunResult, Path | None]], beside: Path) -> str | bytes:
    """A report of runs, each with the folder it is saved in; `beside` is the folder that the report will lie in."""
    if form == "json":
        return json_report.format_json(json_report.build_document(runs))
    # A run that could not be saved has no artifacts, so nobody asks where they are.
    saved = [Saved(result, folder or Path()) for result, folder in runs]
    if form == "junit":
        from reports.formats.junit import runs_junit

        return runs_junit(saved)
    if form == "markdown":
        from reports.formats.markdown import runs_markdown

        return runs_markdown(saved)
    from reports.formats.html.runs import runs_html

    return runs_html(saved, beside)


def of_smoke(form: Format, result: SmokeResult, beside: Path) -> str | bytes:
    """A report of a smoke check; `beside` is the folder that the report will lie in."""
    if form == "json":
        return json_report.format_json(result)
    if form == "junit":
        from reports.formats.junit import smoke_junit

        return smoke_junit(result)
    if form == "markdown":
        from reports.formats.markdown import smoke_markdown

        return smoke_markdown(result)
    from reports.formats.html.smoke import smoke_html

    return smoke_html(result, beside)


def write_runs(wanted: Files, runs: Sequence[tuple[RunResult, Path | None]], environ: Mapping[str, str] = os.environ) -> None:
    """Writes the wanted reports of runs, and tells GitHub Actions where that is what runs us.

    Raises ConfigError, naming every file that could not be written, after all else is done.
    """
    problems = _write_all(wanted, lambda form, beside: of_runs(form, runs, beside))
    if environ.get("GITHUB_ACTIONS"):
        from reports.formats import github_actions as github

        saved = [Saved(result, folder or Path()) for result, folder in runs]
        github.tell_runs(saved, environ, sys.stderr if wanted.on_stdout else sys.stdout)
    _raise(problems)


def write_smoke(wanted: Files, result: SmokeResult, environ: Mapping[str, str] = os.environ) -> None:
    """Writes the wanted reports of a smoke check, and tells GitHub Actions where that is what runs us.

    Raises ConfigError, naming every file that could not be written, after all else is done.
    """
    problems = _write_all(wanted, lambda form, beside: of_smoke(form, result, beside))
    if environ.get("GITHUB_ACTIONS"):
        from reports.formats import github_actions as github

        github.tell(result, environ, sys.stderr if wanted.on_stdout else sys.stdout)
    _raise(problems)


def write(content: str | bytes, target: str, option: str) -> None:
    """Writes a report to a file, or to standard output for `-`. Raises ConfigError when the file cannot be written."""
    if target != "-":
        json_report.replace_file(Path(target), content, option)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content if isinstance(content, bytes) else content.encode())
    sys.stdout.buffer.flush()


def _write_all(wanted: Files, make: Callable[[Format, Path], str | bytes]) -> list[str]:
    problems = []
    for form, target in wanted.wanted().items():
        try:
            write(make(form, Path(target).parent), target, f"--{form}")
        except ConfigError as error:
            problems.append(str(error))
    return problems


def _raise(problems: Sequence[str]) -> None:
    if problems:
        raise ConfigError("\n".join(problems))
