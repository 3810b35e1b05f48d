"""Failed sign-in attempts are slowed down: after a few, each further one doubles the wait."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from msgspec import Struct

FREE = 5
"""Failed attempts without a wait."""
MOST = 10_000
"""Names and networks that are remembered."""
FORGOTTEN = 3_600.0
"""Seconds after the last failed attempt until the count restarts."""


class _Guesses(Struct):
    wrong: int
    at: float
    until: float


class Backoff:
    """Counts failed attempts per key (a name, a network). `longest` is the longest wait in seconds."""

    def __init__(self, longest: float, now: Callable[[], float] = monotonic, most: int = MOST) -> None:
        self._longest = longest
        self._now = now
        self._most = most
        self._known: OrderedDict[str, _Guesses] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until the next attempt is checked; 0 if it is checked now."""
        one = self._known.get(key)
        return max(one.until - self._now(), 0.0) if one else 0.0

    def wrong(self, key: str) -> None:
        """Counts a failed attempt."""
        now = self._now()
        one = self._known.pop(key, None)
        if one is None or now - one.at > FORGOTTEN:
            one = _Guesses(0, now, now)
        one.wrong += 1
        one.at = now
        over = one.wrong - FREE
        one.until = now + (min(2.0 ** min(over, 30), self._longest) if over >= 0 else 0.0)
        self._known[key] = one
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def right(self, key: str) -> None:
        """Forgets the failed attempts of a key."""
        self._known.pop(key, None)

    def __len__(self) -> int:
        return len(self._known)
