"""Which workers are there, by the heartbeats that have been heard."""

import time
from collections.abc import Callable

from msgspec import Struct

from runner.dispatch.messages import Heartbeat

HEARTBEAT = 5.0
"""Seconds between two heartbeats of a worker."""
SILENT = 30.0
"""Seconds without a heartbeat after which a worker counts as lost."""


class _Known(Struct):
    """A worker, and when it was last heard of by `time.monotonic()`."""

    newest: Heartbeat
    at: float
    ahead: float
    """Seconds by which its clock is ahead of ours, as far as the heartbeats show: what they were under way is not part of it."""


class WorkerHealth:
    """The workers that were heard of, by name. All times are our own clock's, so theirs do not matter."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        self._known: dict[str, _Known] = {}
        self._locations: set[str] = set()

    def hear(self, beat: Heartbeat) -> None:
        """Takes in a heartbeat."""
        known = self._known.get(beat.worker)
        ahead = beat.sent_at.timestamp() - self._wall()
        # The one that was under way for the shortest time shows the clocks' difference best.
        if known is not None and abs(ahead - known.ahead) < SILENT:
            ahead = max(ahead, known.ahead)
        self._known[beat.worker] = _Known(beat, self._clock(), ahead)
        self._locations.add(beat.location)
        for name in [name for name, one in self._known.items() if self._clock() - one.at > 10 * SILENT]:
            del self._known[name]

    def expect(self, location: str) -> None:
        """From now on it is said of a location whether it has workers, even if none was heard of."""
        self._locations.add(location)

    @property
    def locations(self) -> frozenset[str]:
        """The locations that are known."""
        return frozenset(self._locations)

    def workers(self, location: str) -> list[Heartbeat]:
        """The newest heartbeat of each worker of a location that takes runs."""
        return [
            one.newest
            for one in self._known.values()
            if one.newest.location == location and self._is_heard(one) and not one.newest.leaving
        ]

    def is_up(self, location: str) -> bool:
        """Whether a location has a worker."""
        return bool(self.workers(location))

    def seconds_silent(self, location: str) -> float | None:
        """Since when no worker of a location that takes runs was heard of; None if none ever was. From any thread."""
        heard = [one.at for one in list(self._known.values()) if one.newest.location == location and not one.newest.leaving]
        return self._clock() - max(heard) if heard else None

    def is_alive(self, worker: str) -> bool:
        """Whether a worker was heard of lately, also one that takes no more runs."""
        known = self._known.get(worker)
        return known is not None and self._is_heard(known)

    def seconds_ahead(self, worker: str) -> float:
        """By how much the clock of a worker is ahead of ours, at least; 0 where that is not known."""
        known = self._known.get(worker)
        return known.ahead if known is not None else 0.0

    def _is_heard(self, known: _Known) -> bool:
        return self._clock() - known.at < SILENT
