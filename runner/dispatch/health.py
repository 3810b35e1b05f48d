"""Which workers are there, by the heartbeats that have been heard, and for how long a scheduler was able to hear them."""

import time
from collections.abc import Callable

from msgspec import Struct

from runner.dispatch.messages import Heartbeat

HEARTBEAT = 5.0
"""Seconds between two heartbeats of a worker."""
SILENT = 30.0
"""Seconds without a heartbeat after which a worker counts as lost."""


GAP = 3.0
"""Seconds that count between two turns of a scheduler's loop; the rest of a longer gap does not."""


class ListeningClock:
    """Counts the seconds in which a scheduler could hear its workers, from any thread.

    Not those in which its process was stopped, or its loop was held up, and not those in which nothing could be received: whatever is
    judged by this clock is judged after what has come meanwhile was heard. The sleep of a machine is a gap where the monotonic clock
    counts it, as in a container that was frozen, and otherwise does not count anyway.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turned = (clock(), 0.0, GAP)

    def __call__(self) -> float:
        """The seconds until now."""
        at, counted, most = self._turned
        return counted + min(self._clock() - at, most)

    def turn(self, listening: bool) -> None:
        """The loop has handled what had come; `listening` is whether that was everything, and more can come."""
        now = self()
        self._turned = (self._clock(), now, GAP if listening else 0.0)


class _Known(Struct):
    """A worker, and when it was last heard of by the clock of `WorkerHealth`."""

    newest: Heartbeat
    at: float
    ahead: float
    """Seconds by which its clock is ahead of ours, as far as the heartbeats show: what they were under way is not part of it."""
    newest_ahead: float
    """The same by the newest heartbeat alone, which may have waited."""


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
        newest = ahead = beat.sent_at.timestamp() - self._wall()
        if known is not None:
            # The one that was under way for the shortest time shows the clocks' difference best. Where a clock was set back, the next
            # heartbeat says the same; those that have waited while nothing was heard differ from each other.
            was_set = abs(ahead - known.ahead) >= SILENT and (
                ahead > known.ahead or abs(ahead - known.newest_ahead) < HEARTBEAT / 2
            )
            ahead = ahead if was_set else max(ahead, known.ahead)
        self._known[beat.worker] = _Known(beat, self._clock(), ahead, newest)
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
