"""Histograms with exponential buckets, as Prometheus (native) and OpenTelemetry (exponential) have them: no edges to choose.

Each bucket is 2 ** (1 / 8) = 1.09 times as wide as the one before, so a quantile is off by at most 4.5 %. Only buckets that hold something
are kept: between 1 µs and an hour there are 255.
"""

from math import ceil, log2

from msgspec import Struct, field

SCHEMA = 3
"""Buckets in a power of two, as a power of two."""
ZERO_THRESHOLD = 2.0**-20
"""Seconds up to which a latency counts as 0."""


class NativeHistogram(Struct):
    """Observations since it began. Bucket `i` holds values above 2 ** ((i - 1) / 8), up to 2 ** (i / 8)."""

    count: int = 0
    sum: float = 0.0
    zero: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    def observe(self, value: float) -> None:
        """Adds a value that is not negative."""
        self.count += 1
        self.sum += value
        if value <= ZERO_THRESHOLD:
            self.zero += 1
        else:
            index = bucket_index(value)
            self.buckets[index] = self.buckets.get(index, 0) + 1

    def copy(self) -> "NativeHistogram":
        """The same observations, which later ones do not change."""
        return NativeHistogram(self.count, self.sum, self.zero, dict(self.buckets))


def bucket_index(value: float) -> int:
    """The bucket of a value above 0.

    >>> [bucket_index(one) for one in (0.5, 1.0, 1.0000001, 2.0, 1.09)]
    [-8, 0, 1, 8, 1]
    """
    per_power = 1 << SCHEMA
    index = ceil(log2(value) * per_power)
    # A logarithm is rounded: a value on an edge may come out one bucket away.
    if value <= 2.0 ** ((index - 1) / per_power):
        return index - 1
    return index + 1 if value > 2.0 ** (index / per_power) else index
