"""The `journey` command: one thin module per command; the work is done elsewhere."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated

import typer

import runner
from runner.cli import (
    check,
    coverage,
    demo,
    diff,
    forget,
    from_session,
    init,
    install,
    listing,
    manual,
    opening,
    pause,
    prune,
    record,
    report,
    run,
    runs,
    schedule,
    serve,
    shell,
    show,
    smoke,
    trace,
    user,
)
from runner.cli.streams import output_failure, prepare_streams
from runner.errors import JourneyError

LOST_OUTPUT = 3

app = typer.Typer(
    name="journey",
    cls=manual.Group,
    help="""End user monitoring you own: scripted journeys, timed by the page, pushed to Prometheus.

    Examples: journey demo
    journey init --base-url https://shop.example
    """,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("record")(record.record)
app.command("from-session")(from_session.from_session)
app.command("run")(run.run)
app.command("smoke")(smoke.smoke)
app.command("schedule")(schedule.schedule)
app.command("serve")(serve.serve)
app.add_typer(user.app, name="user")
app.command("pause")(pause.pause)
app.command("resume")(pause.resume)
app.command("list")(listing.list_journeys)
app.command("check")(check.check)
app.command("coverage")(coverage.coverage)
app.command("runs")(runs.runs)
app.command("show")(show.show)
app.command("trace")(trace.trace)
app.command("diff")(diff.diff)
app.command("report")(report.report)
app.command("open")(opening.open_run)
app.command("prune")(prune.prune)
app.command("forget")(forget.forget)
app.command("install")(install.install)
app.command("demo")(demo.demo)
manual.use_in(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"journey {runner.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)] = False,
) -> None:
    """The options of `journey` itself."""


def main() -> None:
    """The entry point. A JourneyError is shown as one message and becomes its exit code; so does output that was lost."""
    prepare_streams()
    try:
        _main()
    except SystemExit as ended:
        problem = output_failure()
        if problem is None or ended.code:
            raise
        typer.echo(f"error: {problem}", err=True)
        sys.exit(LOST_OUTPUT)


def _main() -> None:
    # `kill` ends a run in as orderly a way as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not os.environ.get("GITHUB_ACTIONS"):
        _run()
        return
    from reports.formats import github_actions

    with github_actions.stop_commands(sys.stderr):
        _run(lambda message: github_actions.report_error(message, os.environ, sys.stderr))


def _run(tell: Callable[[str], None] | None = None) -> None:
    try:
        app(prog_name="journey")
    except JourneyError as error:
        typer.echo(f"error: {error}", err=True)
        if tell is not None:
            tell(str(error))
        sys.exit(error.exit_code)
    finally:
        if "--install-completion" in sys.argv[1:]:
            shell.fix_zsh_completion()
