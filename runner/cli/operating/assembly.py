"""The dashboard and the collector, put together from the settings as one server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reports.codegen import Made
from reports.codegen.subprocess import Wanted, make_in_subprocess
from reports.collector.admission.client_network import ClientNetworks
from reports.collector.routes import Collector
from reports.collector.storage.group_commit import Writer
from reports.collector.storage.retention import RetentionPolicy
from reports.replay.background import RecordingCleaner
from reports.replay.chunk_store import FOLDER, ChunkStore
from reports.shared_spending import Spender, SpendingExchange
from reports.smoke.question import rule
from reports.source_maps.background import ErrorGrouper
from reports.source_maps.map_store import MapStore, maps_folder
from reports.source_maps.regression_alerts import RegressionAlerts
from reports.status_page.routes import StatusPagePart
from reports.web.access.authenticator import Authenticator
from reports.web.dashboard import GuardedRoute, build_dashboard
from reports.web.server.bounded_http import ConnectionGuard
from reports.web.server.composite import Part, build_application
from reports.web.server.separate_collector import SeparateCollector
from reports.web.server.server import Server, open_socket
from reports.web.services.budget_lines import DurationBudgets
from reports.web.services.journey_maker import JourneyMaker
from reports.web.services.next_runs import NextRuns
from reports.web.services.source_links import make_source_link
from reports.web.site import Site
from runner.archive.remote_archive import open_archive
from runner.scheduler.alerts.outbox import name_of
from runner.scheduler.loader import LoadRequest
from runner.settings.settings import Settings
from runner.store import Store


@contextmanager
def assembled(settings: Settings, env: str | None = None) -> Iterator[Server]:
    """The server, not started yet; what it needs is closed when the block ends.

    Raises ConfigError when the settings do not say who may see the dashboard.
    """
    settings.runs_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        store = stack.enter_context(Store(settings.database_url))
        access = Authenticator(settings, store)
        if access.oidc:
            # Whoever runs it sees at once what is wrong with the settings; users can sign in meanwhile.
            threading.Thread(target=access.oidc.check_at_start, name="identity-provider", daemon=True).start()
        writer = stack.enter_context(Writer(settings.database_url, keep=_retention(settings)))
        chunk_store = ChunkStore(store, settings.runs_dir / FOLDER)
        sizes = settings.keep_replays_size, settings.keep_events_size
        stack.callback(RecordingCleaner(chunk_store, settings.keep_replays, *sizes).close)
        maps = MapStore(store, maps_folder(settings), settings.keep_source_maps_size)
        targets = tuple(name_of(url) for url in settings.alert_urls)
        alerts = RegressionAlerts(store=store, targets=targets, public_url=settings.public_url)
        stack.callback(ErrorGrouper(store, maps, settings.keep_source_maps, alerts).close)
        collector = Collector(settings, writer, chunk_store=chunk_store)
        limits: dict[str, Spender] = {"messages": collector.intake.rate_limit, "requests": access.budget}
        stack.callback(SpendingExchange(store, limits).close)
        networks = ClientNetworks(settings.trusted_proxies)

        def guard() -> ConnectionGuard:
            return ConnectionGuard(lambda reason: collector.metrics.closed.add((reason,)), networks=networks)

        own = guard()
        collector.metrics.writer = writer
        collector.metrics.connections = lambda: len(own.connections)
        running: list[Server] = []
        next_runs = stack.enter_context(NextRuns(LoadRequest(start=Path.cwd(), environment=env)))
        site = _site(settings, store, chunk_store, maps, next_runs, lambda: any(one.should_exit for one in running))
        parts = _parts(settings, store, collector, access, guard, stack)
        running.append(Server(build_application(parts, build_dashboard(site, access)), own, settings.serve_drain))
        collector.is_leaving = lambda: running[0].is_leaving
        yield running[0]


def _retention(settings: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        views=settings.keep_views,
        rollups=settings.keep_rollups,
        size=settings.keep_views_size,
        rollups_size=settings.keep_rollups_size,
    )


def _site(
    settings: Settings, store: Store, chunk_store: ChunkStore, maps: MapStore, next_runs: NextRuns, stopping: Callable[[], bool]
) -> Site:
    def make(session: str) -> Made:
        return make_in_subprocess(
            Wanted(
                session=session,
                database_url=settings.database_url,
                folder=str(chunk_store.folder),
                browser_path=str(settings.browser_path or ""),
                apps=settings.apps,
            )
        )

    return Site(
        store=store,
        archive=open_archive(settings),
        next_runs=next_runs,
        declared=lambda: next_runs.declared,
        wait_for_declared=next_runs.wait,
        facts=lambda: next_runs.facts,
        source_link=make_source_link(settings.source_url, Path.cwd(), settings.journeys),
        budgets=DurationBudgets(settings.budgets),
        bounds=settings.budgets,
        windows=settings.maintenance,
        quarantine=settings.quarantine,
        objectives=settings.slo,
        funnels=settings.funnels,
        trace_url=settings.trace_url,
        status_page=settings.status_page,
        alert_after=settings.alert_after,
        alert_locations=settings.alert_locations,
        rule=rule(settings),
        rules={one.name: one.routes for one in settings.apps},
        journey_maker=JourneyMaker(make),
        maps=maps,
        location=settings.location,
        remote_base_urls=settings.remote_base_urls,
        stopping=stopping,
    )


def _parts(
    settings: Settings,
    store: Store,
    collector: Collector,
    access: Authenticator,
    guard: Callable[[], ConnectionGuard],
    stack: ExitStack,
) -> list[Part]:
    """What is served beside the dashboard; a collector with an address of its own listens there until `stack` is closed."""
    public = settings.status_page
    parts: list[Part] = []
    if public:
        rule = settings.alert_locations
        parts.append(StatusPagePart(store, public, settings.alert_after, settings.maintenance, rule=rule))
    show_metrics = collector.exposition.answer
    if settings.collector_listen:
        separate = SeparateCollector(collector, guard())
        listening = stack.enter_context(open_socket(settings.collector_listen, "collector_listen", "JOURNEY_COLLECTOR_LISTEN"))
        stack.enter_context(separate.serving(listening))
        parts.append(separate.probes)
        show_metrics = separate.show_metrics
    else:
        parts.append(collector)
    if settings.collector_listen or not settings.serve_public_metrics:
        parts.insert(0, GuardedRoute("/metrics", show_metrics, None if settings.serve_public_metrics else access))
    return parts
