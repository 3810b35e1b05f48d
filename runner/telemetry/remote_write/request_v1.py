"""Prometheus remote write 1.0: series with samples as protobuf, which is so small a message that it is written by hand.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from collections.abc import Iterable, Iterator, Mapping

from runner.telemetry.remote_write.histogram_message import encode_histogram
from runner.telemetry.remote_write.protobuf import double, field, integer
from runner.telemetry.series import Series


def encode_request(series: Iterable[Series]) -> bytes:
    """The message `prometheus.WriteRequest`, without compression.

    >>> encode_request([Series({"__name__": "up"}, ((1, 2.0),))]).hex(" ")
    '0a 1d 0a 0e 0a 08 5f 5f 6e 61 6d 65 5f 5f 12 02 75 70 12 0b 09 00 00 00 00 00 00 00 40 10 01'
    """
    return b"".join(field(1, _encode_series(one)) for one in series)


def _encode_series(one: Series) -> bytes:
    parts = list(_encode_labels(one.labels))
    parts += [field(2, double(1, value) + integer(2, at)) for at, value in one.samples]
    if one.exemplar is not None:
        labels = b"".join(_encode_labels(one.exemplar.labels))
        parts.append(field(3, labels + double(2, one.exemplar.value) + integer(3, one.exemplar.at)))
    parts += [field(4, encode_histogram(at, histogram)) for at, histogram in one.histograms]
    return b"".join(parts)


def _encode_labels(labels: Mapping[str, str]) -> Iterator[bytes]:
    # Receivers refuse labels that are not sorted; an empty value means that there is no such label.
    for name in sorted(labels):
        if labels[name]:
            yield field(1, field(1, name.encode()) + field(2, labels[name].encode()))
