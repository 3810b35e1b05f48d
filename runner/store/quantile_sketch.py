"""A sketch of many durations in little space, from which any percentile can be computed within 3 %."""

import math
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

GROWTH = 1.06
"""The ratio of the ends of neighbouring buckets: the middle of a bucket is at most 3 % off."""
SMALLEST = 1e-4
"""Seconds; shorter durations count as this."""
_LOG = math.log(GROWTH)
_BUCKETS = msgspec.json.Decoder(dict[int, int])


class Sketch:
    """Counts in buckets that grow by a constant factor (Masson, Rim & Lee, DDSketch, VLDB 2019); two sketches can be merged.

    >>> sketch = Sketch.of([0.1] * 90 + [2.0] * 10)
    >>> round(sketch.quantile(0.5), 2), abs(sketch.quantile(0.95) / 2.0 - 1) < 0.03, sketch.count
    (0.1, True, 100)
    """

    def __init__(self, buckets: Mapping[int, int] | None = None) -> None:
        self._buckets: dict[int, int] = dict(buckets or {})

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Self:
        """A sketch of these durations, in seconds."""
        sketch = cls()
        for one in seconds:
            sketch.add(one)
        return sketch

    @classmethod
    def read(cls, written: Mapping[str, int]) -> Self:
        """A sketch from its JSON form."""
        return cls({int(bucket): count for bucket, count in written.items()})

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """A sketch from its JSON form as text, five times as fast as `read` of what `json.loads` makes of it."""
        sketch = cls()
        sketch._buckets = _BUCKETS.decode(text)
        return sketch

    def written(self) -> dict[str, int]:
        """The JSON form."""
        return {str(bucket): count for bucket, count in sorted(self._buckets.items())}

    def add(self, seconds: float) -> None:
        """Adds a duration, in seconds."""
        bucket = math.ceil(math.log(max(seconds, SMALLEST) / SMALLEST) / _LOG)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    def merge(self, other: Self) -> None:
        """Adds the durations of another sketch."""
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count

    @property
    def count(self) -> int:
        """The number of durations."""
        return sum(self._buckets.values())

    def quantile(self, share: float) -> float | None:
        """The duration in seconds that a `share` of all durations do not exceed; None without durations."""
        wanted = max(math.ceil(share * self.count), 1)
        seen = 0
        for bucket, count in sorted(self._buckets.items()):
            seen += count
            if seen >= wanted:
                # The point of the bucket with the same relative distance to both its ends.
                return SMALLEST * GROWTH**bucket * 2 / (1 + GROWTH)
        return None
