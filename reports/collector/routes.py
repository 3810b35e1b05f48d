"""The collector as a part of the application: its addresses and shared state."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from reports.collector.admission.anonymous_ids import AnonymousIds
from reports.collector.admission.app_registry import AppRegistry
from reports.collector.admission.client_network import ClientNetworks
from reports.collector.admission.intake import BeaconWriter, Intake
from reports.collector.http.agent_script import CLICKS, FILE, RECORDER, TRACE, AgentScript
from reports.collector.http.endpoint import IngestEndpoint
from reports.collector.http.metrics_endpoint import MetricsEndpoint
from reports.collector.metrics.collector_metrics import CollectorMetrics
from reports.collector.protocols.faro.endpoint import FaroProtocol
from reports.collector.protocols.native import NativeProtocol
from reports.collector.protocols.replay import LIMITS, ReplayProtocol, SessionEventProtocol
from reports.collector.protocols.reporting_api import ReportingProtocol
from reports.collector.protocols.simple import SimpleProtocol
from reports.replay.chunk_store import ChunkStore
from runner.settings.settings import Settings

log = logging.getLogger("journey")


class Collector:
    """Receives what browsers report. `writer` stores it, `chunk_store` the recordings, if they are accepted."""

    def __init__(
        self, settings: Settings, writer: BeaconWriter, script: Path = FILE, chunk_store: ChunkStore | None = None
    ) -> None:
        self._writer = writer
        self._known_trouble = ""
        self.is_leaving: Callable[[], bool] = lambda: False
        """Whether the server is about to stop; then it is not ready for further requests."""
        self.metrics = CollectorMetrics(settings.counted_traffic, settings.vital_settle, apps=len(settings.apps))
        self.register = AppRegistry(settings.apps, settings.max_pages)
        self.intake = Intake(self.register, writer, self.metrics, ClientNetworks(settings.trusted_proxies))
        self.exposition = MetricsEndpoint(self.metrics)
        anonymous_ids = AnonymousIds()
        simple = SimpleProtocol(self.intake, anonymous_ids)
        self.direct: Mapping[str, ASGIApp] = {
            settings.collector_path: IngestEndpoint(self.intake, NativeProtocol(self.intake).take)
        }
        self.routes: Sequence[BaseRoute] = [
            Route("/log-page-load", IngestEndpoint(self.intake, simple.page_load)),
            Route("/log-interaction", IngestEndpoint(self.intake, simple.interaction)),
            Route("/faro/collect", IngestEndpoint(self.intake, FaroProtocol(self.intake, anonymous_ids).take)),
            Route("/reports", IngestEndpoint(self.intake, ReportingProtocol(self.intake, anonymous_ids).take)),
            Route("/agent.js", AgentScript(script).answer),
            Route("/clicks.js", AgentScript(CLICKS).answer),
            Route("/metrics", self.exposition.answer),
            Route("/replay.js", AgentScript(RECORDER).answer),
            Route("/trace.js", AgentScript(TRACE).answer),
            Route("/healthz", _healthy),
            Route("/readyz", self._ready),
        ]
        if chunk_store is not None:
            self.routes = [
                *self.routes,
                Route(settings.replay_path, IngestEndpoint(self.intake, ReplayProtocol(self.intake, chunk_store).take, LIMITS)),
                Route(
                    "/log-session-event",
                    IngestEndpoint(self.intake, SessionEventProtocol(self.intake, chunk_store, anonymous_ids).take),
                ),
            ]

    async def _ready(self, _: Request) -> Response:
        if self.is_leaving():
            return JSONResponse({"error": "the server is stopping"}, 503)
        trouble = self.intake.trouble or await run_in_threadpool(self._writer.find_trouble)
        if not trouble:
            return PlainTextResponse("ok\n")
        # Anybody may ask, as often as they like; only the log names the database, and once.
        if trouble != self._known_trouble:
            log.warning("not ready: %s", trouble)
        self._known_trouble = trouble
        return JSONResponse({"error": "the database cannot be used; the log says why"}, 503)


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok\n")
