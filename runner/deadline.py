"""The deadline of a run, inside its worker: an alarm that ends a wait for a page as well as a loop in the journey's code.

The supervisor's own deadline (see workers.py) stands behind it, for code that no exception can reach.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SOONEST = 0.001
"""Seconds; an alarm of 0 would be none at all."""


class DeadlineReached(BaseException):
    """The time of the run is up. Not an Exception, so that a journey's own `except Exception` does not swallow it."""

    def __init__(self, seconds: float, waiting: bool) -> None:
        super().__init__(f"not finished after {seconds:g} s")
        self.seconds = seconds
        self.waiting = waiting
        """True when the journey was waiting for a page, False when its own code was running."""


class Deadline:
    """The deadline of a block that has begun."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._hastened = False
        self.over = False

    def hasten(self, seconds: float) -> None:
        """Ends a wait for a page in `seconds`; code of the journey's own keeps its time. Nothing once the block has ended."""
        if not self.over and seconds < self._ends - time.monotonic():
            self._hastened = True
            signal.setitimer(signal.ITIMER_REAL, max(seconds, SOONEST))

    def reached(self, _: int, frame: FrameType | None) -> None:
        """What the alarm calls."""
        waiting = _in_playwright(frame)
        left = self._ends - time.monotonic()
        if self._hastened and not waiting and left > 0:
            signal.setitimer(signal.ITIMER_REAL, max(left, SOONEST))
            return
        raise DeadlineReached(self._seconds, waiting)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Raises DeadlineReached in the block after `seconds`. Only for the main thread, on systems with `setitimer`.

    Blocks may be nested; an outer deadline that passes inside an inner block is raised as soon as that one ends.
    """
    this = Deadline(seconds)
    before = signal.signal(signal.SIGALRM, this.reached)
    started = time.monotonic()
    outer, _ = signal.setitimer(signal.ITIMER_REAL, max(seconds, SOONEST))
    try:
        yield this
    finally:
        this.over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer:
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - started), SOONEST))


def _in_playwright(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("playwright."):
            return True
        frame = frame.f_back
    return False
