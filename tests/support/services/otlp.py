"""A receiver of OpenTelemetry's spans and metrics, over HTTP and gRPC, built from the published protobuf."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from tests.support.services.http_server import serving_handler


class SpanReceiver:
    """What has arrived, and what is answered."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        """Those with spans."""
        self.metrics: list[Any] = []
        """Requests with metrics."""
        self.answer = ExportMetricsServiceResponse()
        """What is said of metrics."""
        self.code: grpc.StatusCode | None = None
        """How metrics are refused over gRPC."""
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.status = 200
        self.http = ""
        self.grpc = ""
        self.handler: type[BaseHTTPRequestHandler] = BaseHTTPRequestHandler
        self.stack = ExitStack()

    def add_tls(self, certificate: Path, key: Path, protocol: str, clients: Path | None = None) -> str:
        """Listens with TLS too; its address. `clients`: who vouches for those that may connect, over HTTP."""
        if protocol == "grpc":
            credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
            server = grpc.server(ThreadPoolExecutor(1))
            add_MetricsServiceServicer_to_server(_MetricsService(self), server)  # type: ignore[no-untyped-call]
            port = server.add_secure_port("127.0.0.1:0", credentials)
            server.start()
            self.stack.callback(lambda: server.stop(None).wait())
            return f"https://127.0.0.1:{port}"
        return self.stack.enter_context(serving_handler(self.handler, (certificate, key), clients))

    @property
    def spans(self) -> list[Any]:
        """All spans, in the order in which they came."""
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def resource(self) -> dict[str, Any]:
        """The attributes of the first resource."""
        return attributes(self.requests[0].resource_spans[0].resource)

    def points(self, name: str, **labels: str) -> list[tuple[Any, Any]]:
        """Each value of a metric whose attributes include these, with its metric, in the order in which they came."""
        return [
            (metric, point)
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in getattr(metric, metric.WhichOneof("data")).data_points
            if labels.items() <= attributes(point).items()
        ]


def attributes(one: Any) -> dict[str, Any]:
    """The attributes of a span, an event or a resource, as plain values."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in one.attributes}


class _Service(TraceServiceServicer):
    def __init__(self, receiver: SpanReceiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 (the protocol's)
        """Keeps what has come."""
        self._receiver.headers.append({key: str(value) for key, value in context.invocation_metadata()})
        self._receiver.requests.append(request)
        return ExportTraceServiceResponse()


class _MetricsService(MetricsServiceServicer):
    def __init__(self, receiver: SpanReceiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 (the protocol's)
        """Keeps what has come, unless the test wants it refused."""
        self._receiver.headers.append({key: str(value) for key, value in context.invocation_metadata()})
        if self._receiver.code is not None:
            context.abort(self._receiver.code, "the test wants it so")
        self._receiver.metrics.append(request)
        return self._receiver.answer


@pytest.fixture
def span_receiver() -> Iterator[SpanReceiver]:
    """A receiver of this test's own, on two ports of 127.0.0.1."""
    receiver = SpanReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keeps what has come, unless the test wants it refused."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.paths.append(self.path)
            encoding = self.headers.get("Content-Encoding", "")
            codecs: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "deflate": zlib.decompress}
            body = codecs.get(encoding, bytes)(body)
            of_metrics = self.path.endswith("/v1/metrics")
            if receiver.status == 200:
                receiver.headers.append({key.lower(): value for key, value in self.headers.items()})
                if of_metrics:
                    receiver.metrics.append(ExportMetricsServiceRequest.FromString(body))
                else:
                    receiver.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(receiver.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            answer = receiver.answer if of_metrics else ExportTraceServiceResponse()
            self.wfile.write(answer.SerializeToString())

    server = grpc.server(ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(_Service(receiver), server)  # type: ignore[no-untyped-call]
    add_MetricsServiceServicer_to_server(_MetricsService(receiver), server)  # type: ignore[no-untyped-call]
    receiver.grpc = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    receiver.handler = Handler
    server.start()
    try:
        with receiver.stack, serving_handler(Handler) as receiver.http:
            yield receiver
    finally:
        server.stop(None).wait()
