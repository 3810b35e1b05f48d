"""What has come from the broker and is not handled yet: the threads of connections put it in, the scheduler's loop takes it out."""

import os
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from queue import Empty, SimpleQueue

from runner.dispatch.broker.receiver import Delivery


class Inbox:
    """Messages in the order in which they came, and what wakes a loop that waits for file descriptors."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[bytes, Delivery | None]] = SimpleQueue()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def put(self, body: bytes, delivery: Delivery | None = None) -> None:
        """Adds a message, from any thread; `delivery` is how to acknowledge it at the broker."""
        self._waiting.put((body, delivery))
        self._wake()

    def wait(self, timeout: float, also: Sequence[int] = ()) -> list[int]:
        """Waits until there is a message, or one of the file descriptors in `also` can be read; returns which of these can."""
        ready = []
        for source in wait([self._wake_read, *also], timeout=max(timeout, 0.0)):
            if source == self._wake_read:
                os.read(self._wake_read, 65_536)
            elif isinstance(source, int):
                ready.append(source)
        return ready

    def take(self, most: int) -> Iterator[tuple[bytes, Delivery | None]]:
        """The messages that have come, at most so many; the next `wait` returns at once when more are left."""
        for _ in range(most):
            try:
                yield self._waiting.get_nowait()
            except Empty:
                return
        self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            # The pipe is full: the loop is about to wake anyhow.
            return
