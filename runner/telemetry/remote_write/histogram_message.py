"""A native histogram as protobuf, which has the same form in both versions of remote write."""

from collections.abc import Mapping

from runner.telemetry.native_histogram import SCHEMA, ZERO_THRESHOLD, NativeHistogram
from runner.telemetry.remote_write.protobuf import double, field, integer, packed, signed, zigzag


def encode_histogram(at: int, one: NativeHistogram) -> bytes:
    """The message `Histogram`; `at` is milliseconds since the epoch."""
    spans, deltas = _spans(one.buckets)
    parts = [integer(1, one.count), double(3, one.sum), signed(4, SCHEMA), double(5, ZERO_THRESHOLD), integer(6, one.zero)]
    parts += [field(11, signed(1, offset) + integer(2, length)) for offset, length in spans]
    parts += [packed(12, map(zigzag, deltas)), integer(15, at)]
    return b"".join(parts)


def _spans(buckets: Mapping[int, int]) -> tuple[list[tuple[int, int]], list[int]]:
    """Runs of buckets that follow each other, each with its distance from the one before, and how counts differ from bucket to bucket.

    >>> _spans({2: 5, 3: 1, 7: 4})
    ([(2, 2), (3, 1)], [5, -4, 3])
    """
    spans: list[tuple[int, int]] = []
    deltas: list[int] = []
    end, before = 0, 0
    for index in sorted(buckets):
        if spans and index == end:
            spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        else:
            spans.append((index - end, 1))
        deltas.append(buckets[index] - before)
        end, before = index + 1, buckets[index]
    return spans, deltas
