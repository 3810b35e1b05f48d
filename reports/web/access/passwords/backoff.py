"""Guesses are slowed down, those of a network and those at an account, without keeping the account's owner out.

A network waits longer after each wrong attempt. An account accepts attempts from anywhere at a steady rate that is far too low for
guessing and does not fall, however many attempts there are. Browsers in which the owner has signed in before are not affected by either
(`known_browser`).
"""

from collections.abc import Callable
from time import monotonic

from reports.web.access.attempt_counts import FORGOTTEN, MOST, AttemptCount, AttemptCounts, MemoryCounts

FREE = 5
"""Failed attempts without a wait."""
AT_ONCE = 20
"""Attempts at one account that are checked at once …"""
PER_SECOND = 0.5
"""… and how many per second after that."""


class Backoff:
    """Counts failed attempts per key, such as a network; after `FORGOTTEN` seconds the count restarts.

    `longest` is the longest wait in seconds; `parts` of a count are how many attempts were at which account.
    """

    def __init__(
        self, longest: float, now: Callable[[], float] = monotonic, most: int = MOST, counts: AttemptCounts | None = None
    ) -> None:
        self._longest = longest
        self._now = now
        self._counts = MemoryCounts(most) if counts is None else counts

    def wait(self, key: str) -> float:
        """Seconds until the next attempt is checked; 0 if it is checked now."""
        one = self._counts.read(key)
        return max(one.until - self._now(), 0.0) if one else 0.0

    def attempt(self, key: str, name: str = "") -> float:
        """Counts an attempt at the account `name` as failed, unless it is not checked yet: returns the seconds until it is, else 0."""
        waits: list[float] = []

        def count(one: AttemptCount | None) -> AttemptCount | None:
            wait = one.until - self._now() if one else 0.0
            if wait > 0:
                waits.append(wait)
                return one
            return self._count(one, name)

        self._counts.change(key, count)
        return waits[0] if waits else 0.0

    def wrong(self, key: str, name: str = "") -> None:
        """Counts a failed attempt at the account `name`."""
        self._counts.change(key, lambda one: self._count(one, name))

    def right(self, key: str, name: str = "") -> None:
        """Forgets the attempts of a key at one account, and none at others: users must not be able to clear their guesses at colleagues."""
        if self._counts.read(key) is None:
            return

        def forget(one: AttemptCount | None) -> AttemptCount | None:
            if one is None:
                return None
            one.level -= one.parts.pop(self._counts.label(name), 0)
            one.until = self._now()
            return one if one.level > 0 else None

        self._counts.change(key, forget)

    def _count(self, one: AttemptCount | None, name: str) -> AttemptCount:
        now, label = self._now(), self._counts.label(name)
        if one is None or now - one.at > FORGOTTEN:
            one = AttemptCount(0.0, now, now, {})
        one.level += 1
        one.at = now
        over = one.level - FREE
        one.until = now + (min(2.0 ** min(over, 30), self._longest) if over >= 0 else 0.0)
        if label in one.parts or len(one.parts) < FREE:
            one.parts[label] = one.parts.get(label, 0) + 1
        return one

    def __len__(self) -> int:
        return len(self._counts)


class AccountBudget:
    """How many attempts at an account are checked, from all networks together."""

    def __init__(self, now: Callable[[], float] = monotonic, most: int = MOST, counts: AttemptCounts | None = None) -> None:
        self._now = now
        self._counts = MemoryCounts(most) if counts is None else counts

    def wait(self, name: str) -> float:
        """Seconds until the next attempt is checked; 0 if it is checked now."""
        return max((1 - self._level(self._counts.read(name))) / PER_SECOND, 0.0)

    def take(self, name: str) -> None:
        """Counts an attempt that is checked."""
        self._counts.change(name, lambda one: AttemptCount(self._level(one) - 1, self._now()))

    def __len__(self) -> int:
        return len(self._counts)

    def _level(self, one: AttemptCount | None) -> float:
        return min(one.level + (self._now() - one.at) * PER_SECOND, float(AT_ONCE)) if one else float(AT_ONCE)
