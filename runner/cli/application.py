"""The application: which commands there are, and what all of them have in common."""

from pkgutil import resolve_name
from typing import Annotated

import typer

import runner
from runner.cli import manual

COMMANDS = {
    "init": "runner.cli.authoring.init:init",
    "record": "runner.cli.authoring.record:record",
    "from-session": "runner.cli.authoring.from_session:from_session",
    "run": "runner.cli.running.run:run",
    "smoke": "runner.cli.running.smoke:smoke",
    "schedule": "runner.cli.operating.schedule:schedule",
    "worker": "runner.cli.operating.worker:worker",
    "serve": "runner.cli.operating.serve:serve",
    "status-page": "runner.cli.operating.status_page:app",
    "sourcemaps": "runner.cli.operating.source_maps:app",
    "user": "runner.cli.operating.user:app",
    "bundle": "runner.cli.operating.bundle:app",
    "pause": "runner.cli.operating.pause:pause",
    "resume": "runner.cli.operating.pause:resume",
    "alerts": "runner.cli.operating.alerts:app",
    "list": "runner.cli.authoring.listing:list_journeys",
    "check": "runner.cli.authoring.check:check",
    "coverage": "runner.cli.results.coverage:coverage",
    "runs": "runner.cli.results.runs:runs",
    "show": "runner.cli.results.show:show",
    "trace": "runner.cli.results.trace:trace",
    "diff": "runner.cli.results.diff:diff",
    "report": "runner.cli.results.report:report",
    "flaky": "runner.cli.results.flaky:flaky",
    "pictures": "runner.cli.results.pictures:app",
    "accessibility": "runner.cli.results.accessibility:app",
    "slo": "runner.cli.results.objectives:app",
    "grafana": "runner.cli.operating.grafana:app",
    "open": "runner.cli.results.opening:open_run",
    "store": "runner.cli.operating.store:app",
    "prune": "runner.cli.operating.prune:prune",
    "forget": "runner.cli.operating.forget:forget",
    "install": "runner.cli.running.install:install",
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
