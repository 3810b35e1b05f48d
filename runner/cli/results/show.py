"""`journey show RUN`: one saved run."""

from typing import Annotated

import typer

from runner.archive.remote_archive import open_archive
from runner.cli import completion, given

Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run's id, its beginning, `last`, `last-failed`, NAME@last, or a folder.",
        autocompletion=completion.runs,
    ),
]


def show(run: Run = "last", json: given.Json = None, runs_dir: given.RunsDir = None) -> None:
    """Show a saved run: its steps, what they loaded, why it failed, its artifacts.

    Example: journey show last-failed
    """
    settings = given.settings(runs_dir=runs_dir)
    archive = open_archive(settings)
    saved = archive.fetch(archive.find(run), {"aria"})
    given.warn_of_problems(archive)
    if json is not None:
        from reports.formats.json import write_json
        from runner.archive.json_document import build_document

        write_json(build_document([(saved.result, saved.folder)]), json)
        return
    from reports.terminal.console import make_console
    from reports.terminal.run_detail import render_run

    console = make_console(highlight=False)
    console.print(render_run(saved), soft_wrap=True)
    if settings.artifacts and any(not (saved.folder / one.path).is_file() for one in saved.result.artifacts):
        where = f"{settings.artifacts}/{saved.result.journey}/{saved.folder.name}"
        console.print(f"\nfiles that are not here: {where}", markup=False, soft_wrap=True)
    trace = saved.result.trace_id
    if trace:
        where = trace
        if settings.trace_url:
            from runner.telemetry.trace_ids import format_trace_url, span_id

            where = format_trace_url(settings.trace_url, trace, span_id(saved.result.id))
        console.print(f"\nspans: {where}", markup=False, soft_wrap=True)
