"""Guesses are slowed down, those of a network and those at an account, without keeping the account's owner out.

A network waits longer after each wrong attempt. An account accepts attempts from anywhere at a steady rate that is far too low for
guessing and does not fall, however many attempts there are. Browsers in which the owner has signed in before are not affected by either
(`known_browser`).
"""

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
AT_ONCE = 20
"""Attempts at one account that are checked at once …"""
PER_SECOND = 0.5
"""… and how many per second after that."""


class _Guesses(Struct):
    wrong: int
    at: float
    until: float
    names: dict[str, int]
    """How many of them were at which account."""


class Backoff:
    """Counts failed attempts per key, such as a network. `longest` is the longest wait in seconds."""

    def __init__(self, longest: float, now: Callable[[], float] = monotonic, most: int = MOST) -> None:
        self._longest = longest
        self._now = now
        self._most = most
        self._known: OrderedDict[str, _Guesses] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until the next attempt is checked; 0 if it is checked now."""
        one = self._known.get(key)
        return max(one.until - self._now(), 0.0) if one else 0.0

    def wrong(self, key: str, name: str = "") -> None:
        """Counts a failed attempt at the account `name`."""
        now = self._now()
        one = self._known.pop(key, None)
        if one is None or now - one.at > FORGOTTEN:
            one = _Guesses(0, now, now, {})
        one.wrong += 1
        one.at = now
        over = one.wrong - FREE
        one.until = now + (min(2.0 ** min(over, 30), self._longest) if over >= 0 else 0.0)
        if name in one.names or len(one.names) < FREE:
            one.names[name] = one.names.get(name, 0) + 1
        self._known[key] = one
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def right(self, key: str, name: str = "") -> None:
        """Forgets the attempts of a key at one account, and none at others: users must not be able to clear their guesses at colleagues."""
        one = self._known.get(key)
        if one is None:
            return
        one.wrong -= one.names.pop(name, 0)
        one.until = self._now()
        if one.wrong <= 0:
            del self._known[key]

    def __len__(self) -> int:
        return len(self._known)


class AccountBudget:
    """How many attempts at an account are checked, from all networks together."""

    def __init__(self, now: Callable[[], float] = monotonic, most: int = MOST) -> None:
        self._now = now
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Seconds until the next attempt is checked; 0 if it is checked now."""
        return max((1 - self._level(name)) / PER_SECOND, 0.0)

    def take(self, name: str) -> None:
        """Counts an attempt that is checked."""
        level = self._level(name)
        self._levels.pop(name, None)
        self._levels[name] = (level - 1, self._now())
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)

    def __len__(self) -> int:
        return len(self._levels)

    def _level(self, name: str) -> float:
        level, at = self._levels.get(name, (float(AT_ONCE), 0.0))
        return min(level + (self._now() - at) * PER_SECOND, float(AT_ONCE))
