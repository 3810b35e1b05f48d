"""Runs as OTLP metrics, in a receiver built from OpenTelemetry's published protobuf."""

from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from runner.errors import ConfigError
from runner.events import RunEnded
from runner.result import RunResult
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from runner.telemetry.telemetry import FOLDER, Telemetry
from runner.telemetry.trace_ids import span_id
from tests.runner.telemetry.test_remote_write import run, send
from tests.support.services.otlp import SpanReceiver, attributes

CUMULATIVE = 2
NO_VALUE = 1


def settings(folder: Path, address: str, **given: str) -> Settings:
    environ = {f"JOURNEY_{name.upper()}": value for name, value in given.items()}
    options = {"runs_dir": folder / "runs", "otlp_metrics_endpoint": address, "location": "office"}
    return load_settings(folder, options, environ)


def nanoseconds(result: RunResult) -> int:
    return round(result.ended_at.timestamp() * 1000) * 1_000_000


def values(receiver: SpanReceiver, name: str, **labels: str) -> list[float]:
    return [getattr(point, point.WhichOneof("value")) for _, point in receiver.points(name, **labels)]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_runs_are_gauges_sums_and_exponential_histograms(span_receiver: SpanReceiver, tmp_path: Path, protocol: str) -> None:
    address = span_receiver.grpc if protocol == "grpc" else span_receiver.http
    known = settings(tmp_path, address, otlp_protocol=protocol, otlp_headers="api-key=tea")
    results = [run(3, latency=0.3), run(2, "failed"), run(1, latency=0.7)]
    # Two processes, one after the other: counters go on.
    assert send(known, *results[:2]) == 0
    assert send(known, results[2]) == 0
    assert {one["api-key"] for one in span_receiver.headers} == {"tea"}
    resource = span_receiver.metrics[0].resource_metrics[0].resource
    assert attributes(resource) == {"service.name": "journey"}

    [(metric, point), (_, gone), (_, last)] = span_receiver.points("synthetic_latency_seconds")
    assert (metric.unit, metric.WhichOneof("data")) == ("s", "gauge")
    assert metric.description == "Latency of a passed step by the page clock."
    assert attributes(point) == {"journey": "buy", "location": "office", "step": "pay"}
    assert (point.as_double, point.time_unix_nano) == (0.3, nanoseconds(results[0]))
    # The run that failed has no latency.
    assert (gone.flags, last.as_double, last.flags) == (NO_VALUE, 0.7, 0)

    found = span_receiver.points("synthetic_runs_total", status="passed")
    assert [point.as_int for _, point in found] == [1, 1, 2]
    assert {(metric.sum.is_monotonic, metric.sum.aggregation_temporality) for metric, _ in found} == {(True, CUMULATIVE)}
    assert {point.start_time_unix_nano for _, point in found} == {round(results[0].started_at.timestamp() * 1000) * 1_000_000}
    assert [point.time_unix_nano for _, point in found] == [nanoseconds(one) for one in results]


def test_latencies_are_in_the_buckets_that_opentelemetry_means(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    results = [run(4, latency=1.0), run(3, latency=1.05), run(2, latency=2.0), run(1, latency=0.0)]
    assert send(settings(tmp_path, span_receiver.http), *results) == 0
    points = span_receiver.points("synthetic_step_latency_seconds")
    assert [point.count for _, point in points] == [1, 2, 3, 4]
    metric, point = points[-1]
    assert metric.exponential_histogram.aggregation_temporality == CUMULATIVE
    assert (point.scale, point.zero_count, point.sum) == (3, 1, pytest.approx(4.05))
    # Bucket i holds what is above base ** i, up to base ** (i + 1).
    base = 2 ** (2**-point.scale)
    edges = {
        base ** (point.positive.offset + index): count for index, count in enumerate(point.positive.bucket_counts) if count
    }
    assert [count for _, count in sorted(edges.items())] == [1, 1, 1]
    for (lower, _), latency in zip(sorted(edges.items()), (1.0, 1.05, 2.0), strict=True):
        assert lower < latency <= lower * base * (1 + 1e-12)


def test_the_run_and_its_span_are_an_exemplar(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    result = run(1, latency=0.3)
    assert send(settings(tmp_path, span_receiver.http), result) == 0
    [(_, point)] = span_receiver.points("synthetic_step_latency_seconds")
    [exemplar] = point.exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id.hex(), exemplar.as_double) == ("1" * 32, span_id(result.id), 0.3)
    assert {one.key: one.value.string_value for one in exemplar.filtered_attributes} == {"run_id": result.id}


def test_what_is_gone_ends(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    known = settings(tmp_path, span_receiver.http)
    send(known, run(2, steps=("pay", "old")), run(1))
    flags = [point.flags for _, point in span_receiver.points("synthetic_latency_seconds", step="old")]
    assert flags == [0, NO_VALUE]
    telemetry = Telemetry(known, "run")
    telemetry.keep({"look"})
    assert telemetry.stop(30) == 0
    for name in ("synthetic_success", "synthetic_runs_total", "synthetic_step_latency_seconds"):
        _, point = span_receiver.points(name)[-1]
        assert (point.flags, point.time_unix_nano > 0) == (NO_VALUE, True)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_the_variables_of_opentelemetry_count(
    span_receiver: SpanReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "tenant=all")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "tenant=a%20b")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", encoding)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "monitor")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    environ = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{span_receiver.http}/v1/metrics"}
    assert send(load_settings(tmp_path, {"runs_dir": tmp_path / "runs"}, environ), run(1)) == 0
    [headers] = span_receiver.headers
    assert (headers["tenant"], headers["content-encoding"]) == ("a b", encoding)
    assert span_receiver.paths == ["/v1/metrics"]
    resource = span_receiver.metrics[0].resource_metrics[0].resource
    assert attributes(resource) == {"service.name": "monitor", "deployment.environment.name": "test"}


