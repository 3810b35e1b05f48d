"""`journey diff RUN RUN`: what changed between two runs."""

from typing import Annotated

import typer

from runner.archive.remote_archive import open_archive
from runner.cli import completion, given
from runner.errors import RunNotFound

HOW = "An id, its beginning, `last`, `last-failed`, NAME@last, or a folder."


def diff(
    before: Annotated[
        str, typer.Argument(metavar="BEFORE", help=f"The run to compare with. {HOW}", autocompletion=completion.runs)
    ],
    after: Annotated[
        str, typer.Argument(metavar="AFTER", help="The other run of the same journey.", autocompletion=completion.runs)
    ] = "last",
    json: given.Json = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Show which steps changed between two runs, by which phase, and which requests are new, gone, failed, slower or bigger.

    Example: journey diff 01a20d1c buy@last
    """
    archive = open_archive(given.settings(runs_dir=runs_dir))
    first, second = archive.find(before).result, archive.find(after).result
    if first.journey != second.journey:
        raise RunNotFound(
            f"{before} is a run of {first.journey}, {after} one of {second.journey}; name two runs of one journey, "
            f"such as {first.journey}@last"
        )
    if json is not None:
        from reports.compare.run_diff import compare_runs
        from reports.formats.json import write_json

        steps = compare_runs(first, second)
        write_json({"version": 1, "before": first.id, "after": second.id, "steps": steps}, json)
        return
    from reports.terminal.console import make_console
    from reports.terminal.run_diff import render_run_diff

    make_console(highlight=False).print(render_run_diff(first, second), soft_wrap=True)
