"""The demo's shop as a backend with traces of its own: OpenTelemetry's SDK reads `traceparent` and sends a span for each request."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Receive, Scope, Send

from runner.demo.shop import build
from tests.support.wait import wait_until

SERVICE = "shop"


class _Traced:
    """An application whose requests are spans, below the one that `traceparent` names."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        if scope["type"] != "http" or "traceparent" not in headers:
            await self._app(scope, receive, send)
            return
        name = f"{scope['method']} {scope['path']}"
        with self._tracer.start_as_current_span(name, self._propagator.extract(headers), SpanKind.SERVER) as span:
            span.set_attribute("http.request.method", scope["method"])
            span.set_attribute("url.path", scope["path"])
            await self._app(scope, receive, send)


@contextmanager
def running_traced_shop(receiver: str) -> Iterator[str]:
    """The address of the shop, which sends its spans to the receiver (OTLP over HTTP) at that address as each ends."""
    provider = TracerProvider(resource=Resource({"service.name": SERVICE}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{receiver}/v1/traces", timeout=20)))
    app = _Traced(build(), provider.get_tracer("shop"))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        provider.shutdown()
