"""`journey trace RUN`: Playwright's trace viewer on a saved run."""

import time
import webbrowser
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from runner.archive.remote_archive import open_archive
from runner.cli import given
from runner.cli.results.show import Run
from runner.errors import RunNotFound


def trace(
    run: Run = "last",
    step: Annotated[str | None, typer.Option(help="Only the actions of this step.")] = None,
    port: Annotated[int, typer.Option(help="The loopback port to serve on; 0 takes a free one.", min=0, max=65535)] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address, without opening a browser.")] = False,
    runs_dir: given.RunsDir = None,
) -> None:
    """Open Playwright's trace viewer on a run's trace, or on a trace in a file (`trace.zip`), until Ctrl-C.

    Example: journey trace last-failed --step "sign in"
    """
    if run.endswith(".zip"):
        # No run can be named so.
        if not Path(run).is_file():
            raise RunNotFound(f"{run}: there is no such file; name a trace in a file, or a run, as `journey runs` lists them")
        _show(Path(run), step, port, Path(run).name, no_open)
        return
    archive = open_archive(given.settings(runs_dir=runs_dir))
    saved = archive.find(run)
    traces = [artifact for artifact in saved.result.artifacts if artifact.kind == "trace"]
    if not traces:
        raise RunNotFound(
            f"run {saved.result.id} of {saved.result.journey} ({saved.result.status}) has no trace; "
            "`journey run --trace on` keeps one of every run, the default only of failed ones"
        )
    file = archive.fetch(saved, {"trace"}).folder / traces[-1].path
    if not file.is_file():
        raise RunNotFound(f"the trace of run {saved.result.id} is no longer there; it was removed from {file.parent}")
    _show(file, step, port, f"{saved.result.journey}, {saved.result.status}", no_open)


def _show(file: Path, step: str | None, port: int, title: str, no_open: bool) -> None:
    from reports import trace_viewer

    with TemporaryDirectory(prefix="journey-") as folder:
        if step is not None:
            cut_out = Path(folder) / "trace.zip"
            trace_viewer.cut(file, step, cut_out)
            file = cut_out
        _serve(file, port, title, no_open)


def _serve(file: Path, port: int, title: str, no_open: bool) -> None:
    from reports import trace_viewer

    with trace_viewer.serving(file, port) as address:
        typer.echo(f"{title}: {address}")
        typer.echo("Ctrl-C ends it.")
        if not no_open:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
