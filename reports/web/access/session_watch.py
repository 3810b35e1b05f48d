"""Whether the session of a long response, such as a stream of events, is still there."""

from collections.abc import Awaitable, Callable
from time import monotonic

PERIOD = 2.0
"""Seconds between two looks at the store."""


class SessionWatch:
    """Asks `is_signed_in` from time to time; once the session has ended, it stays ended."""

    def __init__(self, is_signed_in: Callable[[], Awaitable[bool]], clock: Callable[[], float] = monotonic) -> None:
        self._is_signed_in = is_signed_in
        self._clock = clock
        self._looked = clock()
        self._over = False

    async def is_over(self) -> bool:
        """Whether the session has ended."""
        now = self._clock()
        if not self._over and now - self._looked >= PERIOD:
            self._looked = now
            self._over = not await self._is_signed_in()
        return self._over
