"""Interrupts (Ctrl-C, SIGTERM) that are held back while a run's end is handled, so that a run has one end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Calls the handlers of signals that arrive in the block at its end; of a second signal at once.

    Does nothing outside the main thread, where no handler is called.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in HELD}
    arrived: list[tuple[int, FrameType | None]] = []

    def hold(number: int, frame: FrameType | None) -> None:
        arrived.append((number, frame))
        if len(arrived) > 1:
            call(*arrived.pop())

    def call(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number, handler in before.items():
        # What is ignored, or ends the process at once, stays so.
        if callable(handler):
            signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
        if arrived:
            call(*arrived[0])
