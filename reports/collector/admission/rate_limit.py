"""Token buckets: how much one network may send to one app, by the work that it causes; and how much of that in all."""

from collections import OrderedDict
from collections.abc import Collection

from runner.settings.sections.apps import App

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


class WorkAllowance:
    """What the large bodies of one network may cost before it is known for which app they are, and whether they are anything.

    They have to be inflated and read to know it. What that took is charged afterwards; whoever has overdrawn has to wait before the next.
    """

    def __init__(self, apps: Collection[App], kept: int = KEPT) -> None:
        """As much as the apps together let one network send, so that nobody is kept out who obeys their limits."""
        self._rate = sum(app.rate for app in apps)
        self._burst = float(sum(app.burst for app in apps))
        self._kept = kept
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, network: str, now: float) -> float:
        """Until the network may send the next one; 0 when it may. `now` is a monotonic clock's time in seconds."""
        return max(-self._level(network, now) / self._rate, 0.0)

    def charge(self, network: str, now: float, size: int) -> None:
        """Notes that a body of so many inflated bytes was read."""
        self._levels[network] = (self._level(network, now) - 1 - size // CHUNK, now)
        self._levels.move_to_end(network)
        if len(self._levels) > self._kept:
            self._levels.popitem(last=False)

    def _level(self, network: str, now: float) -> float:
        level, at = self._levels.get(network, (self._burst, now))
        return min(self._burst, level + (now - at) * self._rate)
