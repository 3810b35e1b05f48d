"""`journey from-session`: a visitor's session becomes a journey."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.archive.atomic_write import FileChange, write_files
from runner.cli import given
from runner.dsl.discovery import load_journeys
from runner.dsl.static_discovery import find_declared_journeys
from runner.errors import ConfigError, RunNotFound
from runner.settings.parsers.values import parse_journey_name
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from reports.codegen import Made, Report
    from reports.replay.recording import Recording

UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
WRITTEN, FAILED, UNTRIED = 0, 1, 2


def from_session(
    session: Annotated[
        str, typer.Argument(metavar="ID", help="The session's id, as in the address of its replay and in `journey coverage`.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The file to write, which must not exist (default: journeys/NAME.py, named after what the visitor did).",
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="A value that the visitor typed, for the trial runs; repeatable."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Try it even if it pays, sends, deletes, or submits a form.")] = False,
    no_trial: Annotated[bool, typer.Option("--no-trial", help="Only write it, without trial runs.")] = False,
    base_url: Annotated[str | None, typer.Option(help="The site for the trial runs (default: the recorded site).")] = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
    browser_path: given.BrowserPath = None,
    json: given.Json = None,
) -> None:
    """Write what a visitor did as a journey, and run it three times to see whether it works.

    The recorded pages are rebuilt without a network, and Playwright finds a locator for each element. What the visitor typed is not
    recorded: the journey asks for it as `params` and `secrets`.

    Exit codes: 0 verified, or written with --no-trial; 1 flaky or failed; 2 written, but not tried until you give what it needs.

    Example: journey from-session 01a20fc0-aafa-7b1d-ac37-708720ccee0c --param email=tea@example.com --yes
    """
    from reports.codegen import check_origins, make_journey

    settings = given.settings(
        base_url=base_url, params=given.params(param), database=database, runs_dir=runs_dir, browser_path=browser_path
    )
    if out is not None:
        _require_free(out)
        _require_free_name(out.stem, settings)
    recording = _recording(session, settings)
    check_origins(recording, settings.apps)
    rules = next((app.routes for app in settings.apps if app.name == recording.app), ())
    # Written before it is tried: a journey that fails is still the best start for one that passes.
    made = make_journey(recording, settings, name=out.stem if out else None, try_it=False, rules=rules)
    file = _place(made, out, settings)
    write_files({file: FileChange(None, made.source.encode())})
    if not no_trial:
        from reports.codegen.verify import verify_journey

        made = verify_journey(made, file, settings, yes)
    if json is not None:
        from reports.formats.json import write_json

        write_json({"version": 1, "file": str(file), "report": made.report}, json)
    else:
        _tell(file, made.report, settings, given.params(param) or {})
    raise typer.Exit(_code(made.report, no_trial))


def _code(report: "Report", no_trial: bool) -> int:
    if report.trial.verdict == "untried":
        return WRITTEN if no_trial else UNTRIED
    return WRITTEN if report.trial.verdict == "verified" else FAILED


def _recording(session: str, settings: Settings) -> "Recording":
    """Raises RunNotFound when the session has no recording."""
    from reports.replay.chunk_store import FOLDER
    from reports.replay.recording import read_recording
    from runner.store import Store

    folder = settings.runs_dir / FOLDER
    with Store(settings.database_url) as store:
        found = read_recording(store, folder, session)
    if found is None:
        raise RunNotFound(
            f"no recording of session {session!r} in {folder}; the dashboard's list of replays and `journey coverage` show the sessions "
            "that were recorded, and --runs-dir sets where to look"
        )
    return found


def _require_free(file: Path) -> None:
    if file.suffix != ".py":
        raise ConfigError(f"--out: {file} is not a Python file; name one that ends in .py")
    if file.exists() or file.is_symlink():
        raise ConfigError(f"{file} exists and is not overwritten; choose another with --out, or move it away")


def _place(made: "Made", out: Path | None, settings: Settings) -> Path:
    """The file, and a name that no other journey has."""
    from reports.codegen.verify import journey_file

    name = made.report.name
    file = out or journey_file(name, settings.journeys)
    _require_free(file)
    _require_free_name(name, settings)
    load_journeys(file, made.source)
    return file


def _require_free_name(name: str, settings: Settings) -> None:
    """Raises ConfigError for what is not the name of a journey, and for one that another journey has."""
    try:
        parse_journey_name(name)
    except ValueError as error:
        raise ConfigError(f"--out: {error}") from error
    if UUID.fullmatch(name):
        raise ConfigError(f"--out: {name!r} says nothing about the journey; name the file after what the visitor did")
    for one in find_declared_journeys([one for one in settings.journeys if one.exists()]):
        if one.name == name:
            raise ConfigError(f"a journey named {name!r} is declared at {one.where}; choose another name with --out OTHER.py")


def _tell(file: Path, report: "Report", settings: Settings, typed: Mapping[str, str]) -> None:
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    steps = len(report.steps)
    typer.echo(
        f"wrote {shown}: {steps} {'step' if steps == 1 else 'steps'}, {report.resolved} of {len(report.actions)} actions"
    )
    for step in report.steps:
        typer.echo(f"  {step}")
    for note in report.notes:
        typer.echo(f"note: {note}")
    for one in report.dangers:
        typer.echo(f"check twice: line {one.line}, “{one.step}”: {one.danger}")
    trial = report.trial
    match trial.verdict:
        case "verified":
            typer.echo(f"verified: passed {len(trial.statuses)} of {len(trial.statuses)} runs")
        case "untried":
            # Without a reason, a trial was not asked for.
            typer.echo(f"not tried: {trial.message}" if trial.message else "not tried, as --no-trial says")
        case _:
            passed = trial.statuses.count("passed")
            place_ = next((f"line {one.line}: {one.code}" for one in report.actions if one.number == trial.action), "")
            typer.echo(f"{trial.verdict}: passed {passed} of {len(trial.statuses)} runs")
            where = [f"in step “{trial.step}”"] if trial.step else []
            where += [f"at {shown} {place_}"] if place_ else []
            typer.echo(f"  {', '.join(where) or 'before its first step'}")
            typer.echo(f"  {trial.message.splitlines()[0] if trial.message else ''}")
            others = next((one.locators[1:] for one in report.actions if one.number == trial.action), ())
            if others:
                typer.echo(f"  another locator for it: {' or '.join(others)}")
            if trial.folder:
                typer.echo(f"  its trace: journey trace {trial.folder}")
    typer.echo(f"run it: {_command(file, shown, report, settings, typed)}")


def _command(file: Path, shown: Path, report: "Report", settings: Settings, typed: Mapping[str, str]) -> str:
    """How to run it again; `typed` are the values that only this command was given."""
    among = any(file.resolve().is_relative_to(folder.resolve()) for folder in settings.journeys)
    words = ["journey run", report.name if among else str(shown)]
    site = settings.base_url if settings.origin("base_url") in {"environment", "option"} else report.base_url
    words += ["--base-url", str(site)] if site != report.base_url else []
    words += [f"--param {one}=…" for one in report.params if one in typed or one not in settings.params]
    return " ".join(words)
