"""Spans on their way to an OpenTelemetry receiver, with OpenTelemetry's own exporters (OTLP over HTTP or gRPC)."""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from runner.result import RunResult
from runner.settings.settings import Settings
from runner.telemetry.otlp.connection import parse_headers
from runner.telemetry.queued_items import Source, decode_run
from runner.telemetry.sender import NotSent
from runner.telemetry.spans import Span, build_spans
from runner.telemetry.trace_ids import trace_id

PATH = "/v1/traces"
BATCH = 1000
"""Spans in one message: a receiver over gRPC takes 4 MB by default."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KINDS = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}


class OtlpExporter:
    """Sends the spans of runs to `otlp_endpoint`. What the settings do not say, OpenTelemetry's own variables do."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.otlp_endpoint or ""
        self._problem = _Problem()
        # What it logs is the reason of the failure, which is reported once.
        logger = logging.getLogger("opentelemetry.exporter")
        logger.addHandler(self._problem)
        logger.propagate = False
        self._exporter = _make_exporter(settings)

    def send(self, _: str, content: bytes) -> None:
        """Sends the spans of a run, which is `content` as JSON. Raises NotSent, and msgspec.DecodeError for what is not one."""
        item = decode_run(content)
        spans = to_readable_spans(item.result, item.source)
        for first in range(0, len(spans), BATCH):
            self._problem.text = ""
            # Those that were sent before one that fails are sent again with it: they have the same ids.
            if self._exporter.export(spans[first : first + BATCH]) is not SpanExportResult.SUCCESS:
                reason = f": {self._problem.text}" if self._problem.text else ""
                raise NotSent(f"otlp_endpoint {self._address} did not accept spans{reason}")

    def close(self) -> None:
        """Gives up what is being sent."""
        self._exporter.shutdown()


class _Problem(logging.Handler):
    """The first thing that an exporter has logged of a try: the reason; what follows says how often it was tried."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps its first line."""
        self.text = self.text or record.getMessage().partition("\n")[0]


def _make_exporter(settings: Settings) -> SpanExporter:
    address = settings.otlp_endpoint or ""
    headers = parse_headers(settings.otlp_headers.reveal()) if settings.otlp_headers else None
    if settings.otlp_protocol == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        certificate = settings.otlp_ca_file.read_bytes() if settings.otlp_ca_file else None
        return GrpcExporter(
            endpoint=address,
            insecure=urlsplit(address).scheme == "http",
            credentials=grpc.ssl_channel_credentials(certificate) if certificate else None,
            headers=headers,
            timeout=settings.otlp_timeout,
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter

    return HttpExporter(
        endpoint=address if urlsplit(address).path.endswith(PATH) else address.rstrip("/") + PATH,
        certificate_file=str(settings.otlp_ca_file) if settings.otlp_ca_file else None,
        headers=headers,
        timeout=settings.otlp_timeout,
    )


def to_readable_spans(result: RunResult, source: Source | None = None) -> list[ReadableSpan]:
    """The spans of a run as OpenTelemetry's exporters take them."""
    trace = int(trace_id(result.id), 16)
    resource = Resource.create(_describe_origin(result, source, os.environ))
    scope = InstrumentationScope("journey", result.environment.runner)
    return [_to_readable_span(one, trace, resource, scope) for one in build_spans(result)]


def _describe_origin(result: RunResult, source: Source | None, environ: Mapping[str, str]) -> dict[str, Any]:
    named = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "journey"}
    browser = result.environment.browser.partition(" ")
    return {
        **named,
        **({SERVICE_VERSION: result.environment.runner} if result.environment.runner else {}),
        "journey.name": result.journey,
        "journey.location": result.location,
        **({"journey.source": source} if source else {}),
        **({"journey.release": result.release} if result.release else {}),
        **({"browser.brands": [browser[0]], "browser.version": browser[2]} if browser[2] else {}),
    }


def _to_readable_span(span: Span, trace: int, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=_context(trace, span.id),
        parent=_context(trace, span.parent) if span.parent else None,
        resource=resource,
        attributes=span.attributes,
        events=[Event(one.name, attributes=one.attributes, timestamp=_nanoseconds(one.at)) for one in span.events],
        links=[Link(_context(trace, one)) for one in span.links],
        kind=KINDS[span.kind],
        status=Status(StatusCode.UNSET) if span.error is None else Status(StatusCode.ERROR, span.error),
        start_time=_nanoseconds(span.started_at),
        end_time=_nanoseconds(span.ended_at),
        instrumentation_scope=scope,
    )


def _context(trace: int, span: str) -> SpanContext:
    return SpanContext(trace, int(span, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _nanoseconds(moment: datetime) -> int:
    """Since the epoch, exactly: a float of seconds has no room for microseconds of today."""
    since = moment - EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
