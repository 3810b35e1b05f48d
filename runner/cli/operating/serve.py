"""`journey serve`: the dashboard, and the collector for the reports of real users' browsers."""

import webbrowser
from socket import gethostname
from typing import Annotated

import typer

from runner.cli import given
from runner.errors import ConfigError
from runner.installation import install_command
from runner.settings.settings import Settings

EVERYWHERE = {"0.0.0.0", "[::]"}  # noqa: S104 (not listened on, but looked for)


def serve(
    env: given.EnvironmentName = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", "--serve-listen", metavar="HOST:PORT", help="Where to serve (default: 127.0.0.1:8321)."),
    ] = None,
    database: given.Database = None,
    log_format: Annotated[str, typer.Option(help="text or json.")] = "text",
    runs_dir: given.RunsDir = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the dashboard in a browser.")] = False,
) -> None:
    """Serve the dashboard, and collect what real users' browsers report, until stopped (by SIGTERM or Ctrl-C).

    Exit codes: 0 stopped in order, 2 usage or configuration, 3 the store cannot be used.

    Example: journey serve --listen 127.0.0.1:8321
    """
    if log_format not in {"text", "json"}:
        raise ConfigError(f"--log-format {log_format!r} is not a log format; choose text or json")
    settings = given.settings(env, serve_listen=listen, database=database, runs_dir=runs_dir)
    needed()
    from reports.collector.storage.gc_tuning import tune_gc
    from reports.web.server.server import is_loopback, open_socket
    from runner.cli.operating.assembly import assembled
    from runner.scheduler.logs import log_to_stderr

    collecting = settings.collector_listen or settings.serve_listen
    if not settings.apps and not is_loopback(collecting):
        setting = "collector_listen" if settings.collector_listen else "serve_listen"
        raise ConfigError(
            f"{setting}: {collecting} can be reached from other machines, but the configuration names no app that may send; add "
            "[[apps]] tables with name and origins to the configuration, or listen on 127.0.0.1"
        )
    log_to_stderr("json" if log_format == "json" else "text")
    with open_socket(settings.serve_listen) as listening, assembled(settings, env) as server:
        tune_gc()
        _greet(settings, listening.getsockname()[1])
        if open_browser and not webbrowser.open(address(settings, listening.getsockname()[1])):
            typer.echo("no browser could be opened here; open the address above", err=True)
        server.serve_until_stopped(listening)
    typer.echo("stopped")


def needed() -> None:
    """Raises ConfigError, which says what to install, when a package for serving is missing."""
    try:
        import reports.web.server.server  # noqa: F401 (only whether it can be)
    except ModuleNotFoundError as error:
        raise ConfigError(f"serve: {error.name} is missing; install it with: {install_command('serve')}") from error


def address(settings: Settings, port: int) -> str:
    """Its address, for people on this machine."""
    host = settings.serve_listen.rpartition(":")[0]
    return f"http://{gethostname() if host in EVERYWHERE else host}:{port}"


def _greet(settings: Settings, port: int) -> None:
    from reports.web.server.server import is_loopback

    here = address(settings, port)
    shown = settings.public_url.rstrip("/") if settings.public_url else here
    typer.echo(f"the dashboard is at {here}/ (Ctrl-C ends it)")
    if not is_loopback(settings.serve_listen) and not (settings.public_url or "").startswith("https://"):
        typer.echo(
            "it does not support HTTPS: put a reverse proxy in front of it and set public_url, or passwords can be intercepted"
        )
    collector = here
    if settings.collector_listen:
        host, _, number = settings.collector_listen.rpartition(":")
        shown = collector = f"http://{gethostname() if host in EVERYWHERE else host}:{number}"
    typer.echo(f"the collector is at {collector}; metrics at {here}/metrics")
    if settings.apps:
        typer.echo("put this line into the head of each page:")
    else:
        typer.echo(
            "the configuration names no app: pages on this machine may send, under any name; put this line into their head:"
        )
    path = "" if settings.collector_path == "/v1/views" else f' data-endpoint="{shown}{settings.collector_path}"'
    for name, key in [(one.name, one.key) for one in settings.apps] or [("shop", "")]:
        shown_key = f' data-key="{key}"' if key else ""
        typer.echo(f'  <script src="{shown}/agent.js" data-app="{name}"{shown_key}{path} defer></script>')
