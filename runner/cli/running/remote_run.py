"""`journey run --remote` and `journey smoke --remote`: the runs are made by a scheduler elsewhere."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from reports.formats.report_files import Files, write_runs
from reports.remote.connection import Connection
from reports.remote.runs import RemoteRuns, Wish
from runner.cli import given
from runner.errors import ConfigError, JourneyError
from runner.events import Listener, Moment, RunEnded
from runner.result import RunResult
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from reports.terminal.console import SafeConsole

Remote = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Have a scheduler make the runs, through the dashboard at this address; its token is the setting serve_token.",
    ),
]
RemoteTimeout = Annotated[
    str | None, typer.Option("--remote-timeout", help="How long to wait for the verdict of remote runs (default: 30m).")
]
LIMIT = "30m"


def refuse_local_options(options: Mapping[str, object]) -> None:
    """Raises ConfigError for options that are about runs on this machine."""
    wrong = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if wrong:
        raise ConfigError(
            f"{', '.join(wrong)} and --remote: the runs are made elsewhere, with the settings of the scheduler there; leave one out"
        )


def open_remote(url: str, settings: Settings, console: "SafeConsole", limit: str | None) -> RemoteRuns:
    """The dashboard at this address. Raises ConfigError."""
    seconds = given.seconds(limit or LIMIT, "--remote-timeout")
    return RemoteRuns(Connection("--remote", url, settings.serve_token), console.note, seconds)


def given_base_url(settings: Settings) -> str | None:
    """The site under test, if this command names one; a file's is that of the scheduler's own settings."""
    return settings.base_url if settings.origin("base_url") in {"environment", "option"} else None


def run_remotely(remote: RemoteRuns, wish: Wish, files: Files, console: "SafeConsole") -> list[RunResult]:
    """Has the runs made, shows them, writes the reports; returns the results."""
    from reports.terminal.progress import Progress, format_summary

    ended: list[RunResult] = []

    def collect(moment: Moment) -> None:
        if isinstance(moment, RunEnded):
            ended.append(moment.result)

    try:
        with Progress(console) as progress:
            listeners: list[Listener] = [progress, collect]
            remote.make(wish, listeners)
    except KeyboardInterrupt:
        cancel(remote)
        raise
    finally:
        write_runs(files, [(result, None) for result in ended])
    console.print()
    console.print(format_summary(ended))
    console.print()
    for result in ended:
        if result.status != "passed" and result.environment.runner:
            console.print(
                f"see why {result.journey} {result.status}: {remote.page_of_run(result.id)}", markup=False, soft_wrap=True
            )
    console.print(f"the runs are at {remote.page}", markup=False, soft_wrap=True)
    return ended


def cancel(remote: RemoteRuns) -> None:
    """Cancels what has not begun, and says so."""
    try:
        typer.echo(f"stopped; {remote.cancel()}", err=True)
    except JourneyError as error:
        typer.echo(f"stopped; what has not begun was not cancelled: {error}", err=True)
