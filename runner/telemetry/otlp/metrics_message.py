"""Series as OTLP metrics: gauges, sums that only grow, and exponential histograms, all cumulative.

Names, labels and values are those of remote write, so that dashboards and rules fit either; `job` is the receiver's own, from `service.name`.
"""

from collections.abc import Iterator, Mapping, Sequence

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from runner.telemetry.native_histogram import SCHEMA, ZERO_THRESHOLD, NativeHistogram
from runner.telemetry.series import NAME, Exemplar, Series, is_stale
from runner.telemetry.trace_ids import span_id

CUMULATIVE = pb.AGGREGATION_TEMPORALITY_CUMULATIVE
ENDED = pb.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
UNITS = {"seconds": "s", "bytes": "By"}
"""Units by the end of the name."""
LEFT_OUT = {NAME, "job"}


def encode_metrics(series: Sequence[Series], resource: Mapping[str, str]) -> ExportMetricsServiceRequest:
    """The message; `resource` is what the metrics are of."""
    metrics: dict[str, pb.Metric] = {}
    for one in series:
        metric = metrics.get(one.name)
        if metric is None:
            unit = UNITS.get(one.name.rpartition("_")[2], "")
            metric = metrics[one.name] = pb.Metric(name=one.name, description=one.help, unit=unit)
        _add_points(metric, one)
    scope = pb.ScopeMetrics(scope=InstrumentationScope(name="journey"), metrics=metrics.values())
    about = Resource(attributes=_attributes(resource))
    return ExportMetricsServiceRequest(resource_metrics=[pb.ResourceMetrics(resource=about, scope_metrics=[scope])])


def _add_points(metric: pb.Metric, one: Series) -> None:
    if one.kind == "histogram":
        metric.exponential_histogram.aggregation_temporality = CUMULATIVE
        metric.exponential_histogram.data_points.extend(_histogram_points(one))
    elif one.kind == "counter":
        metric.sum.aggregation_temporality = CUMULATIVE
        metric.sum.is_monotonic = True
        metric.sum.data_points.extend(_number_points(one))
    else:
        metric.gauge.data_points.extend(_number_points(one))


def _number_points(one: Series) -> Iterator[pb.NumberDataPoint]:
    for at, value in one.samples:
        if at == one.began:
            continue  # the 0 of remote write, where there is no time of the start
        point = pb.NumberDataPoint(
            attributes=_point_attributes(one), start_time_unix_nano=_nanoseconds(one.began), time_unix_nano=_nanoseconds(at)
        )
        if is_stale(value):
            point.flags = ENDED
        elif one.kind == "counter":
            point.as_int = int(value)
        else:
            point.as_double = value
        yield point


def _histogram_points(one: Series) -> Iterator[pb.ExponentialHistogramDataPoint]:
    for at, histogram in one.histograms:
        if at == one.began:
            continue
        point = pb.ExponentialHistogramDataPoint(
            attributes=_point_attributes(one), start_time_unix_nano=_nanoseconds(one.began), time_unix_nano=_nanoseconds(at)
        )
        if is_stale(histogram.sum):
            point.flags = ENDED
        else:
            _fill(point, histogram)
            point.exemplars.extend(_exemplars(one.exemplar))
        yield point


def _fill(point: pb.ExponentialHistogramDataPoint, histogram: NativeHistogram) -> None:
    point.count, point.sum, point.scale = histogram.count, histogram.sum, SCHEMA
    point.zero_count, point.zero_threshold = histogram.zero, ZERO_THRESHOLD
    if histogram.buckets:
        lowest, highest = min(histogram.buckets), max(histogram.buckets)
        # Prometheus names a bucket after its upper edge, OpenTelemetry after its lower one.
        point.positive.offset = lowest - 1
        point.positive.bucket_counts.extend(histogram.buckets.get(index, 0) for index in range(lowest, highest + 1))


def _exemplars(one: Exemplar | None) -> Iterator[pb.Exemplar]:
    if one is None:
        return
    run, trace = one.labels["run_id"], one.labels.get("trace_id")
    yield pb.Exemplar(
        filtered_attributes=_attributes({"run_id": run}),
        time_unix_nano=_nanoseconds(one.at),
        as_double=one.value,
        trace_id=bytes.fromhex(trace) if trace else b"",
        span_id=bytes.fromhex(span_id(run)) if trace else b"",
    )


def _point_attributes(one: Series) -> list[KeyValue]:
    return _attributes({name: text for name, text in one.labels.items() if name not in LEFT_OUT and text})


def _attributes(texts: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in texts.items()]


def _nanoseconds(milliseconds: int) -> int:
    return milliseconds * 1_000_000


def count_points(request: ExportMetricsServiceRequest) -> int:
    """The number of values in a message."""
    metrics = [one for resource in request.resource_metrics for scope in resource.scope_metrics for one in scope.metrics]
    return sum(
        len(one.gauge.data_points) + len(one.sum.data_points) + len(one.exponential_histogram.data_points) for one in metrics
    )
