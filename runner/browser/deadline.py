"""The deadline of a run, inside its process: an alarm that ends a wait for a page as well as a loop in the journey's code.

The supervisor's own deadline (see runner/workers/pool.py) stands behind it, for code that no exception can reach.
"""

import asyncio
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

from greenlet import getcurrent  # type: ignore[import-untyped]  # Playwright depends on it; it has no types
from msgspec import Struct

from runner.browser.raise_at_lines import raise_at_lines, stop_raising

SOONEST = 0.001
"""Seconds; an alarm of 0 would be none at all."""
AFTER_LISTENER = 0.05
"""Seconds after which a wait is ended, when the deadline has ended a listener."""
AGAIN = 1.0
"""Seconds after which the end of a block is raised again, if it goes on."""
ENDING = ("runner.execution.step", "runner.page.", "runner.artifacts.")
"""The modules that record the end of a step."""
LISTENERS = {"playwright._impl._impl_to_api_mapping", "runner.browser.driver.playwright_internals"}
"""The modules through which Playwright calls listeners."""


class DeadlineReached(BaseException):
    """The time of the run is up. Not an Exception, so that a journey's own `except Exception` does not swallow it."""

    def __init__(self, seconds: float, waiting: bool) -> None:
        super().__init__(f"not finished after {seconds:g} s")
        self.seconds = seconds
        self.waiting = waiting
        """True when the journey was waiting for a page, False when its own code was running."""


class _Foreign(Struct, frozen=True):
    """An alarm that somebody else has set before, such as pytest-timeout; it goes off when it is due, here too."""

    handler: Callable[[int, FrameType | None], object]
    ends: float


class Deadline:
    """The deadline of a block that has begun."""

    def __init__(self, seconds: float, foreign: _Foreign | None) -> None:
        self._seconds = seconds
        self._ends = self._wait_ends = time.monotonic() + seconds
        self._foreign = foreign
        self.gave_way = False
        """True once a foreign alarm has gone off in the block."""
        self.over = False
        self._in_listener = False
        """Whether only a listener was ended so far."""
        self.ended_by: BaseException | None = None
        """What was raised to end the block, which may go on if its code swallows it."""

    def hasten(self, seconds: float) -> None:
        """Ends a wait for a page in `seconds`; code of the journey's own keeps its time. Nothing once the block has ended."""
        if not self.over:
            self._wait_ends = min(self._wait_ends, time.monotonic() + seconds)
            self.arm()

    def lift(self) -> None:
        """Takes the deadline away, as while somebody looks at the journey with a debugger."""
        if not self.over:
            self._ends = self._wait_ends = math.inf
            self.arm()

    def arm(self) -> None:
        """Sets the alarm to what is due first."""
        first = min(self._wait_ends, self._ends, self._foreign.ends if self._foreign else math.inf)
        signal.setitimer(signal.ITIMER_REAL, 0 if first == math.inf else max(first - time.monotonic(), SOONEST))

    def reached(self, number: int, frame: FrameType | None) -> None:
        """What the alarm calls."""
        if self.ended_by is not None:
            self.end(self.ended_by, frame)
            return
        now = time.monotonic() + SOONEST
        if self._foreign and self._foreign.ends <= now:
            handler, self._foreign, self.gave_way = self._foreign.handler, None, True
            self.arm()
            handler(number, frame)
            return
        if self._ends <= now or (self._wait_ends <= now and _in_playwright(frame)):
            self.end(DeadlineReached(self._seconds, _in_playwright(frame)), frame)
            return
        if self._wait_ends <= now:
            self._wait_ends = self._ends
        self.arm()

    def end(self, error: BaseException, frame: FrameType | None) -> None:
        """Ends the block with this error. For a handler of a signal.

        If the block's code swallows it, it is raised once more after AGAIN seconds, and then at each line.
        """
        again, self.ended_by, self._in_listener = self.ended_by is not None and not self._in_listener, error, False
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        if again:
            if _is_ending(frame):
                return
            raise_at_lines(error, frame, lambda: self.over)
        self._raise(error, frame)

    def _raise(self, error: BaseException, frame: FrameType | None) -> None:
        if getcurrent().parent is not None and not _is_selecting(frame):
            # Playwright's event loop is at work while the journey waits for it.
            if not _in_own_listener(frame):
                # An exception here would end Playwright's connection. It is thrown where the journey waits.
                asyncio.get_running_loop().call_soon_threadsafe(self._throw, error)
                return
            # Only the listener ends with it. What the journey waits for meanwhile is to end as well.
            signal.setitimer(signal.ITIMER_REAL, AFTER_LISTENER)
            self._in_listener = True
        raise error.with_traceback(None)

    def _throw(self, error: BaseException) -> None:
        """Raises in the journey, from a callback of the event loop."""
        journey = getcurrent()
        while journey.parent is not None:
            journey = journey.parent
        if not self.over:
            journey.throw(error.with_traceback(None))


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Raises DeadlineReached in the block after `seconds`, on systems with `setitimer`; in the main thread only, elsewhere never.

    Blocks may be nested; an outer deadline that passes inside an inner block is raised as soon as that one ends.
    """
    if current_thread() is not main_thread():
        never = Deadline(math.inf, None)
        never.over = True
        yield never
        return
    started = time.monotonic()
    before = signal.getsignal(signal.SIGALRM)
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    ours = isinstance(getattr(before, "__self__", None), Deadline)
    foreign = _Foreign(before, started + left) if left and callable(before) and not ours else None
    this = Deadline(seconds, foreign)
    signal.signal(signal.SIGALRM, this.reached)
    this.arm()
    try:
        yield this
        if this.ended_by is not None:
            raise this.ended_by
    finally:
        this.over = True
        stop_raising()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left and not this.gave_way:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), SOONEST))


@contextmanager
def end_on_interrupt(block: Deadline) -> Iterator[None]:
    """Ctrl-C ends the block as its deadline does, also if its code swallows `KeyboardInterrupt`."""
    if block.over or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda _, frame: block.end(KeyboardInterrupt(), frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_ending(frame: FrameType | None) -> bool:
    """Whether the end of a step is being recorded, which an exception would disturb. It may wait for a page to do so."""
    one = getcurrent()
    places = [frame]
    while one.parent is not None:
        one = one.parent
        places.append(one.gr_frame)
    for place in places:
        while place is not None:
            if place.f_globals.get("__name__", "").startswith(ENDING):
                return True
            place = place.f_back
    return False


def _in_playwright(frame: FrameType | None) -> bool:
    """Whether Playwright has the word: called by the journey's code, and not calling it (a listener)."""
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in LISTENERS:
            return False
        if name.startswith("playwright."):
            return True
        frame = frame.f_back
    return False


def _is_selecting(frame: FrameType | None) -> bool:
    """Whether the event loop waits for a message: then the exception leaves it at once, and Playwright raises it in the journey."""
    return frame is not None and frame.f_globals.get("__name__") == "selectors"


def _in_own_listener(frame: FrameType | None) -> bool:
    """Whether an event listener or a route handler of the journey runs, not one of the runner."""
    inner = ""
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in LISTENERS:
            return inner != "" and not inner.startswith(("runner.", "playwright."))
        inner, frame = name, frame.f_back
    return False