@pytest.mark.parametrize(
    ("variables", "metrics"),
    [
        ({}, None),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, "http://all:4318"),
        ({"OTEL_METRICS_EXPORTER": "otlp", "OTEL_TRACES_EXPORTER": "none"}, "http://all:4318"),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:4318/v1/metrics"}, "http://m:4318/v1/metrics"),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:4318", "OTEL_METRICS_EXPORTER": "none"}, None),
        ({"OTEL_METRICS_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, None),
    ],
)
def test_metrics_go_where_a_variable_sends_them(variables: dict[str, str], metrics: str | None, tmp_path: Path) -> None:
    found = load_settings(tmp_path, {}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4318", **variables})
    assert found.otlp_metrics_endpoint == metrics
    off = "OTEL_SDK_DISABLED" in variables or variables.get("OTEL_TRACES_EXPORTER") == "none"
    assert found.otlp_endpoint == (None if off else "http://all:4318")


@pytest.mark.parametrize(
    ("code", "left"),
    [(grpc.StatusCode.UNAVAILABLE, 1), (grpc.StatusCode.UNAUTHENTICATED, 1), (grpc.StatusCode.INVALID_ARGUMENT, 0)],
)
def test_only_what_is_refused_for_good_is_given_up_over_grpc(
    span_receiver: SpanReceiver, tmp_path: Path, code: grpc.StatusCode, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    span_receiver.code = code
    known = settings(tmp_path, span_receiver.grpc, otlp_protocol="grpc")
    assert send(known, run(2)) == left
    assert f"{code.name}: the test wants it so" in caplog.text
    span_receiver.code = None
    assert send(known, run(1)) == 0
    # Given up or not, it counts.
    assert values(span_receiver, "synthetic_runs_total", status="passed")[-1] == 2


def test_a_run_that_http_refuses_for_good_holds_up_no_other(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    known = settings(tmp_path, span_receiver.http)
    span_receiver.status = 400
    assert send(known, run(2)) == 0
    span_receiver.status = 503
    assert send(known, run(1.5)) == 1
    span_receiver.status = 200
    assert send(known, run(1)) == 0
    assert values(span_receiver, "synthetic_runs_total", status="passed") == [2, 3]


def test_values_that_a_receiver_leaves_out_are_reported(
    span_receiver: SpanReceiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    partial = ExportMetricsPartialSuccess(rejected_data_points=3, error_message="too old")
    span_receiver.answer = ExportMetricsServiceResponse(partial_success=partial)
    assert send(settings(tmp_path, span_receiver.http), run(1)) == 0
    assert "rejected 3 of " in caplog.text
    assert "too old" in caplog.text


def test_spans_and_metrics_have_queues_of_their_own(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    """A receiver of metrics that is away does not hold up spans."""
    known = settings(tmp_path, "http://127.0.0.1:9", otlp_endpoint=span_receiver.http)
    telemetry = Telemetry(known, "run")
    telemetry(RunEnded(result=run(1)))
    assert telemetry.stop(30) == 1
    assert len(span_receiver.requests) == 1
    waiting = [file.parent.name for file in (tmp_path / "runs" / FOLDER).glob("*/*.json")]
    assert waiting == ["otlp-metrics"]


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = settings(tmp_path, "https://127.0.0.1:9", otlp_ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match="otlp_ca_file: cannot be read"):
        Telemetry(known, "run")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", str(tmp_path / "none.key"))
    with pytest.raises(ConfigError, match=r"OTEL_EXPORTER_OTLP_CLIENT_KEY: .*none\.key is not a file"):
        Telemetry(settings(tmp_path, "https://127.0.0.1:9"), "run")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_receiver_with_tls_is_trusted_by_its_authority_only(
    span_receiver: SpanReceiver, tmp_path: Path, certificate: tuple[Path, Path], protocol: str
) -> None:
    file, key = certificate
    address = span_receiver.add_tls(file, key, protocol)
    stranger = settings(tmp_path, address, otlp_protocol=protocol)
    assert send(stranger, run(2)) == 1
    assert span_receiver.metrics == []
    assert send(settings(tmp_path, address, otlp_protocol=protocol, otlp_ca_file=str(file)), run(1)) == 0
    assert values(span_receiver, "synthetic_runs_total", status="passed") == [1, 2]


def test_a_certificate_of_the_client_is_shown(
    span_receiver: SpanReceiver, tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, key = certificate
    address = span_receiver.add_tls(file, key, "http/protobuf", clients=file)
    known = settings(tmp_path, address, otlp_ca_file=str(file))
    assert send(known, run(2)) == 1
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", str(file))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", str(key))
    assert send(known) == 0
    assert values(span_receiver, "synthetic_runs_total", status="passed") == [1]
