"""The application: which commands there are, and what all of them have in common."""

from pkgutil import resolve_name
from typing import Annotated

import typer

import runner
from runner.cli import manual

COMMANDS = {
    "init": "runner.cli.init:init",
    "record": "runner.cli.record:record",
    "from-session": "runner.cli.from_session:from_session",
    "run": "runner.cli.run:run",
    "smoke": "runner.cli.smoke:smoke",
    "schedule": "runner.cli.schedule:schedule",
    "serve": "runner.cli.serve:serve",
    "user": "runner.cli.user:app",
    "pause": "runner.cli.pause:pause",
    "resume": "runner.cli.pause:resume",
    "list": "runner.cli.listing:list_journeys",
    "check": "runner.cli.check:check",
    "coverage": "runner.cli.coverage:coverage",
    "runs": "runner.cli.runs:runs",
    "show": "runner.cli.show:show",
    "trace": "runner.cli.trace:trace",
    "diff": "runner.cli.diff:diff",
    "report": "runner.cli.report:report",
    "open": "runner.cli.opening:open_run",
    "prune": "runner.cli.prune:prune",
    "forget": "runner.cli.forget:forget",
    "install": "runner.cli.install:install",
    "demo": "runner.cli.demo:demo",
}
"""Each command's function, or the application of a group of commands; in the order of the help."""


def make_app(only: str | None = None) -> typer.Typer:
    """The application with all commands, or with `only` one: then no other command's module is imported."""
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
        callback=_options,
    )
    for name in COMMANDS if only is None else (only,):
        command = resolve_name(COMMANDS[name])
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    manual.use_in(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"journey {runner.__version__}")
        raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)] = False,
) -> None:
    """The options of `journey` itself."""
