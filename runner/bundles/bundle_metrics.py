"""The metrics of the bundles of a worker: how many are cached, and how opening them ended."""

from collections.abc import Iterable

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runner.bundles.bundle_cache import BundleCache

OUTCOMES = ("cached", "fetched", "refused", "storage")
opened = Counter("synthetic_bundle_opens", "Bundles that were opened for a run, by outcome.", ["outcome"], registry=None)
"""Of this process: `cached`, `fetched`, `refused` (not valid, or this machine cannot run it), `storage` (it does not answer)."""
for _outcome in OUTCOMES:
    # The first increase of a counter that begins with 1 is lost to `increase`.
    opened.labels(_outcome)


class BundleMetrics(Collector):
    """What a cache holds at the moment it is asked, and what was opened."""

    def __init__(self, cache: BundleCache) -> None:
        self._cache = cache

    def collect(self) -> Iterable[Metric]:
        """The families."""
        cached = self._cache.list_cached()
        yield GaugeMetricFamily("synthetic_cached_bundles", "Bundles that are unpacked on this machine.", len(cached))
        total = sum(one.bytes for one in cached)
        yield GaugeMetricFamily("synthetic_cached_bundles_bytes", "Bytes of the bundles that are unpacked here.", total)
        yield from opened.collect()
