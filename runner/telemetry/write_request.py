"""Prometheus remote write 1.0: series with samples as protobuf, which is so small a message that it is written by hand.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

import struct
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

STALE = struct.unpack("<d", (0x7FF0000000000002).to_bytes(8, "little"))[0]
"""The value that ends a series: a NaN of its own, which a query never shows."""
_VARINT, _DOUBLE, _BYTES = 0, 1, 2


class Exemplar(Struct, frozen=True):
    """What led to a value: labels such as the trace, and when (milliseconds since the epoch)."""

    labels: Mapping[str, str]
    value: float
    at: int


class Series(Struct, frozen=True):
    """A series, with its name as the label `__name__`, and samples: milliseconds since the epoch, value; in the order of time."""

    labels: Mapping[str, str]
    samples: tuple[tuple[int, float], ...]
    exemplar: Exemplar | None = None


def encode_write_request(series: Iterable[Series]) -> bytes:
    """The message `prometheus.WriteRequest`, without compression.

    >>> encode_write_request([Series({"__name__": "up"}, ((1, 2.0),))]).hex(" ")
    '0a 1d 0a 0e 0a 08 5f 5f 6e 61 6d 65 5f 5f 12 02 75 70 12 0b 09 00 00 00 00 00 00 00 40 10 01'
    """
    return b"".join(_field(1, _encode_series(one)) for one in series)


def _encode_series(one: Series) -> bytes:
    parts = list(_encode_labels(one.labels))
    parts += [_field(2, _number(1, value) + _integer(2, at)) for at, value in one.samples]
    if one.exemplar is not None:
        labels = b"".join(_encode_labels(one.exemplar.labels))
        parts.append(_field(3, labels + _number(2, one.exemplar.value) + _integer(3, one.exemplar.at)))
    return b"".join(parts)


def _encode_labels(labels: Mapping[str, str]) -> Iterator[bytes]:
    # Receivers refuse labels that are not sorted; an empty value means that there is no such label.
    for name in sorted(labels):
        if labels[name]:
            yield _field(1, _field(1, name.encode()) + _field(2, labels[name].encode()))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _number(number: int, value: float) -> bytes:
    return _varint(number << 3 | _DOUBLE) + struct.pack("<d", value)


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
