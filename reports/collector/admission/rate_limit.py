"""Token buckets: how much one network may send to one app, by the work that it causes."""

from collections import OrderedDict

from runner.settings.apps import App

KEPT = 10_000
"""Buckets that are remembered; the one that was used longest ago is forgotten first, and would be nearly full by then."""


BEACON = 4_096
"""Inflated bytes of a beacon that are one token: its texts are cleaned, so the work grows with them."""
CHUNK = 65_536
"""The same of a chunk of a recording, which is stored as it came."""


class RateLimit:
    """A bucket of `burst` tokens for each (app, network), filled at `rate` a second."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, app: App, network: str, now: float, tokens: int = 1) -> float:
        """Takes tokens out, at most as many as the bucket holds; the seconds to wait while there are too few, else 0.

        `now` is a monotonic clock's time in seconds.
        """
        key = (app.name, network)
        level, at = self._buckets.pop(key, (float(app.burst), now))
        level = min(float(app.burst), level + (now - at) * app.rate)
        tokens = min(tokens, app.burst)
        wait = 0.0 if level >= tokens else (tokens - level) / app.rate
        self._buckets[key] = (level if wait else level - tokens, now)
        if len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)
        return wait
