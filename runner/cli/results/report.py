"""`journey report`: a report of saved runs or of a saved smoke check."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.formats.registry import REPORT_FORMATS
from reports.formats.report_files import write_report
from runner.archive.archive import Archive, Saved
from runner.archive.remote_archive import open_archive
from runner.cli import given
from runner.errors import ConfigError, RunNotFound

if TYPE_CHECKING:
    from reports.smoke.result import SmokeResult

*_OTHERS, _LAST_FORMAT = REPORT_FORMATS
FORMATS = f"{', '.join(_OTHERS)} or {_LAST_FORMAT}"
FILES = ", ".join(f"report-<id>{row.suffix} for {row.name}" for row in REPORT_FORMATS.values() if row.to_file)
LAST = "last-smoke"


def report(
    wanted: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN|SMOKE",
            help="Runs (ids, their beginnings, `last`, `last-failed`, NAME@last, folders), or one smoke check (its id, `last-smoke`); "
            "`last` if none.",
        ),
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"One of {FORMATS}.")] = "html",
    output: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"The file to write; - is standard output (default: {FILES}, else standard output)."),
    ] = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Make a report of saved runs, or of a saved smoke check, from what is stored.

    Example: journey report last-failed --format markdown
    """
    chosen = REPORT_FORMATS.get(form)
    if chosen is None:
        raise ConfigError(f"--format {form!r} is not a format; choose one of {FORMATS}")
    archive = open_archive(given.settings(runs_dir=runs_dir))
    words = wanted or ["last"]
    check = _smoke(archive, words)
    runs = [] if check else [archive.fetch(archive.find(word)) for word in words]
    given.warn_of_problems(archive)
    target = output or (_name(check, runs, chosen.suffix) if chosen.to_file else "-")
    beside = Path(target).parent
    if check is not None:
        content = chosen.render_smoke(check, beside)
    else:
        content = chosen.render_runs([(saved.result, saved.folder) for saved in runs], beside)
    write_report(content, target, "--output")
    if output is None and target != "-":
        typer.echo(target)


def _smoke(archive: Archive, words: list[str]) -> "SmokeResult | None":
    """The smoke check that the words name; None when they name runs. Raises RunNotFound when they are ambiguous."""
    from reports.smoke.archive import SmokeArchive

    checks = SmokeArchive(archive.folder)
    if words == [LAST]:
        return checks.find("last").result
    named = [word for word in words if word == LAST or checks.matching(word)]
    runs = [word for word in words if word not in named or any(one.startswith(word) for one in archive.ids())]
    if not named:
        return None
    if runs:
        both = next((word for word in runs if word in named), None)
        if both:
            raise RunNotFound(f"{both!r} begins the ids of a run and of a smoke check; give more characters")
        raise RunNotFound(f"{runs[0]!r} is a run, {named[0]!r} a smoke check; name runs, or one smoke check")
    if len(named) > 1:
        raise RunNotFound(f"{', '.join(named)} are smoke checks; name one")
    return checks.find(named[0]).result


def _name(check: "SmokeResult | None", runs: list[Saved], suffix: str) -> str:
    more = f"-and-{len(runs) - 1}-more" if len(runs) > 1 else ""
    return f"report-{check.id if check else runs[0].result.id}{more}{suffix}"
