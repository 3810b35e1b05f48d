"""How many requests per minute are answered for one user or token, however many browsers and programs use it."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

MOST = 10_000
"""Users that are remembered."""


class RequestBudget:
    """Counts requests per user. A minute's requests may come at once; after that they come back evenly."""

    def __init__(self, per_minute: int, now: Callable[[], float] = monotonic, most: int = MOST) -> None:
        self._per_minute = per_minute
        self._now = now
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, user: str) -> float:
        """Counts a request. Seconds until the next one is answered; 0 if this one is."""
        now = self._now()
        level, at = self._levels.pop(user, (float(self._per_minute), now))
        level = min(level + (now - at) * self._per_minute / 60, float(self._per_minute))
        answered = level >= 1
        self._levels[user] = (level - 1 if answered else level, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return 0.0 if answered else (1 - level) * 60 / self._per_minute

    def __len__(self) -> int:
        return len(self._levels)
