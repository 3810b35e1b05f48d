"""`journey report`: a report of saved runs or of a saved smoke check."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.formats.registry import REPORT_FORMATS, ReportFormat
from reports.formats.report_files import Files, write_report
from runner.archive.archive import Archive, Saved
from runner.archive.remote_archive import open_archive
from runner.cli import given
from runner.cli.running.report_options import with_report_options
from runner.errors import ConfigError, RunNotFound

if TYPE_CHECKING:
    from reports.smoke.result import SmokeResult

*_OTHERS, _LAST_FORMAT = REPORT_FORMATS
FORMATS = f"{', '.join(_OTHERS)} or {_LAST_FORMAT}"
FILES = ", ".join(f"report-<id>{row.suffix} for {row.name}" for row in REPORT_FORMATS.values() if row.to_file)
LAST = "last-smoke"


MERGE = "merge"


@with_report_options("report")
def report(
    wanted: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN|SMOKE|merge FILE",
            help="Runs (ids, their beginnings, `last`, `last-failed`, NAME@last, folders), or one smoke check (its id, `last-smoke`); "
            "`last` if none. Or `merge`, and JSON documents of runs and tests, such as those of shards.",
        ),
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"One of {FORMATS}.")] = "html",
    output: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"The file to write; - is standard output (default: {FILES}, else standard output)."),
    ] = None,
    runs_dir: given.RunsDir = None,
    *,
    files: Files,
) -> None:
    """Make a report of saved runs, or of a saved smoke check, from what is stored; or merge the JSON documents of several shards.

    Runs that are in several documents count once; a test, or a journey, that was repeated in another shard has several attempts.

    Examples: journey report last-failed --format markdown
    journey report merge a.json b.json --html report.html --json all.json
    """
    files.check()
    chosen = REPORT_FORMATS.get(form)
    if chosen is None:
        raise ConfigError(f"--format {form!r} is not a format; choose one of {FORMATS}")
    if wanted and wanted[0] == MERGE:
        _merge(wanted[1:], files, form, output)
        return
    archive = open_archive(given.settings(runs_dir=runs_dir))
    words = wanted or ["last"]
    check = _smoke(archive, words)
    runs = [] if check else [archive.fetch(archive.find(word)) for word in words]
    given.warn_of_problems(archive)
    if files.targets:
        if output is not None:
            raise ConfigError("--output names the file of --format; leave it out beside --html, --json and the like")
        for name, file in files.targets.items():
            write_report(_render(REPORT_FORMATS[name], check, runs, Path(file).parent), file, f"--{name}")
        return
    target = output or (_name(check, runs, chosen.suffix) if chosen.to_file else "-")
    write_report(_render(chosen, check, runs, Path(target).parent), target, "--output")
    if output is None and target != "-":
        typer.echo(target)


def _render(row: ReportFormat, check: "SmokeResult | None", runs: list[Saved], beside: Path) -> str | bytes:
    if check is not None:
        return row.render_smoke(check, beside)
    return row.render_runs([(saved.result, saved.folder) for saved in runs], beside)


def _merge(words: list[str], files: Files, form: str, output: str | None) -> None:
    """Writes what the files hold together, in each format that was asked for. Raises ConfigError."""
    from reports.suite.merge import merge_documents

    targets = {**files.targets, **({form: output} if output else {})}
    if not words or not targets:
        what = "no document to merge" if not words else "no report to write"
        raise ConfigError(f"{what}; write it as: journey report {MERGE} a.json b.json --html report.html --json all.json")
    merged = merge_documents([Path(word) for word in words])
    for name, target in targets.items():
        write_report(REPORT_FORMATS[name].render_suite(merged, Path(target).parent), target, f"--{name}")


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
