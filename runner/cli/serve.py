"""`journey serve`: take in what real users' browsers report."""

from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import given
from runner.config import Settings
from runner.errors import ConfigError

if TYPE_CHECKING:
    from socket import socket


def serve(
    env: given.EnvironmentName = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", "--serve-listen", metavar="HOST:PORT", help="Where to serve (default: 127.0.0.1:8321)."),
    ] = None,
    database: given.Database = None,
    log_format: Annotated[str, typer.Option(help="text or json.")] = "text",
    runs_dir: given.RunsDir = None,
) -> None:
    """Take in what real users' browsers report, until told to stop (SIGTERM or Ctrl-C).

    Exit codes: 0 stopped in order, 2 usage or configuration, 3 the store cannot be used.

    Example: journey serve --listen 127.0.0.1:8321
    """
    if log_format not in {"text", "json"}:
        raise ConfigError(f"--log-format {log_format!r} is not a form of log; choose text or json")
    settings = given.settings(env, serve_listen=listen, database=database, runs_dir=runs_dir)
    try:
        from reports.web.server import is_loopback
        from reports.web.server import listen as listen_at
    except ModuleNotFoundError as error:
        raise ConfigError(f"serve: {error.name} is missing; install with: pip install 'journey-runner[serve]'") from error
    from runner.logs import log_to_stderr

    if not settings.apps and not is_loopback(settings.serve_listen):
        raise ConfigError(
            f"serve_listen: {settings.serve_listen} can be reached from other machines, but no app is named that may send; add "
            "[[apps]] tables with name and origins to the configuration, or listen on 127.0.0.1"
        )
    log_to_stderr("json" if log_format == "json" else "text")
    with listen_at(settings.serve_listen) as listening:
        _run(settings, listening)


def _run(settings: Settings, listening: "socket") -> None:
    from reports.collector.collector import Collector
    from reports.collector.pace import set_pace
    from reports.collector.retention import Keep
    from reports.collector.writer import Writer
    from reports.web.app import build
    from reports.web.connection import Guard
    from reports.web.server import Server

    settings.runs_dir.mkdir(parents=True, exist_ok=True)
    keep = Keep(views=settings.keep_views, rollups=settings.keep_rollups, size=settings.keep_views_size)
    with Writer(settings.database_url, keep=keep) as writer:
        collector = Collector(settings, writer)
        guard = Guard(lambda reason: collector.metrics.closed.add((reason,)))
        collector.metrics.connections = lambda: len(guard.connections)
        set_pace()
        _greet(settings, listening.getsockname()[1])
        Server(build([collector]), guard).serve_until_stopped(listening)
    typer.echo("stopped")


def _greet(settings: Settings, port: int) -> None:
    host = settings.serve_listen.rpartition(":")[0]
    address = f"http://{host}:{port}"
    shown = settings.public_url.rstrip("/") if settings.public_url else address
    typer.echo(f"the collector is at {address}; metrics at {address}/metrics (Ctrl-C ends it)")
    if settings.apps:
        typer.echo("put this line into the head of each page:")
    else:
        typer.echo(
            "no app is named in the configuration: pages of this machine may send, under any name; put this line into them:"
        )
    path = "" if settings.collector_path == "/v1/views" else f' data-endpoint="{shown}{settings.collector_path}"'
    for name, key in [(one.name, one.key) for one in settings.apps] or [("shop", "")]:
        shown_key = f' data-key="{key}"' if key else ""
        typer.echo(f'  <script src="{shown}/agent.js" data-app="{name}"{shown_key}{path} defer></script>')
