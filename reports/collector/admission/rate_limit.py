"""Token buckets: how much one network may send to one app, by the work that it causes; and how much of that in all."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from time import monotonic

from reports.shared_spending import Unsaid, hash_key
from runner.settings.sections.apps import App

KEPT = 10_000
"""Buckets that are remembered; the one that was used longest ago is forgotten first, and would be nearly full by then."""
BEACON = 4_096
"""Inflated bytes of a beacon that are one token: its texts are cleaned, so the work grows with them."""
CHUNK = 65_536
"""The same of a chunk of a recording, which is stored as it came."""


class RateLimit:
    """A bucket of `burst` tokens for each (app, network), filled at `rate` a second; of several servers together, where they `share` it."""

    def __init__(self, kept: int = KEPT, clock: Callable[[], float] = monotonic) -> None:
        self._kept = kept
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._apps: dict[str, App] = {}
        self._unsaid = Unsaid(kept)
        # What others have let in is heard in another thread.
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, app: App, network: str, now: float, tokens: int = 1) -> float:
        """Takes tokens out, at most as many as the bucket holds; the seconds to wait while there are too few, else 0.

        `now` is a monotonic clock's time in seconds.
        """
        key = f"{app.name} {hash_key(network) if self._unsaid.shared else network}"
        with self._turn:
            self._apps[app.name] = app
            level = self._level(key, app, now)
            tokens = min(tokens, app.burst)
            wait = 0.0 if level >= tokens else (tokens - level) / app.rate
            self._put(key, level if wait else level - tokens, now)
            if not wait:
                self._unsaid.add(key, tokens, app.burst)
        return wait

    def share(self) -> None:
        """Begins to note what is let in, for other servers."""
        self._unsaid.shared = True

    def take_unsaid(self) -> Mapping[str, int]:
        """What was let in of each key and not said to others yet."""
        with self._turn:
            return self._unsaid.take()

    def hear(self, spent: Mapping[str, int]) -> None:
        """Takes out what another server has let in; at most a bucket is owed."""
        now = self._clock()
        with self._turn:
            for key, tokens in spent.items():
                app = self._apps.get(key.partition(" ")[0])
                # An app of which nothing has come here yet: the balancer sends it elsewhere.
                if app is not None:
                    self._put(key, max(self._level(key, app, now) - tokens, -float(app.burst)), now)

    def _level(self, key: str, app: App, now: float) -> float:
        level, at = self._buckets.get(key, (float(app.burst), now))
        return min(float(app.burst), level + (now - at) * app.rate)

    def _put(self, key: str, level: float, now: float) -> None:
        self._buckets[key] = (level, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)


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
