"""A receiver of OpenTelemetry's spans, over HTTP and gRPC, built from the published protobuf."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import grpc
import pytest
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
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.status = 200
        self.http = ""
        self.grpc = ""

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


@pytest.fixture
def span_receiver() -> Iterator[SpanReceiver]:
    """A receiver of this test's own, on two ports of 127.0.0.1."""
    receiver = SpanReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keeps what has come, unless the test wants it refused."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.paths.append(self.path)
            if receiver.status == 200:
                receiver.headers.append({key.lower(): value for key, value in self.headers.items()})
                receiver.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(receiver.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

    server = grpc.server(ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(_Service(receiver), server)  # type: ignore[no-untyped-call]
    receiver.grpc = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        with serving_handler(Handler) as receiver.http:
            yield receiver
    finally:
        server.stop(None).wait()
