"""The metrics of a worker, for those who let it serve them."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge

from runner.bundles.bundle_cache import BundleCache
from runner.bundles.bundle_metrics import BundleMetrics

if TYPE_CHECKING:
    from runner.dispatch.worker.program import WorkerProgram


def make_registry(program: "WorkerProgram", cache: BundleCache) -> CollectorRegistry:
    """The gauges of a worker."""
    registry = CollectorRegistry()
    running = Gauge(
        "synthetic_worker_runs", "Runs that the worker has, from their order to their sent result.", registry=registry
    )
    running.set_function(lambda: program.active)
    unsent = Gauge("synthetic_worker_unsent_results", "Results that the broker has not taken yet.", registry=registry)
    unsent.set_function(lambda: len(program.outbox.waiting))
    registry.register(BundleMetrics(cache))
    return registry
