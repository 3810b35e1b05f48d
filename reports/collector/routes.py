"""The collector as a part of what is served: its addresses, and what they have in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from reports.collector.admission.anonymous_ids import Strangers
from reports.collector.admission.app_registry import Register
from reports.collector.admission.client_network import Networks
from reports.collector.admission.intake import Intake, Puts
from reports.collector.http.agent_script import FILE, RECORDER, Script
from reports.collector.http.endpoint import Ingest
from reports.collector.http.metrics_endpoint import Exposition
from reports.collector.metrics.collector_metrics import Metrics
from reports.collector.protocols.faro.endpoint import Faro
from reports.collector.protocols.native import Views
from reports.collector.protocols.replay import LIMITS, Replays, SessionEvents
from reports.collector.protocols.reporting_api import Reporting
from reports.collector.protocols.simple import Simple
from reports.replay.chunk_store import Shelf
from runner.settings.settings import Settings


class Collector:
    """Takes in what browsers report, and tells of it. `writer` puts it on disk, `shelf` the recordings, if they are taken."""

    def __init__(self, settings: Settings, writer: Puts, script: Path = FILE, shelf: Shelf | None = None) -> None:
        self.metrics = Metrics(settings.counted_traffic, settings.vital_settle)
        self.register = Register(settings.apps, settings.max_pages)
        self.intake = Intake(self.register, writer, self.metrics, Networks(settings.trusted_proxies))
        self.exposition = Exposition(self.metrics)
        strangers = Strangers()
        simple = Simple(self.intake, strangers)
        self.direct: Mapping[str, ASGIApp] = {settings.collector_path: Ingest(self.intake, Views(self.intake).take)}
        self.routes: Sequence[BaseRoute] = [
            Route("/log-page-load", Ingest(self.intake, simple.page_load)),
            Route("/log-interaction", Ingest(self.intake, simple.interaction)),
            Route("/faro/collect", Ingest(self.intake, Faro(self.intake, strangers).take)),
            Route("/reports", Ingest(self.intake, Reporting(self.intake, strangers).take)),
            Route("/agent.js", Script(script).answer),
            Route("/metrics", self.exposition.answer),
            Route("/replay.js", Script(RECORDER).answer),
            Route("/healthz", _healthy),
            Route("/readyz", self._ready),
        ]
        if shelf is not None:
            self.routes = [
                *self.routes,
                Route(settings.replay_path, Ingest(self.intake, Replays(self.intake, shelf).take, LIMITS)),
                Route("/log-session-event", Ingest(self.intake, SessionEvents(self.intake, shelf, strangers).take)),
            ]

    async def _ready(self, _: Request) -> Response:
        trouble = self.intake.trouble
        return JSONResponse({"error": trouble}, 503) if trouble else PlainTextResponse("ok\n")


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok\n")
