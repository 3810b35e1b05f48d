"""`journey runs`: the saved runs."""

from itertools import islice
from typing import Annotated

import typer

from runner.archive.remote_archive import open_archive
from runner.cli import completion, given
from runner.errors import ConfigError

STATUSES = ("passed", "failed", "error", "cancelled")


def runs(
    journey: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only runs of this journey.", autocompletion=completion.journeys)
    ] = None,
    status: Annotated[list[str] | None, typer.Option(help=f"Only {', '.join(STATUSES)}; repeatable.")] = None,
    since: Annotated[str | None, typer.Option(help="Only runs of this last period, such as 12h or 7d.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most N, the newest first.")] = 30,
    json: given.Json = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """List the saved runs, newest first.

    Example: journey runs checkout --status failed --since 7d
    """
    for one in status or ():
        if one not in STATUSES:
            raise ConfigError(f"--status {one!r} is not a status; choose one of {', '.join(STATUSES)}")
    settings = given.settings(runs_dir=runs_dir)
    archive = open_archive(settings)
    if journey is not None:
        given.require_known(journey, settings, {folder.parent.name for folder in archive.ids().values()})
    earliest = given.earliest(since) if since is not None else None
    wanted = (
        saved
        for saved in archive.runs(journey)
        if (not status or saved.result.status in status) and (earliest is None or saved.result.started_at >= earliest)
    )
    found = list(islice(wanted, limit))
    given.warn_of_problems(archive)
    if json is not None:
        from reports.formats.json import write_json
        from runner.archive.json_document import build_document

        write_json(build_document((saved.result, saved.folder) for saved in found), json)
        return
    from reports.terminal.console import make_console
    from reports.terminal.run_table import render_runs

    if found:
        console = make_console(highlight=False)
        # Output to a pipe is not read in 80 columns, and `grep` needs one line per run.
        if not console.is_terminal:
            console.width = 240
        console.print(render_runs(found, console.width))
    else:
        typer.echo(f"no run{f' of {journey}' if journey else ''} in {archive.folder} matches; `journey run` makes one")
