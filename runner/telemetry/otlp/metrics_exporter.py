"""Metrics of runs on their way to an OpenTelemetry receiver, over HTTP or gRPC.

OpenTelemetry's exporter is not used: it does not say whether a refusal is for good, which decides whether the runs behind it wait, and
drops what a receiver reports about points that it has not accepted.
"""

import gzip
import os
import zlib
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector

from runner.settings.settings import Settings
from runner.telemetry.http_receiver import HttpReceiver
from runner.telemetry.otlp.connection import Connection, read_connection
from runner.telemetry.otlp.metrics_message import count_points, encode_metrics
from runner.telemetry.sender import NotSent
from runner.telemetry.series import Series

PATH = "/v1/metrics"
PROTOBUF = "application/x-protobuf"
FINAL = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS}
"""What a receiver will say of the same message again."""
RECONNECT_MS = 10_000
"""The longest pause of gRPC between two tries to connect; its default, two minutes, is longer than that of the queue."""


class Transport(Protocol):
    """Sends a message."""

    def export(self, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
        """Raises NotSent."""

    def close(self) -> None:
        """Gives up what is being sent."""


class MetricsExporter:
    """Posts series to `otlp_metrics_endpoint`."""

    def __init__(self, settings: Settings) -> None:
        """Raises OSError when a certificate cannot be read."""
        address = settings.otlp_metrics_endpoint or ""
        connection = read_connection(settings, os.environ)
        make = _OverGrpc if settings.otlp_protocol == "grpc" else _OverHttp
        self._transport: Transport = make(address, settings.otlp_timeout, connection)
        # Nothing that changes with a version: together with the points' attributes this names a series.
        named = OTELResourceDetector().detect().attributes
        self._resource = {SERVICE_NAME: "journey", **{key: str(value) for key, value in named.items()}}
        self._address = address

    def post(self, series: list[Series]) -> None:
        """Raises NotSent when the receiver does not accept them, or not all of them."""
        request = encode_metrics(series, self._resource)
        answer = self._transport.export(request)
        rejected = answer.partial_success.rejected_data_points
        if rejected:
            reason = answer.partial_success.error_message or "no reason given"
            text = f"otlp_metrics_endpoint {self._address} rejected {rejected} of {count_points(request)} values: {reason}"
            raise NotSent(text, final=True)

    def close(self) -> None:
        """Gives up what is being sent."""
        self._transport.close()


class _OverHttp:
    def __init__(self, address: str, timeout: float, connection: Connection) -> None:
        if not urlsplit(address).path.endswith(PATH):
            address = address.rstrip("/") + PATH
        self._receiver = HttpReceiver("otlp_metrics_endpoint", address, timeout, connection.context())
        encoding = {"Content-Encoding": connection.compression} if connection.compression else {}
        self._headers = {"Content-Type": PROTOBUF, "User-Agent": "journey-runner", **encoding, **connection.headers}
        codecs: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
        self._compress = codecs.get(connection.compression, bytes)

    def export(self, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
        answer = self._receiver.post(self._compress(request.SerializeToString()), self._headers)
        if not answer.headers.get("content-type", "").startswith(PROTOBUF):
            return ExportMetricsServiceResponse()
        try:
            said: ExportMetricsServiceResponse = ExportMetricsServiceResponse.FromString(answer.body)
        except DecodeError:
            # It has said that it accepted the message, and nothing else that can be read.
            return ExportMetricsServiceResponse()
        return said

    def close(self) -> None:
        """Has nothing open between two messages."""


class _OverGrpc:
    def __init__(self, address: str, timeout: float, connection: Connection) -> None:
        parts = urlsplit(address)
        options = [("grpc.max_reconnect_backoff_ms", RECONNECT_MS)]
        if parts.scheme == "http":
            self._channel = grpc.insecure_channel(parts.netloc, options)
        else:
            files = (connection.ca_file, connection.client_key, connection.client_certificate)
            credentials = grpc.ssl_channel_credentials(*(one.read_bytes() if one else None for one in files))
            self._channel = grpc.secure_channel(parts.netloc, credentials, options)
        self._export = MetricsServiceStub(self._channel).Export  # type: ignore[no-untyped-call]
        self._address = address
        self._timeout = timeout
        self._metadata = tuple(connection.headers.items())
        codecs = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
        self._compression = codecs.get(connection.compression, grpc.Compression.NoCompression)

    def export(self, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
        try:
            answer: ExportMetricsServiceResponse = self._export(
                request, timeout=self._timeout, metadata=self._metadata, compression=self._compression
            )
        except grpc.RpcError as error:
            code, said = error.code(), error.details()
            text = f"otlp_metrics_endpoint {self._address} did not accept metrics: {code.name}: {said}"
            raise NotSent(text, final=code in FINAL) from error
        return answer

    def close(self) -> None:
        self._channel.close()
