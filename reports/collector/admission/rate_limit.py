"""Token buckets: how much one network may send to one app."""

from collections import OrderedDict

from runner.settings.apps import App

KEPT = 10_000
"""Buckets that are remembered; the one that was used longest ago is forgotten first, and would be nearly full by then."""


class RateLimit:
    """A bucket of `burst` beacons for each (app, network), filled at `rate` a second."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, app: App, network: str, now: float) -> float:
        """Takes one out; the seconds to wait when there is none, else 0. `now` is a monotonic clock's time in seconds."""
        key = (app.name, network)
        level, at = self._buckets.pop(key, (float(app.burst), now))
        level = min(float(app.burst), level + (now - at) * app.rate)
        wait = 0.0 if level >= 1 else (1 - level) / app.rate
        self._buckets[key] = (level if wait else level - 1, now)
        if len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)
        return wait
