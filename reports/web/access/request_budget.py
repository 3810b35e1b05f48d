"""How many requests per minute are answered for one user or token, however many browsers and programs use it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import monotonic

from reports.shared_spending import Unsaid, hash_key

MOST = 10_000
"""Users that are remembered."""


class RequestBudget:
    """Counts requests per user. A minute's requests may come at once; after that they come back evenly.

    Several servers count together, where they `share` it.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = monotonic, most: int = MOST) -> None:
        self._per_minute = per_minute
        self._now = now
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._unsaid = Unsaid(most)
        # What others have answered is heard in another thread.
        self._turn = threading.Lock()

    def take(self, user: str) -> float:
        """Counts a request. Seconds until the next one is answered; 0 if this one is."""
        key = hash_key(user) if self._unsaid.shared else user
        with self._turn:
            level = self._level(key)
            answered = level >= 1
            self._put(key, level - 1 if answered else level)
            if answered:
                self._unsaid.add(key, 1, self._per_minute)
        return 0.0 if answered else (1 - level) * 60 / self._per_minute

    def share(self) -> None:
        """Begins to note what is answered, for other servers."""
        self._unsaid.shared = True

    def take_unsaid(self) -> Mapping[str, int]:
        """What was answered to each user and not said to others yet."""
        with self._turn:
            return self._unsaid.take()

    def hear(self, spent: Mapping[str, int]) -> None:
        """Takes out what another server has answered; at most a minute's requests are owed."""
        with self._turn:
            for key, requests in spent.items():
                self._put(key, max(self._level(key) - requests, -float(self._per_minute)))

    def __len__(self) -> int:
        return len(self._levels)

    def _level(self, key: str) -> float:
        level, at = self._levels.get(key, (float(self._per_minute), self._now()))
        return min(level + (self._now() - at) * self._per_minute / 60, float(self._per_minute))

    def _put(self, key: str, level: float) -> None:
        self._levels[key] = (level, self._now())
        self._levels.move_to_end(key)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
