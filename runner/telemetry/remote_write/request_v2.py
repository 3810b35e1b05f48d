"""Prometheus remote write 2.0: each text once in a table, series refer to it; type and help of each metric go along.

https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ (2.0-rc.4). When a counter began is left out: it moved from one message to
another between the candidates, and is optional; the first sample of each counter is a 0 instead.
"""

from collections.abc import Iterable, Mapping

from runner.telemetry.remote_write.histogram_message import encode_histogram
from runner.telemetry.remote_write.protobuf import double, field, integer, packed
from runner.telemetry.series import NAME, Series

KINDS = {"counter": 1, "gauge": 2, "histogram": 3}
UNITS = {"seconds": "seconds", "bytes": "bytes"}
"""Units by the end of the name."""


def encode_request(series: Iterable[Series]) -> bytes:
    """The message `io.prometheus.write.v2.Request`, without compression.

    >>> encode_request([Series({"__name__": "up"}, ((1, 2.0),))]).hex(" ")
    '22 00 22 08 5f 5f 6e 61 6d 65 5f 5f 22 02 75 70 2a 15 0a 02 01 02 12 0b 09 00 00 00 00 00 00 00 40 10 01 2a 02 08 02'
    """
    # The table begins with the empty text, which is what a reference of 0, or none, means.
    symbols: dict[str, int] = {"": 0}
    encoded = [field(5, _encode_series(one, symbols)) for one in series]
    return b"".join([*(field(4, text.encode()) for text in symbols), *encoded])


def _encode_series(one: Series, symbols: dict[str, int]) -> bytes:
    parts = [packed(1, _refer(one.labels, symbols))]
    parts += [field(2, double(1, value) + integer(2, at)) for at, value in one.samples]
    parts += [field(3, encode_histogram(at, histogram)) for at, histogram in one.histograms]
    if one.exemplar is not None:
        labels = packed(1, _refer(one.exemplar.labels, symbols))
        parts.append(field(4, labels + double(2, one.exemplar.value) + integer(3, one.exemplar.at)))
    parts.append(field(5, _describe(one, symbols)))
    return b"".join(parts)


def _describe(one: Series, symbols: dict[str, int]) -> bytes:
    unit = UNITS.get(one.labels[NAME].rpartition("_")[2], "")
    found = integer(1, KINDS[one.kind])
    found += integer(3, _symbol(one.help, symbols)) if one.help else b""
    return found + (integer(4, _symbol(unit, symbols)) if unit else b"")


def _refer(labels: Mapping[str, str], symbols: dict[str, int]) -> list[int]:
    """The labels as references, sorted; an empty value means that there is no such label."""
    return [_symbol(text, symbols) for name in sorted(labels) if labels[name] for text in (name, labels[name])]


def _symbol(text: str, symbols: dict[str, int]) -> int:
    return symbols.setdefault(text, len(symbols))
