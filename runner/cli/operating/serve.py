"""`journey serve`: the dashboard, and the collector for the reports of real users' browsers."""

import threading
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import given
from runner.errors import ConfigError
from runner.installation import install_command
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from reports.codegen import Made
    from reports.web.server.composite import Part
    from reports.web.server.server import Server


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
    from runner.scheduler.logs import log_to_stderr

    collecting = settings.collector_listen or settings.serve_listen
    if not settings.apps and not is_loopback(collecting):
        setting = "collector_listen" if settings.collector_listen else "serve_listen"
        raise ConfigError(
            f"{setting}: {collecting} can be reached from other machines, but the configuration names no app that may send; add "
            "[[apps]] tables with name and origins to the configuration, or listen on 127.0.0.1"
        )
    log_to_stderr("json" if log_format == "json" else "text")
    with open_socket(settings.serve_listen) as listening, served(settings, env) as server:
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


@contextmanager
def served(settings: Settings, env: str | None = None) -> "Iterator[Server]":
    """The dashboard and the collector as one server, not started yet. Raises ConfigError when the settings do not say who may see it."""
    from reports.codegen.subprocess import Wanted, make_in_subprocess
    from reports.collector.admission.client_network import ClientNetworks
    from reports.collector.routes import Collector
    from reports.collector.storage.group_commit import Writer
    from reports.collector.storage.retention import RetentionPolicy
    from reports.replay.background import RecordingCleaner
    from reports.replay.chunk_store import FOLDER, ChunkStore
    from reports.smoke.question import rule
    from reports.status_page.routes import StatusPagePart
    from reports.web.access.authenticator import Authenticator
    from reports.web.dashboard import GuardedRoute, build_dashboard
    from reports.web.server.bounded_http import ConnectionGuard
    from reports.web.server.composite import build_application
    from reports.web.server.separate_collector import SeparateCollector
    from reports.web.server.server import Server, open_socket
    from reports.web.services.budget_lines import DurationBudgets
    from reports.web.services.journey_maker import JourneyMaker
    from reports.web.services.next_runs import NextRuns
    from reports.web.services.source_links import make_source_link
    from reports.web.site import Site
    from runner.archive.archive import Archive
    from runner.scheduler.loader import LoadRequest
    from runner.store import Store

    settings.runs_dir.mkdir(parents=True, exist_ok=True)
    keep = RetentionPolicy(
        views=settings.keep_views,
        rollups=settings.keep_rollups,
        size=settings.keep_views_size,
        rollups_size=settings.keep_rollups_size,
    )
    planned = LoadRequest(start=Path.cwd(), environment=env)
    with ExitStack() as stack:
        store = stack.enter_context(Store(settings.database_url))
        access = Authenticator(settings, store)
        if access.oidc:
            # Whoever runs it sees at once what is wrong with the settings; users can sign in meanwhile.
            threading.Thread(target=access.oidc.check_at_start, name="identity-provider", daemon=True).start()
        writer = stack.enter_context(Writer(settings.database_url, keep=keep))
        chunk_store = ChunkStore(store, settings.runs_dir / FOLDER)
        sizes = settings.keep_replays_size, settings.keep_events_size
        stack.callback(RecordingCleaner(chunk_store, settings.keep_replays, *sizes).close)
        collector = Collector(settings, writer, chunk_store=chunk_store)
        networks = ClientNetworks(settings.trusted_proxies)

        def closed(reason: str) -> None:
            collector.metrics.closed.add((reason,))

        guard = ConnectionGuard(closed, networks=networks)
        collector.metrics.writer = writer
        collector.metrics.connections = lambda: len(guard.connections)
        running: list[Server] = []
        rules = {one.name: one.routes for one in settings.apps}

        def make(session: str) -> "Made":
            return make_in_subprocess(
                Wanted(
                    session=session,
                    database_url=settings.database_url,
                    folder=str(chunk_store.folder),
                    browser_path=str(settings.browser_path or ""),
                    apps=settings.apps,
                )
            )

        next_runs = stack.enter_context(NextRuns(planned))
        site = Site(
            store=store,
            archive=Archive(settings.runs_dir),
            next_runs=next_runs,
            declared=lambda: next_runs.declared,
            facts=lambda: next_runs.facts,
            source_link=make_source_link(settings.source_url, Path.cwd(), settings.journeys),
            budgets=DurationBudgets(settings.budgets),
            bounds=settings.budgets,
            windows=settings.maintenance,
            objectives=settings.slo,
            trace_url=settings.trace_url,
            rule=rule(settings),
            rules=rules,
            journey_maker=JourneyMaker(make),
            stopping=lambda: any(one.should_exit for one in running),
        )
        public = settings.status_page
        status = [StatusPagePart(store, public, settings.alert_after, settings.maintenance)] if public else []
        parts: list[Part] = [*status, collector]
        show_metrics = collector.exposition.answer
        if settings.collector_listen:
            separate = SeparateCollector(collector, ConnectionGuard(closed, networks=networks))
            listening = stack.enter_context(
                open_socket(settings.collector_listen, "collector_listen", "JOURNEY_COLLECTOR_LISTEN")
            )
            stack.enter_context(separate.serving(listening))
            parts, show_metrics = [*status, separate.probes], separate.show_metrics
        if settings.collector_listen or not settings.serve_public_metrics:
            guarding = None if settings.serve_public_metrics else access
            parts.insert(0, GuardedRoute("/metrics", show_metrics, guarding))
        running.append(Server(build_application(parts, build_dashboard(site, access)), guard))
        yield running[0]


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
