"""The distribution of a metric: counts between fixed edges, which can be added up over any time and any pages.

The edges include each vital's thresholds, so the shares of good and poor are exact; a percentile is interpolated between two edges,
which are close enough for an error of a few percent. The columns of the table `histograms` depend on the edges, so they never change.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from msgspec import Struct

from runner.store.tables.page_views import Metric

_PAINTS = (
    0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.2, 1.5, 1.8, 2.1, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 60.0,
)  # fmt: skip
EDGES: dict[Metric, tuple[float, ...]] = {
    "load": _PAINTS,
    "ttfb": (
        0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.2, 1.5, 1.8, 2.1, 2.5, 3.0, 4.0, 6.0, 8.0, 15.0, 30.0,
    ),
    "fcp": _PAINTS,
    "lcp": _PAINTS,
    "inp": (
        0.016, 0.024, 0.032, 0.04, 0.056, 0.072, 0.088, 0.104, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.65, 0.8, 1.0, 1.5,
        2.5, 5.0, 10.0,
    ),
    "cls": (
        0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.5, 5.0,
        10.0,
    ),
}  # fmt: skip
"""The upper edges of all buckets except the last, which has none. In seconds, except for `cls`."""
THRESHOLDS: dict[Metric, tuple[float, float]] = {
    "load": (2.5, 4.0), "ttfb": (0.8, 1.8), "fcp": (1.8, 3.0), "lcp": (2.5, 4.0), "inp": (0.2, 0.5), "cls": (0.1, 0.25),
}  # fmt: skip
"""Values up to the first are good, above the second poor, as web.dev defines for the vitals; load time uses the thresholds of LCP."""
GOOD: Mapping[str, float] = {metric: good for metric, (good, _) in THRESHOLDS.items()}
"""Of each metric, the largest value that is good."""


class Shares(Struct, frozen=True):
    """Shares of all values, which add up to 1."""

    good: float
    needs_work: float
    poor: float


class Distribution(Struct, frozen=True):
    """The values of a metric, as counts between its edges."""

    metric: Metric
    buckets: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """The number of values."""
        return sum(self.buckets)

    @property
    def mean(self) -> float | None:
        """The mean; None without values."""
        return self.sum / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """The value that a share of all values does not exceed, interpolated linearly between two edges; None without values.

        >>> Distribution("lcp", (0, 0, 0, 0, 10, *[0] * 20), 4.5).percentile(0.5)
        0.45
        """
        count = self.count
        if not count:
            return None
        edges = EDGES[self.metric]
        wanted = share * count
        below = 0
        for index, inside in enumerate(self.buckets):
            if inside and below + inside >= wanted:
                if index == len(edges):
                    return edges[-1]
                lower = edges[index - 1] if index else min(0.0, edges[0])
                return round(lower + (edges[index] - lower) * (wanted - below) / inside, 6)
            below += inside
        return edges[-1]

    @property
    def shares(self) -> Shares | None:
        """The exact shares of good, needs improvement and poor; None without values."""
        count = self.count
        if not count:
            return None
        good, poor = (EDGES[self.metric].index(edge) + 1 for edge in THRESHOLDS[self.metric])
        return Shares(sum(self.buckets[:good]) / count, sum(self.buckets[good:poor]) / count, sum(self.buckets[poor:]) / count)


def bucket(metric: Metric, value: float) -> int:
    """The index of the bucket of a value.

    >>> bucket("cls", 0.1), bucket("cls", 0.1001), bucket("lcp", 99.0)
    (9, 10, 24)
    """
    return bisect_left(EDGES[metric], value)


def merged(metric: Metric, rows: Sequence[tuple[Sequence[int], float]]) -> Distribution:
    """The sum of several distributions, each given as its buckets and its sum."""
    buckets = [0] * (len(EDGES[metric]) + 1)
    total = 0.0
    for counts, one in rows:
        buckets = [a + b for a, b in zip(buckets, counts, strict=True)]
        total += one
    return Distribution(metric, tuple(buckets), total)
